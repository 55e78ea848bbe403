/** Whether the disk keeps what is done. One that failed, or took long, is trusted again once it has been well for a while. */
import type { BoxError } from '../../core/errors.js'
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Answer } from './journal.js'

/** By then whoever asked can still hear from another box that it is kept there. */
const SLOW_MS = 1_500
/** A disk that fails now and then is no better than one that fails. */
const WELL_MS = 30_000

export class Keeping {
  readonly #clock: Clock
  /** The write that is under way. */
  #beganAt: MonotonicMs | null = null
  #isFailing = false
  #illAt: MonotonicMs | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isWell(): boolean {
    if (this.#isFailing || this.#isSlow()) return false
    return this.#illAt === null || this.#clock.monotonicMs() > after(this.#illAt, WELL_MS)
  }

  begin(): void {
    this.#beganAt = this.#clock.monotonicMs()
  }

  end({ isKept }: { readonly isKept: boolean }): void {
    if (!isKept || this.#isSlow()) this.#illAt = this.#clock.monotonicMs()
    this.#isFailing = !isKept
    this.#beganAt = null
  }

  #isSlow(): boolean {
    return this.#beganAt !== null && this.#clock.monotonicMs() > after(this.#beganAt, SLOW_MS)
  }
}

/**
 * An accepted command is one that survives a power cut, so this is not one; but it was carried out, and must not be
 * sent again under another id.
 */
export const notKept = (failure: BoxError): Answer => ({
  isAccepted: false,
  code: failure.code.startsWith('storage.') ? failure.code : 'storage.io',
  message: `done, but not kept over a restart: ${failure.message}`.slice(0, 512),
})
