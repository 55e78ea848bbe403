/** Objects on a simulated disk that may lose power at any call, and with it what was not synced. */
import { createHash } from 'node:crypto'
import { assert, BoxError } from '../../runtime/core/errors.js'
import type { PieceFile, PieceStore, StoredObject } from '../../runtime/ports/piece-store.js'
import { type Power, SimulatedPower } from './power.js'

interface DiskObject {
  safe: Uint8Array
  written: Uint8Array
  /** Whether the folder was synced since it was made. */
  isNameSafe: boolean
}

const BLOCK_BYTES = 4096

/** A cut keeps each block of what was not synced, or loses it, or leaves rubbish; drawn from the seed. */
export class SimulatedPieceDisk {
  /** Blocks and files that power cuts have taken. */
  lostBlocks = 0
  lostFiles = 0
  tornBlocks = 0
  /** What every write fails with; null when the disk is well. */
  fault: 'storage.full' | 'storage.io' | null = null
  /** A card that says "synced" and has only noted it. */
  isLying = false
  roomByteCount = 1024 ** 3
  readonly #random: () => number
  readonly #power: SimulatedPower
  readonly #objects = new Map<string, DiskObject>()
  #calls = 0

  constructor(random: () => number = () => 0) {
    this.#random = random
    this.#power = new SimulatedPower(() => this.#loseUnsynced())
  }

  /** Calls that were answered since the beginning. */
  get calls(): number {
    return this.#calls
  }

  boot(options: { callsUntilPowerCut: number }): PieceStore {
    const power = this.#power.on(options)
    const call = <T>(action: () => T): Promise<T> => this.#powered(power, action)
    return {
      list: () => call(() => this.#list()),
      freeByteCount: () => call(() => this.roomByteCount - this.#usedByteCount()),
      open: sha256 => call(() => this.#open(sha256, call)),
      remove: sha256 =>
        call(() => {
          checkName(sha256)
          this.#objects.delete(sha256)
        }),
    }
  }

  cutPower(): void {
    this.#power.cut()
  }

  /** A block goes bad without a word. */
  rot(sha256: string, at: number): void {
    const object = this.#objects.get(sha256)
    assert(object !== undefined && at < object.written.length, 'what rots is there')
    object.written[at] = (object.written[at] ?? 0) ^ 0xff
    object.safe = object.written.slice()
  }

  /** Bytes that are there for sure. */
  safeBytesOf(sha256: string): Uint8Array {
    return this.#objects.get(sha256)?.safe.slice() ?? new Uint8Array()
  }

  async #powered<T>(power: Power, action: () => T): Promise<T> {
    await Promise.resolve()
    // A call from before a power cut never returns.
    if (!power.isThere()) return new Promise<T>(() => {})
    this.#calls++
    return action()
  }

  #list(): StoredObject[] {
    return [...this.#objects].map(([sha256, { written }]) => ({
      sha256,
      byteCount: written.length,
      heldByteCount: written.length,
    }))
  }

  #usedByteCount(): number {
    let byteCount = 0
    for (const { written } of this.#objects.values()) byteCount += written.length
    return byteCount
  }

  #open(sha256: string, call: <T>(action: () => T) => Promise<T>): PieceFile {
    checkName(sha256)
    const there = this.#objects.get(sha256)
    const empty = { safe: new Uint8Array(), written: new Uint8Array(), isNameSafe: false }
    const object: DiskObject = there ?? empty
    this.#objects.set(sha256, object)
    return {
      read: (at, byteCount) => call(() => object.written.slice(at, at + byteCount)),
      write: (at, bytes) => call(() => this.#write(object, at, bytes)),
      sync: () =>
        call(() => {
          if (this.isLying) return
          object.safe = object.written.slice()
          object.isNameSafe = true
        }),
      sha256Hex: byteCount =>
        call(() =>
          createHash('sha256').update(object.written.subarray(0, byteCount)).digest('hex'),
        ),
      close: () => call(() => {}),
    }
  }

  #write(object: DiskObject, at: number, bytes: Uint8Array): void {
    if (this.fault !== null) throw new BoxError(this.fault, 'the disk is at fault')
    const grown = Math.max(object.written.length, at + bytes.length)
    if (this.#usedByteCount() + grown - object.written.length > this.roomByteCount)
      throw new BoxError('storage.full', 'the disk is full')
    object.written = grownTo(object.written, grown)
    object.written.set(bytes, at)
  }

  #loseUnsynced(): void {
    for (const [sha256, object] of [...this.#objects]) {
      if (!object.isNameSafe && this.#random() < 0.5) {
        this.#objects.delete(sha256)
        this.lostFiles++
        continue
      }
      object.isNameSafe = true
      object.safe = this.#torn(object)
      object.written = object.safe.slice()
    }
  }

  /** The length comes before the bytes do, as ext4 does it: then there are zeros. */
  #torn({ safe, written }: DiskObject): Uint8Array {
    const kept = new Uint8Array(written.length)
    kept.set(safe)
    for (let at = 0; at < written.length; at += BLOCK_BYTES) {
      const block = written.subarray(at, at + BLOCK_BYTES)
      if (isSame(block, kept.subarray(at, at + BLOCK_BYTES))) continue
      const fate = this.#random()
      if (fate < 0.4) kept.set(block, at)
      else if (fate < 0.8) this.lostBlocks++
      else {
        this.tornBlocks++
        kept.fill(Math.floor(this.#random() * 256), at, at + block.length)
      }
    }
    return kept
  }
}

const checkName = (sha256: string): void =>
  assert(/^[0-9a-f]{64}$/.test(sha256), 'an object is named by its hash')

const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

/** In place while there is room behind, so that a large file is not copied for each piece of it. */
function grownTo(bytes: Uint8Array, byteCount: number): Uint8Array {
  if (byteCount <= bytes.length) return bytes
  if (bytes.byteOffset + byteCount <= bytes.buffer.byteLength)
    return new Uint8Array(bytes.buffer, bytes.byteOffset, byteCount)
  const room = new Uint8Array(byteCount * 2)
  room.set(bytes)
  return room.subarray(0, byteCount)
}
