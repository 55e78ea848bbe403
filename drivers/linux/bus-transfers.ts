/** The planned transfers of one I2C bus, in memory that the main thread and the bus's thread share. */
import { monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import type { RegisterWrite } from '../../runtime/ports/host.js'
import { PACKED_BYTES, packWrites, unpackWrites } from './packed-writes.js'
import { PlannedSlots, slotsBytes, type Ticket } from './planned-slots.js'

/** A few hundred frames of each of a few dozen chips. The kernel gives a page when it is first used. */
export const TRANSFERS_MAX = 4096
const BYTES_PER_TRANSFER = 2 * 8 + 4 * 4 + PACKED_BYTES

export const TransferEnd = { written: 0, overtaken: 1, dropped: 2, failed: 3 } as const
export type TransferEnd = (typeof TransferEnd)[keyof typeof TransferEnd]

export interface PlannedTransfer {
  readonly address: number
  /** Of the chip when it was planned; see `SharedChips`. */
  readonly epoch: number
  readonly at: MonotonicMs
  readonly writes: readonly RegisterWrite[]
}

export interface EndedTransfer {
  readonly end: TransferEnd
  readonly beganMs: number
  readonly endedMs: number
  /** 0 where it did not fail. */
  readonly errno: number
}

export class PlannedTransfers {
  readonly slots: PlannedSlots
  readonly #beganMs: Float64Array
  readonly #endedMs: Float64Array
  readonly #addresses: Int32Array
  readonly #epochs: Int32Array
  readonly #ends: Int32Array
  readonly #errnos: Int32Array
  readonly #bytes: Uint8Array

  /** @param buffer from `transfersBuffer`; each thread makes its own view of it */
  constructor(buffer: SharedArrayBuffer) {
    const count = TRANSFERS_MAX
    this.slots = new PlannedSlots(buffer, 0, count)
    let from = slotsBytes(count)
    const doubles = (): Float64Array => new Float64Array(buffer, from, count)
    const words = (): Int32Array => new Int32Array(buffer, from, count)
    this.#beganMs = doubles()
    from += count * 8
    this.#endedMs = doubles()
    from += count * 8
    this.#addresses = words()
    from += count * 4
    this.#epochs = words()
    from += count * 4
    this.#ends = words()
    from += count * 4
    this.#errnos = words()
    from += count * 4
    this.#bytes = new Uint8Array(buffer, from, count * PACKED_BYTES)
  }

  /** `order` rises with every call. */
  plan(slot: number, { address, epoch, at, writes }: PlannedTransfer, order: number): Ticket {
    this.#addresses[slot] = address
    this.#epochs[slot] = epoch
    packWrites(this.#bytes, slot * PACKED_BYTES, writes)
    return this.slots.plan(slot, at, order)
  }

  addressOf(slot: number): number {
    return this.#addresses[slot] ?? -1
  }

  epochOf(slot: number): number {
    return this.#epochs[slot] ?? 0
  }

  /** For who has taken it. */
  writesOf(slot: number): readonly RegisterWrite[] {
    return unpackWrites(this.#bytes, slot * PACKED_BYTES)
  }

  finish(ticket: Ticket, { end, beganMs, endedMs, errno }: EndedTransfer): void {
    this.#ends[ticket.slot] = end
    this.#beganMs[ticket.slot] = beganMs
    this.#endedMs[ticket.slot] = endedMs
    this.#errnos[ticket.slot] = errno
    this.slots.finish(ticket)
  }

  /** Reads how a transfer ended that is over, and frees its slot. */
  collect({ slot, ...ticket }: Ticket): EndedTransfer & Record<'beganMs' | 'endedMs', MonotonicMs> {
    const ended = {
      end: endOf(this.#ends[slot]),
      beganMs: monotonicMs(this.#beganMs[slot] ?? 0),
      endedMs: monotonicMs(this.#endedMs[slot] ?? 0),
      errno: this.#errnos[slot] ?? 0,
    }
    this.slots.collect({ slot, ...ticket })
    return ended
  }
}

export const transfersBuffer = (): SharedArrayBuffer =>
  new SharedArrayBuffer(slotsBytes(TRANSFERS_MAX) + TRANSFERS_MAX * BYTES_PER_TRANSFER)

const endOf = (value: number | undefined): TransferEnd =>
  Object.values(TransferEnd).find(end => end === value) ?? TransferEnd.dropped
