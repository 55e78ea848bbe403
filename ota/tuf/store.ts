/**
 * What a box has believed, on its disk: the metadata as it came, byte for byte; the root before this one; and the floors,
 * twice. Any of them may be lost or rot: what cannot be read counts as not there.
 */
import { BoxError, ConfigError, messageOf } from '../../runtime/core/errors.js'
import { problemWith } from '../../runtime/core/folder-files.js'
import type { Files } from '../../runtime/ports/files.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Verifier } from '../../runtime/ports/verifier.js'
import { canonicalJson, type Json } from './canonical.js'
import { checkFloors, type Floors } from './floors.js'
import { encodeStep } from './paths.js'

const PREVIOUS_ROOT = 'root.previous'
const FLOORS = ['floors.0', 'floors.1'] as const
const DIGEST = 'sha256'

interface Kept {
  readonly sequence: number
  readonly floors: Floors
}

export class TrustStore {
  readonly #files: Files
  readonly #verifier: Verifier
  readonly #log: Log
  #sequence = 0
  /** Where a copy of the floors is missing or rotten. */
  #isWhole = false

  constructor(files: Files, verifier: Verifier, log: Log) {
    this.#files = files
    this.#verifier = verifier
    this.#log = log
  }

  /** The roots that may still be good, the newest first. */
  async roots(): Promise<Uint8Array[]> {
    const found = [await this.#read('root.json'), await this.#read(PREVIOUS_ROOT)]
    return found.filter(bytes => bytes !== null)
  }

  /** @param previous the root that vouched for it; null when there is none worth keeping */
  async replaceRoot(bytes: Uint8Array, previous: Uint8Array | null): Promise<void> {
    if (previous !== null) await this.#files.replace(PREVIOUS_ROOT, previous)
    await this.#files.replace('root.json', bytes)
  }

  read(role: string): Promise<Uint8Array | null> {
    return this.#read(this.#nameOf(role))
  }

  replace(role: string, bytes: Uint8Array): Promise<void> {
    return this.#files.replace(this.#nameOf(role), bytes)
  }

  remove(role: string): Promise<void> {
    return this.#files.remove(this.#nameOf(role))
  }

  /** Null when there are none, or both copies are rotten. */
  async floors(): Promise<Floors | null> {
    let newest: Kept | null = null
    const sequences: (number | null)[] = []
    for (const name of FLOORS) {
      const kept = this.#decode(name, await this.#read(name))
      sequences.push(kept?.sequence ?? null)
      if (kept !== null && (newest === null || kept.sequence > newest.sequence)) newest = kept
    }
    this.#sequence = newest?.sequence ?? 0
    this.#isWhole = sequences.every(sequence => sequence === this.#sequence && sequence !== 0)
    return newest?.floors ?? null
  }

  /** False when a copy of what `floors` answered is missing or rotten, and wants writing again. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  async replaceFloors(floors: Floors): Promise<void> {
    const bytes = this.#encode({ sequence: ++this.#sequence, floors })
    this.#isWhole = false
    for (const name of FLOORS) await this.#files.replace(name, bytes)
    this.#isWhole = true
  }

  /** Roles have any name that somebody thought of; files have not. */
  #nameOf(role: string): string {
    const name = `${encodeStep(role)}.json`
    if (problemWith(name) === null) return name
    return `${this.#digest(new TextEncoder().encode(role))}.json`
  }

  async #read(name: string): Promise<Uint8Array | null> {
    try {
      return await this.#files.read(name)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('trust.unreadable', { file: name, error: messageOf(error) })
      return null
    }
  }

  #encode(kept: Kept): Uint8Array {
    const body = canonicalJson(plain(kept))
    const head = new TextEncoder().encode(`${this.#digest(body)}\n`)
    const bytes = new Uint8Array(head.length + body.length)
    bytes.set(head)
    bytes.set(body, head.length)
    return bytes
  }

  #decode(name: string, bytes: Uint8Array | null): Kept | null {
    if (bytes === null) return null
    try {
      const end = bytes.indexOf(0x0a)
      const body = bytes.subarray(end + 1)
      const digest = new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0)))
      if (digest !== this.#digest(body)) throw new RangeError('its checksum is wrong')
      return keptOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)))
    } catch (error) {
      // Half a file, or one that has rotted: the other copy counts.
      this.#log.warn('trust.rotten', { file: name, error: messageOf(error) })
      return null
    }
  }

  #digest(bytes: Uint8Array): string {
    return this.#verifier.digestHex(DIGEST, bytes) ?? ''
  }
}

/** The record has strings, whole numbers, lists and tables only; the round trip says so to the compiler. */
function plain(kept: Kept): Json {
  const value: Json = JSON.parse(JSON.stringify(kept))
  return value
}

function keptOf(value: unknown): Kept {
  if (typeof value !== 'object' || value === null || !('sequence' in value) || !('floors' in value))
    throw new ConfigError([{ path: 'floors', message: 'is no record of floors', place: null }])
  const { sequence } = value
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1)
    throw new ConfigError([{ path: 'sequence', message: 'must be a whole number', place: null }])
  return { sequence, floors: checkFloors(value.floors) }
}
