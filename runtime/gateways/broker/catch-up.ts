/**
 * Tells what waited at another broker while the box was away from what is sent now; MQTT 3.1.1 hands both over alike. The
 * broker delivers in order, so what it kept comes before a word that the box sends to itself.
 */
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'

/** Longer than this a broker does not take to send what it queued. */
const CATCH_UP_MS = 5_000

export class CatchUp {
  readonly #clock: Clock
  readonly #keys: Keys
  /** Null when all that comes is new. */
  #word: string | null = null
  #cancel: Cancel = () => {}

  constructor(clock: Clock, keys: Keys) {
    this.#clock = clock
    this.#keys = keys
  }

  /** True while what comes may be old. */
  get isUnderWay(): boolean {
    return this.#word !== null
  }

  /** To be called before anything is looked at that the broker sends after its answer. */
  begin(isResumed: boolean): void {
    this.#cancel()
    this.#word = isResumed ? Buffer.from(this.#keys.randomBytes(8)).toString('hex') : null
  }

  /** The word to send, null when none is needed. From now on it has some seconds to come back. */
  ask(): string | null {
    if (this.#word === null) return null
    this.#cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), CATCH_UP_MS), () => {
      this.#word = null
    })
    return this.#word
  }

  hear(payload: Uint8Array): void {
    if (Buffer.from(payload).toString('latin1') !== this.#word) return
    this.#cancel()
    this.#word = null
  }

  /** The connection is gone: what is still on its way through the box is as old as it was. */
  stop(): void {
    this.#cancel()
  }
}
