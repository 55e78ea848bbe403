import { createHash } from 'node:crypto'
import { BoxError } from '../../runtime/core/errors.js'
import type { Partition } from '../../runtime/ports/partition.js'
import type { SimulatedWriter } from './slot-disk.js'

const SECTOR_BYTES = 512

/**
 * A partition on a disk with a write cache. A cut keeps of each sector that was not synced the old bytes, the new ones, or
 * some of both: drawn from the seed, in no order.
 */
export class SimulatedPartition {
  /** A card that says "synced" and has only noted it. */
  isLying = false
  /** Sectors of which a cut kept some of both. */
  tornSectors = 0
  /** As it would be after a cut that keeps nothing, for a look from outside. */
  readonly safe: Uint8Array
  readonly #written: Uint8Array
  readonly #unsynced = new Set<number>()
  readonly #random: () => number

  constructor(byteCount: number, random: () => number = () => 0) {
    this.safe = new Uint8Array(byteCount)
    this.#written = new Uint8Array(byteCount)
    this.#random = random
  }

  /** @param machine whose power its calls take, and go with */
  on(machine: SimulatedWriter): Partition {
    return {
      byteCount: () => machine.beside(() => this.safe.length),
      write: (offset, bytes) => machine.beside(() => this.#put(offset, bytes)),
      sync: () => machine.beside(() => this.#sync()),
      sha256: options => machine.beside(() => this.#sha256(options)),
    }
  }

  /** As an engineer does it, with the card in another machine. */
  flash(bytes: Uint8Array): void {
    this.safe.set(bytes)
    this.#written.set(this.safe)
  }

  #put(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length
    if (end > this.safe.length)
      throw new BoxError('storage.limit', 'beyond the end of the partition')
    this.#written.set(bytes, offset)
    for (let sector = sectorOf(offset); sector * SECTOR_BYTES < end; sector++)
      this.#unsynced.add(sector)
  }

  /** One bit goes over, on the medium only. */
  rot(offset: number): void {
    this.safe[offset] = (this.safe[offset] ?? 0) ^ 1
  }

  losePower(): void {
    for (const sector of this.#unsynced) {
      this.#loseSome(sector)
      const start = sector * SECTOR_BYTES
      this.#written.set(this.safe.subarray(start, start + SECTOR_BYTES), start)
    }
    this.#unsynced.clear()
  }

  #sync(): void {
    if (this.isLying) return
    for (const sector of this.#unsynced) this.#keep(sector, SECTOR_BYTES)
    this.#unsynced.clear()
  }

  #loseSome(sector: number): void {
    const kind = this.#random()
    if (kind < 0.4) return
    const isTorn = kind >= 0.8
    if (isTorn) this.tornSectors++
    this.#keep(sector, isTorn ? Math.floor(this.#random() * SECTOR_BYTES) : SECTOR_BYTES)
  }

  #keep(sector: number, byteCount: number): void {
    const start = sector * SECTOR_BYTES
    this.safe.set(this.#written.subarray(start, start + byteCount), start)
  }

  #sha256({ byteCount, head }: { byteCount: number; head: Uint8Array }): string {
    return createHash('sha256')
      .update(head)
      .update(this.safe.subarray(head.length, byteCount))
      .digest('hex')
  }
}

const sectorOf = (offset: number): number => Math.floor(offset / SECTOR_BYTES)
