/**
 * What is planned, in memory that the main thread and a thread that carries it out share without locks. An entry belongs
 * to whoever moves its state on in one atomic step; so it is either cancelled or carried out, and never both or neither.
 *
 *     free -> pending -> taken -> over -> free      carried out, by either thread
 *     free -> pending -> free                       cancelled, by the main thread
 *
 * Only the main thread makes entries pending, and frees what is over once it has read the outcome. What an entry is about
 * lies beside it, in columns of its owner's: written before `plan` and `finish`, read after `take` and before `collect`.
 */
import { assert } from '../../runtime/core/errors.js'
import { monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'

const State = { free: 0, pending: 1, taken: 2, over: 3 } as const
const STATE_MASK = 3
const BYTES_PER_SLOT = 2 * 8 + 4

/** Names one entry: its slot, and the word that only this use of the slot has while it is pending. */
export interface Ticket {
  readonly slot: number
  readonly word: number
  readonly at: MonotonicMs
}

export class PlannedSlots {
  readonly slotCount: number
  readonly #moments: Float64Array
  readonly #orders: Float64Array
  /** Sequence number and state of each slot in one word, so that a slot in its next use is another entry. */
  readonly #words: Int32Array
  /** One more than the highest slot that may be in use, so that looking for the earliest stays short. */
  readonly #used: Int32Array

  /** @param buffer holds `slotsBytes(slotCount)` from `offset` on, a multiple of 8; each thread makes its own view */
  constructor(buffer: SharedArrayBuffer, offset: number, slotCount: number) {
    this.slotCount = slotCount
    this.#moments = new Float64Array(buffer, offset, slotCount)
    this.#orders = new Float64Array(buffer, offset + slotCount * 8, slotCount)
    this.#words = new Int32Array(buffer, offset + slotCount * 16, slotCount)
    this.#used = new Int32Array(buffer, offset + slotCount * 20, 1)
  }

  /** Makes an entry pending in a free slot. `order` rises with every call. */
  plan(slot: number, at: MonotonicMs, order: number): Ticket {
    const before = Atomics.load(this.#words, slot)
    assert((before & STATE_MASK) === State.free, 'what is planned gets a free slot')
    this.#moments[slot] = at
    this.#orders[slot] = order
    const word = ((before + STATE_MASK + 1) & ~STATE_MASK) | State.pending
    if (slot >= Atomics.load(this.#used, 0)) Atomics.store(this.#used, 0, slot + 1)
    Atomics.store(this.#words, slot, word)
    return { slot, word, at }
  }

  /** Whether it will now never happen; its slot is free then. */
  cancel(ticket: Ticket): boolean {
    return this.#move(ticket, State.free)
  }

  /** False when it is no longer pending. Whoever takes it must `finish` it. */
  take(ticket: Ticket): boolean {
    return this.#move(ticket, State.taken)
  }

  finish(ticket: Ticket): void {
    Atomics.store(this.#words, ticket.slot, withState(ticket.word, State.over))
    Atomics.notify(this.#words, ticket.slot)
  }

  isOver(ticket: Ticket): boolean {
    return Atomics.load(this.#words, ticket.slot) === withState(ticket.word, State.over)
  }

  /** Sleeps until the other thread is through with what it has taken; false when that takes too long. */
  waitWhileTaken(ticket: Ticket, limitMs: number): boolean {
    const taken = withState(ticket.word, State.taken)
    return Atomics.wait(this.#words, ticket.slot, taken, limitMs) !== 'timed-out'
  }

  /** Frees the slot of what is over, once its outcome has been read. */
  collect(ticket: Ticket): void {
    assert(this.isOver(ticket), 'only what is over is collected')
    Atomics.store(this.#words, ticket.slot, withState(ticket.word, State.free))
  }

  /** For the main thread, when every slot is free. */
  forgetUsed(): void {
    Atomics.store(this.#used, 0, 0)
  }

  /**
   * The pending entry with the earliest moment; of several, the one that was asked for first.
   * @param isWanted looks at the owner's columns; null for all
   */
  earliest(isWanted: ((slot: number) => boolean) | null = null): Ticket | null {
    const used = Atomics.load(this.#used, 0)
    let best = -1
    let bestWord = 0
    for (let slot = 0; slot < used; slot++) {
      const word = Atomics.load(this.#words, slot)
      if ((word & STATE_MASK) !== State.pending) continue
      if (best >= 0 && !this.#isBefore(slot, best)) continue
      if (isWanted !== null && !isWanted(slot)) continue
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

/** A multiple of 8, so that another column of numbers may follow. */
export const slotsBytes = (slotCount: number): number =>
  Math.ceil((slotCount * BYTES_PER_SLOT + 4) / 8) * 8

const withState = (word: number, state: number): number => (word & ~STATE_MASK) | state
