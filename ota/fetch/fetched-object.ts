/** What the apply reads. Each piece is hashed again as it comes from the disk, so a rotten card is found before it is used. */
import { assert, BoxError } from '../../runtime/core/errors.js'
import type { ShelvedObject } from './shelf.js'

export interface FetchedObject {
  readonly byteCount: number
  readonly sha256: string
  /**
   * Fills `into`, or less only at the end: the number of bytes.
   * @throws BoxError `storage.rotten` for a piece that is no longer what it was: fetching again fetches only that one
   */
  read(at: number, into: Uint8Array): Promise<number>
}

/** A patch is read in three places at once, each in order. */
const PIECES_KEPT = 4

export class VerifiedReading implements FetchedObject {
  readonly #shelved: ShelvedObject
  /** The one that was used last stands last. */
  readonly #kept = new Map<number, Uint8Array>()

  constructor(shelved: ShelvedObject) {
    this.#shelved = shelved
  }

  get byteCount(): number {
    return this.#shelved.list.object.byteCount
  }

  get sha256(): string {
    return this.#shelved.list.object.sha256
  }

  async read(at: number, into: Uint8Array): Promise<number> {
    assert(Number.isInteger(at) && at >= 0, 'a place in the object')
    let done = 0
    while (done < into.length && at + done < this.byteCount) {
      const index = Math.floor((at + done) / this.#shelved.list.object.pieceByteCount)
      const within = at + done - this.#shelved.list.startOf(index)
      const part = (await this.#piece(index)).subarray(within, within + into.length - done)
      into.set(part, done)
      done += part.length
    }
    return done
  }

  async #piece(index: number): Promise<Uint8Array> {
    const bytes = this.#kept.get(index) ?? (await this.#shelved.piece(index))
    if (bytes === null)
      throw new BoxError(
        'storage.rotten',
        `${this.#shelved.list.object.target}: piece ${index} is no longer what it was`,
      )
    this.#kept.delete(index)
    this.#kept.set(index, bytes)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= PIECES_KEPT) break
      this.#kept.delete(oldest)
    }
    return bytes
  }
}
