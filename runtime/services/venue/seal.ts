/**
 * Proves that a message comes from a box of this venue, and that it was not heard before: a session drawn at each start, a
 * counter in it, and HMAC-SHA256 (RFC 2104) over both, the message and the venue's name. What is said is not hidden.
 *
 *     0        4                 12           18                              50
 *     "RCv1" | session, 8 bytes | count, 6   | code of authentication, 32    | message
 */

import { assert } from '../../core/errors.js'
import { hexOf } from '../../core/hex.js'
import { forgetOldest } from '../../core/oldest.js'
import type { Keys } from '../../ports/keys.js'

const MAGIC = new TextEncoder().encode('RCv1')
const SESSION_BYTES = 8
const COUNT_BYTES = 6
const CODE_BYTES = 32
const CODE_AT = MAGIC.length + SESSION_BYTES + COUNT_BYTES
export const SEAL_BYTES = CODE_AT + CODE_BYTES
/** How far behind its session's newest a message may come, where the network changes the order. */
const WINDOW = 256
/** Sessions whose counters are remembered: of boxes that are there, and of some earlier lives of theirs. */
const SESSIONS_MAX = 256

export type Opened =
  | { readonly kind: 'opened'; readonly session: string; readonly body: Uint8Array }
  /** No message of boxes; changed on the way, or with another key; heard before; or the own. */
  | { readonly kind: 'forged' | 'other-key' | 'replayed' | 'own' }

export class Seal {
  readonly #keys: Keys
  readonly #key: Uint8Array
  readonly #venue: Uint8Array
  readonly #session: Uint8Array
  /** Of this box, since it was started: hexadecimal. */
  readonly session: string
  readonly #windows = new Map<string, Window>()
  #count = 0

  /** @param key of the venue, @param venue its name: two tours that share a key are still two */
  constructor(keys: Keys, key: Uint8Array, venue: string) {
    this.#keys = keys
    this.#key = key
    this.#venue = new TextEncoder().encode(`${venue}\n`)
    this.#session = keys.randomBytes(SESSION_BYTES)
    this.session = hexOf(this.#session)
  }

  seal(body: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(SEAL_BYTES + body.length)
    sealed.set(MAGIC)
    sealed.set(this.#session, MAGIC.length)
    writeCount(sealed, ++this.#count)
    sealed.set(this.#code(sealed, body), CODE_AT)
    sealed.set(body, SEAL_BYTES)
    return sealed
  }

  open(sealed: Uint8Array): Opened {
    if (sealed.length <= SEAL_BYTES || MAGIC.some((byte, at) => sealed[at] !== byte))
      return { kind: 'forged' }
    const body = sealed.subarray(SEAL_BYTES)
    if (!isEqual(sealed.subarray(CODE_AT, SEAL_BYTES), this.#code(sealed, body)))
      return { kind: 'other-key' }
    const session = hexOf(sealed.subarray(MAGIC.length, MAGIC.length + SESSION_BYTES))
    if (session === this.session) return { kind: 'own' }
    return this.#isNew(session, readCount(sealed))
      ? { kind: 'opened', session, body }
      : { kind: 'replayed' }
  }

  #code(sealed: Uint8Array, body: Uint8Array): Uint8Array {
    const signed = new Uint8Array(this.#venue.length + CODE_AT + body.length)
    signed.set(this.#venue)
    signed.set(sealed.subarray(0, CODE_AT), this.#venue.length)
    signed.set(body, this.#venue.length + CODE_AT)
    return this.#keys.hmacSha256(this.#key, signed)
  }

  #isNew(session: string, count: number): boolean {
    const window = this.#windows.get(session) ?? new Window()
    // The one that was silent for longest gives way.
    this.#windows.delete(session)
    this.#windows.set(session, window)
    forgetOldest(this.#windows, SESSIONS_MAX)
    return window.take(count)
  }
}

/** Which of the last counts of a session have been heard. */
class Window {
  readonly #heard = new Uint32Array(WINDOW)
  readonly #reached = new Float64Array(WINDOW)
  #newest = 0

  /** Whether it is the first time. */
  take(count: number): boolean {
    if (count + WINDOW <= this.#newest) return false
    const slot = count % WINDOW
    if (this.#heard[slot] === 1 && (this.#reached[slot] ?? 0) >= count) return false
    this.#heard[slot] = 1
    this.#reached[slot] = count
    this.#newest = Math.max(this.#newest, count)
    return true
  }
}

function writeCount(sealed: Uint8Array, count: number): void {
  assert(count < 2 ** (8 * COUNT_BYTES), 'messages of one session can be counted')
  const view = new DataView(sealed.buffer, sealed.byteOffset + MAGIC.length + SESSION_BYTES)
  view.setUint16(0, Math.floor(count / 2 ** 32))
  view.setUint32(2, count % 2 ** 32)
}

function readCount(sealed: Uint8Array): number {
  const view = new DataView(sealed.buffer, sealed.byteOffset + MAGIC.length + SESSION_BYTES)
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2)
}

/** Takes as long for any difference. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length
  for (const [at, byte] of one.entries()) difference |= byte ^ (other[at] ?? 0)
  return difference === 0
}
