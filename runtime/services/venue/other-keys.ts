/**
 * Who speaks as a box of a venue does, and with another key: mostly a box whose key file was forgotten. It is told of in
 * words, on both sides, for as long as it speaks. Anybody can cause that, so it is one sentence, and seldom a line of log.
 */
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'

/** A box speaks ten times a second: whoever is heard less often is none. */
const WORDS_MIN = 10
/** Who is silent for so long is gone, or has been mended. */
const FORGET_MS = 5_000
const SPEAKERS_MAX = 3
/** Between two lines of the log, whoever speaks. */
const LOG_EVERY_MS = 60_000

interface Speaker {
  words: number
  heardAt: MonotonicMs
}

export class OtherKeys {
  readonly #clock: Clock
  readonly #log: Log
  /** By address. */
  readonly #speakers = new Map<string, Speaker>()
  #loggedAt: MonotonicMs | null = null

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  note(from: string): void {
    this.#forget()
    const speaker = this.#speakers.get(from) ?? { words: 0, heardAt: this.#clock.monotonicMs() }
    if (!this.#speakers.has(from) && this.#speakers.size >= SPEAKERS_MAX) return
    this.#speakers.set(from, speaker)
    speaker.words++
    speaker.heardAt = this.#clock.monotonicMs()
    if (speaker.words === WORDS_MIN) this.#tell(from)
  }

  /** In words; null while nobody does. */
  get trouble(): string | null {
    this.#forget()
    const addresses = [...this.#speakers]
      .filter(([, { words }]) => words >= WORDS_MIN)
      .map(([address]) => address)
    if (addresses.length === 0) return null
    const who = `${addresses.join(', ')} ${addresses.length === 1 ? 'speaks' : 'speak'}`
    return `${who} with another venue key, or for another tour: compare the key file`
  }

  #tell(from: string): void {
    const now = this.#clock.monotonicMs()
    if (this.#loggedAt !== null && now < after(this.#loggedAt, LOG_EVERY_MS)) return
    this.#loggedAt = now
    this.#log.warn('venue.other-key', { from })
  }

  #forget(): void {
    const now = this.#clock.monotonicMs()
    for (const [address, { heardAt }] of this.#speakers)
      if (now > after(heardAt, FORGET_MS)) this.#speakers.delete(address)
  }
}
