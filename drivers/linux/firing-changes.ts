/** The planned changes of lines, in memory that the main thread and the firing thread share: `planned-slots.ts`. */
import { monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import { PlannedSlots, slotsBytes, type Ticket } from './planned-slots.js'

const BYTES_PER_CHANGE = 8 + 3 * 4

/** How a change that is over ended. */
export const Outcome = { fired: 0, dropped: 1, failed: 2 } as const
export type Outcome = (typeof Outcome)[keyof typeof Outcome]

export interface PlannedChange {
  readonly line: number
  readonly isActive: boolean
  readonly at: MonotonicMs
}

export class PlannedChanges {
  readonly buffer: SharedArrayBuffer
  readonly #slots: PlannedSlots
  readonly #firedMs: Float64Array
  readonly #lines: Int32Array
  readonly #values: Int32Array
  readonly #outcomes: Int32Array

  /** @param buffer from `changesBuffer`; each thread makes its own view of it */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    const slots = new Int32Array(buffer, 0, 1)[0] ?? 0
    this.#slots = new PlannedSlots(buffer, HEAD_BYTES, slots)
    const from = HEAD_BYTES + slotsBytes(slots)
    this.#firedMs = new Float64Array(buffer, from, slots)
    this.#lines = new Int32Array(buffer, from + slots * 8, slots)
    this.#values = new Int32Array(buffer, from + slots * 12, slots)
    this.#outcomes = new Int32Array(buffer, from + slots * 16, slots)
  }

  /** Makes a change pending in a free slot. `order` rises with every call. */
  plan(slot: number, change: PlannedChange, order: number): Ticket {
    this.#lines[slot] = change.line
    this.#values[slot] = change.isActive ? 1 : 0
    return this.#slots.plan(slot, change.at, order)
  }

  /** Whether the change will now never happen; its slot is free then. */
  cancel(ticket: Ticket): boolean {
    return this.#slots.cancel(ticket)
  }

  /** Takes a pending change; null when it is no longer pending. Whoever takes it must `finish` it. */
  take(ticket: Ticket): { readonly line: number; readonly isActive: boolean } | null {
    if (!this.#slots.take(ticket)) return null
    return { line: this.#lines[ticket.slot] ?? 0, isActive: this.#values[ticket.slot] === 1 }
  }

  finish(ticket: Ticket, outcome: Outcome, firedMs: number): void {
    this.#outcomes[ticket.slot] = outcome
    this.#firedMs[ticket.slot] = firedMs
    this.#slots.finish(ticket)
  }

  isOver(ticket: Ticket): boolean {
    return this.#slots.isOver(ticket)
  }

  /** Sleeps until the other thread is through with a change that it has taken; false when that takes too long. */
  waitWhileTaken(ticket: Ticket, limitMs: number): boolean {
    return this.#slots.waitWhileTaken(ticket, limitMs)
  }

  /** Reads how a change ended that is over, and frees its slot. */
  collect(ticket: Ticket): { readonly outcome: Outcome; readonly firedMs: MonotonicMs } {
    const outcome = outcomeOf(this.#outcomes[ticket.slot])
    const firedMs = monotonicMs(this.#firedMs[ticket.slot] ?? 0)
    this.#slots.collect(ticket)
    return { outcome, firedMs }
  }

  /** For the main thread, when every slot is free. */
  forgetUsed(): void {
    this.#slots.forgetUsed()
  }

  /** The pending change with the earliest moment; of several, the one that was asked for first. */
  earliest(): Ticket | null {
    return this.#slots.earliest()
  }
}

/** The number of slots, and as much again so that what follows begins at a multiple of 8. */
const HEAD_BYTES = 8

export function changesBuffer(slotCount: number): SharedArrayBuffer {
  const bytes = HEAD_BYTES + slotsBytes(slotCount) + slotCount * BYTES_PER_CHANGE
  const buffer = new SharedArrayBuffer(bytes)
  new Int32Array(buffer, 0, 1)[0] = slotCount
  return buffer
}

const outcomeOf = (value: number | undefined): Outcome =>
  value === Outcome.fired || value === Outcome.failed ? value : Outcome.dropped
