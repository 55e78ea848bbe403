/**
 * The planned changes, in memory that the main thread and the firing thread share without locks. A change belongs to
 * whoever moves its state on in one atomic step; so it is either cancelled or fired, and never both or neither.
 *
 *     free -> pending -> taken -> over -> free      fired, by either thread
 *     free -> pending -> free                       cancelled, by the main thread
 *
 * Only the main thread makes changes pending, and frees what is over once it has read the outcome.
 */
import { assert } from '../../runtime/core/errors.js'
import { monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'

const State = { free: 0, pending: 1, taken: 2, over: 3 } as const
const STATE_MASK = 3
const BYTES_PER_SLOT = 3 * 8 + 4 * 4

/** How a change that is over ended. */
export const Outcome = { fired: 0, dropped: 1, failed: 2 } as const
export type Outcome = (typeof Outcome)[keyof typeof Outcome]

export interface PlannedChange {
  readonly line: number
  readonly isActive: boolean
  readonly at: MonotonicMs
}

/** Names one change: its slot, and the word that only this use of the slot has while it is pending. */
export interface Ticket {
  readonly slot: number
  readonly word: number
  readonly at: MonotonicMs
}

export class PlannedChanges {
  readonly buffer: SharedArrayBuffer
  readonly #moments: Float64Array
  readonly #orders: Float64Array
  readonly #firedMs: Float64Array
  /** Sequence number and state of each slot in one word, so that a slot in its next use is another change. */
  readonly #words: Int32Array
  readonly #lines: Int32Array
  readonly #values: Int32Array
  readonly #outcomes: Int32Array
  /** One more than the highest slot that may be in use, so that looking for the earliest stays short. */
  readonly #used: Int32Array

  /** @param buffer from `changesBuffer`; each thread makes its own view of it */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    const slots = Math.floor((buffer.byteLength - 4) / BYTES_PER_SLOT)
    this.#moments = new Float64Array(buffer, 0, slots)
    this.#orders = new Float64Array(buffer, slots * 8, slots)
    this.#firedMs = new Float64Array(buffer, slots * 16, slots)
    this.#words = new Int32Array(buffer, slots * 24, slots)
    this.#lines = new Int32Array(buffer, slots * 28, slots)
    this.#values = new Int32Array(buffer, slots * 32, slots)
    this.#outcomes = new Int32Array(buffer, slots * 36, slots)
    this.#used = new Int32Array(buffer, slots * 40, 1)
  }

  /** Makes a change pending in a free slot. `order` rises with every call. */
  plan(slot: number, change: PlannedChange, order: number): Ticket {
    const before = Atomics.load(this.#words, slot)
    assert((before & STATE_MASK) === State.free, 'a change is planned in a free slot')
    this.#moments[slot] = change.at
    this.#orders[slot] = order
    this.#lines[slot] = change.line
    this.#values[slot] = change.isActive ? 1 : 0
    const word = ((before + STATE_MASK + 1) & ~STATE_MASK) | State.pending
    if (slot >= Atomics.load(this.#used, 0)) Atomics.store(this.#used, 0, slot + 1)
    Atomics.store(this.#words, slot, word)
    return { slot, word, at: change.at }
  }

  /** Whether the change will now never happen; its slot is free then. */
  cancel(ticket: Ticket): boolean {
    return this.#move(ticket, State.free)
  }

  /** Takes a pending change; null when it is no longer pending. Whoever takes it must `finish` it. */
  take(ticket: Ticket): { readonly line: number; readonly isActive: boolean } | null {
    if (!this.#move(ticket, State.taken)) return null
    return { line: this.#lines[ticket.slot] ?? 0, isActive: this.#values[ticket.slot] === 1 }
  }

  finish(ticket: Ticket, outcome: Outcome, firedMs: number): void {
    this.#outcomes[ticket.slot] = outcome
    this.#firedMs[ticket.slot] = firedMs
    Atomics.store(this.#words, ticket.slot, withState(ticket.word, State.over))
    Atomics.notify(this.#words, ticket.slot)
  }

  isOver(ticket: Ticket): boolean {
    return Atomics.load(this.#words, ticket.slot) === withState(ticket.word, State.over)
  }

  /** Sleeps until the other thread is through with a change that it has taken; false when that takes too long. */
  waitWhileTaken(ticket: Ticket, limitMs: number): boolean {
    const taken = withState(ticket.word, State.taken)
    return Atomics.wait(this.#words, ticket.slot, taken, limitMs) !== 'timed-out'
  }

  /** Reads how a change ended that is over, and frees its slot. */
  collect(ticket: Ticket): { readonly outcome: Outcome; readonly firedMs: MonotonicMs } {
    assert(this.isOver(ticket), 'only what is over is collected')
    const outcome = outcomeOf(this.#outcomes[ticket.slot])
    const firedMs = monotonicMs(this.#firedMs[ticket.slot] ?? 0)
    Atomics.store(this.#words, ticket.slot, withState(ticket.word, State.free))
    return { outcome, firedMs }
  }

  /** For the main thread, when every slot is free. */
  forgetUsed(): void {
    Atomics.store(this.#used, 0, 0)
  }

  /** The pending change with the earliest moment; of several, the one that was asked for first. */
  earliest(): Ticket | null {
    const used = Atomics.load(this.#used, 0)
    let best = -1
    let bestWord = 0
    for (let slot = 0; slot < used; slot++) {
      const word = Atomics.load(this.#words, slot)
      if ((word & STATE_MASK) !== State.pending) continue
      if (best >= 0 && !this.#isBefore(slot, best)) continue
      best = slot
      bestWord = word
    }
    if (best < 0) return null
    return { slot: best, word: bestWord, at: monotonicMs(this.#moments[best] ?? 0) }
  }

  #isBefore(a: number, b: number): boolean {
    const [momentA, momentB] = [this.#moments[a] ?? 0, this.#moments[b] ?? 0]
    return momentA === momentB ? (this.#orders[a] ?? 0) < (this.#orders[b] ?? 0) : momentA < momentB
  }

  #move(ticket: Ticket, state: number): boolean {
    const next = withState(ticket.word, state)
    return Atomics.compareExchange(this.#words, ticket.slot, ticket.word, next) === ticket.word
  }
}

export const changesBuffer = (slotCount: number): SharedArrayBuffer =>
  new SharedArrayBuffer(slotCount * BYTES_PER_SLOT + 4)

const withState = (word: number, state: number): number => (word & ~STATE_MASK) | state

const outcomeOf = (value: number | undefined): Outcome =>
  value === Outcome.fired || value === Outcome.failed ? value : Outcome.dropped
