/**
 * The objects that a box has begun to fetch, with what is proven of them. Nothing is kept of which pieces are there: after
 * a restart each one is hashed again, so a power cut, a rotten card or a file that somebody changed cost only pieces.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { PieceFile, PieceStore } from '../../runtime/ports/piece-store.js'
import { PieceList, type TransferObject } from './piece-list.js'
import { PieceSet } from './piece-set.js'

/** A power cut costs at most so many pieces that had arrived. */
const PIECES_UNSYNCED_MAX = 4
/** Left free for everything else on the partition. */
export const ROOM_LEFT_BYTES = 32 * 1024 * 1024

export class Shelf {
  readonly #store: PieceStore
  readonly #keys: Keys
  readonly #objects = new Map<string, Promise<ShelvedObject>>()
  readonly #proven = new Map<string, ShelvedObject>()

  constructor(store: PieceStore, keys: Keys) {
    this.#store = store
    this.#keys = keys
  }

  /**
   * Proves what is there of it, and keeps it at hand. Opened twice it is the same.
   * @throws BoxError `storage.io`, `storage.full` when there is no room for the rest, `fetch.invalid`
   */
  open(object: TransferObject): Promise<ShelvedObject> {
    const there = this.#objects.get(object.sha256)
    if (there !== undefined) return there
    const opened = this.#open(object)
    this.#objects.set(object.sha256, opened)
    opened.catch(() => this.#objects.delete(object.sha256))
    return opened
  }

  /** What was opened and is proven; null for everything else. */
  find(sha256: string): ShelvedObject | null {
    return this.#proven.get(sha256) ?? null
  }

  /** What can be given to others, the one that was opened last first. */
  all(): readonly ShelvedObject[] {
    return [...this.#proven.values()].reverse()
  }

  /**
   * Bytes of the disk that objects hold: those of these, and those of all others, which `keepOnly` of the same would free. For
   * who reckons whether there is room for an object and for what is made of it.
   */
  async heldByteCounts(
    sha256s: readonly string[],
  ): Promise<{ readonly wanted: number; readonly others: number }> {
    const held = { wanted: 0, others: 0 }
    for (const { sha256, heldByteCount } of await this.#store.list())
      held[sha256s.includes(sha256) ? 'wanted' : 'others'] += heldByteCount
    return held
  }

  /** Removes everything else from the disk, whoever put it there. What is open is closed first. */
  async keepOnly(sha256s: readonly string[]): Promise<void> {
    for (const { sha256 } of await this.#store.list())
      if (!sha256s.includes(sha256)) {
        await this.#close(sha256)
        await this.#store.remove(sha256)
      }
  }

  async closeAll(): Promise<void> {
    for (const sha256 of [...this.#objects.keys()]) await this.#close(sha256)
  }

  async #close(sha256: string): Promise<void> {
    const opened = this.#objects.get(sha256)
    this.#objects.delete(sha256)
    this.#proven.delete(sha256)
    const shelved = await opened?.catch(() => null)
    await shelved?.close()
  }

  async #open(object: TransferObject): Promise<ShelvedObject> {
    const list = new PieceList(object)
    const stored = (await this.#store.list()).find(({ sha256 }) => sha256 === object.sha256)
    const file = await this.#store.open(object.sha256)
    try {
      const shelved = new ShelvedObject(list, file, this.#keys)
      await shelved.prove(stored?.byteCount ?? 0)
      await this.#checkRoom(shelved)
      this.#proven.set(object.sha256, shelved)
      return shelved
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async #checkRoom(shelved: ShelvedObject): Promise<void> {
    if (shelved.have.isFull) return
    const { byteCount, target } = shelved.list.object
    const missing = byteCount - shelved.haveByteCount
    const free = await this.#store.freeByteCount()
    if (free >= missing + ROOM_LEFT_BYTES) return
    throw new BoxError(
      'storage.full',
      `${target}: ${missing} bytes are missing, and ${free} are free (${ROOM_LEFT_BYTES} stay so)`,
    )
  }
}

/** One object on the disk. Only proven pieces are written, and only proven bytes are given. */
export class ShelvedObject {
  readonly list: PieceList
  readonly have: PieceSet
  readonly #file: PieceFile
  readonly #keys: Keys
  #unsynced = 0
  /** Writes end before the file is synced or closed. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(list: PieceList, file: PieceFile, keys: Keys) {
    this.list = list
    this.have = new PieceSet(list.count)
    this.#file = file
    this.#keys = keys
  }

  get haveByteCount(): number {
    let byteCount = this.have.size * this.list.object.pieceByteCount
    const last = this.list.count - 1
    if (this.have.has(last))
      byteCount -= this.list.object.pieceByteCount - this.list.byteCountOf(last)
    return byteCount
  }

  /** @param byteCount of the file as it was found */
  async prove(byteCount: number): Promise<void> {
    for (let index = 0; index < this.list.count && this.list.startOf(index) < byteCount; index++)
      if ((await this.#proven(index)) !== null) this.have.add(index)
  }

  /** False when these are not its bytes. Some pieces later, or after `finish`, it stays over a power cut. */
  async put(index: number, bytes: Uint8Array): Promise<boolean> {
    if (this.#keys.sha256Hex(bytes) !== this.list.hashOf(index)) return false
    if (this.have.has(index)) return true
    const copy = Uint8Array.from(bytes)
    await this.#inTurn(async () => {
      await this.#file.write(this.list.startOf(index), copy)
      this.have.add(index)
      if (++this.#unsynced >= PIECES_UNSYNCED_MAX) await this.#sync()
    })
    return true
  }

  /** Null when it is not there, or is no longer what it was: it is missing then. */
  async piece(index: number): Promise<Uint8Array | null> {
    if (!this.have.has(index)) return null
    const bytes = await this.#proven(index)
    if (bytes === null) this.have.remove(index)
    return bytes
  }

  /** All of it is on the disk for sure. @throws BoxError `fetch.invalid` when it is not the object that its pieces say */
  async finish(): Promise<void> {
    const { byteCount, sha256, target } = this.list.object
    await this.#inTurn(() => this.#sync())
    if ((await this.#file.sha256Hex(byteCount)) === sha256) return
    for (let index = 0; index < this.list.count; index++) await this.piece(index)
    if (this.have.isFull)
      throw new BoxError('fetch.invalid', `${target}: its signed pieces are not those of its hash`)
    throw new BoxError('storage.rotten', `${target}: the disk has not kept what was written`)
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#file.close())
  }

  async #proven(index: number): Promise<Uint8Array | null> {
    const bytes = await this.#file.read(this.list.startOf(index), this.list.byteCountOf(index))
    return this.#keys.sha256Hex(bytes) === this.list.hashOf(index) ? bytes : null
  }

  async #sync(): Promise<void> {
    await this.#file.sync()
    this.#unsynced = 0
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}
