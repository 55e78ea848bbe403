/**
 * Certificates that run out while their clients are connected. TLS asks for the day once, when a client comes, and not
 * even then when it resumes an earlier session.
 *
 * The day is a matter of the wall clock, which a box without a battery does not know at first, and which may be set at
 * any time. So nothing is planned ahead: every two seconds the clock is asked anew, and two rules keep it from throwing
 * out a whole venue. Only the end of a certificate counts, so a clock that is behind throws out nobody. And a clock by
 * which the tour's authority itself is not valid, yet or any more, is wrong itself, and throws out nobody either.
 */
import { repeat } from '../../core/repeat.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Certificate, Lifetime } from './certificate.js'

const EVERY_MS = 2_000

export class Expiry {
  readonly #clock: Clock
  readonly #log: Log
  /** Of whom a client's certificate may be signed by. */
  readonly #authorities: readonly Lifetime[]
  #isDoubted = false
  #cancel: Cancel = () => {}

  constructor(clock: Clock, log: Log, authorities: readonly Lifetime[]) {
    this.#clock = clock
    this.#log = log
    this.#authorities = authorities
  }

  /** @param onLook called every two seconds, to ask `overdueMs` of whoever is connected */
  start(onLook: () => void): void {
    this.#weighClock()
    this.#cancel = repeat(this.#clock, EVERY_MS, async () => {
      this.#weighClock()
      onLook()
    })
  }

  stop(): void {
    this.#cancel()
  }

  /** How long ago it ran out; null when it has not, or when the clock cannot be believed. */
  overdueMs({ validTo }: Pick<Certificate, 'validTo'>): number | null {
    const now = this.#clock.wallTimeMs()
    return validTo !== null && now >= validTo && this.#isBelievable() ? now - validTo : null
  }

  #isBelievable(): boolean {
    const now = this.#clock.wallTimeMs()
    return this.#authorities.some(({ from, to }) => now >= from && now < to)
  }

  #weighClock(): void {
    const isDoubted = !this.#isBelievable()
    if (isDoubted && !this.#isDoubted)
      this.#log.warn('broker.clock-doubted', {
        message:
          'by the clock of this box the authority of the tour is not valid: set the clock, or renew the authority; until then nobody is cut off because a certificate has run out',
      })
    this.#isDoubted = isDoubted
  }
}
