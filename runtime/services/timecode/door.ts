import { BoxError, messageOf } from '../../core/errors.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'

const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 15_000
/** What was open so long worked: it may be told of, and opened soon, when it is lost. */
const LASTED_MS = 10_000

export interface Openable {
  /** Throws DeviceError. */
  open(): Promise<void>
  close(): Promise<void>
}

/** Keeps something open: tries again, the later the longer it has not worked. */
export class Door {
  readonly #clock: Clock
  readonly #log: Log
  readonly #kind: string
  readonly #what: Openable
  #trouble: string | null = null
  #opening: Promise<void> = Promise.resolve()
  #retryMs = RETRY_MS_MIN
  #cancelRetry: Cancel = () => {}
  #isOpen = false
  #openedAt: MonotonicMs | null = null
  /** Why it was not open, as the log was told. */
  #told: string | null = null
  #isClosed = false

  /** @param kind for the log: what is opened */
  constructor(clock: Clock, log: Log, kind: string, what: Openable) {
    this.#clock = clock
    this.#log = log
    this.#kind = kind
    this.#what = what
  }

  /** Why it is not open; null when it is. */
  get trouble(): string | null {
    return this.#trouble
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  open(): void {
    this.#isClosed = false
    this.#opening = this.#try()
  }

  /** It was open, and is gone: it is opened again, but not at once. */
  lose(why: Error): void {
    this.#isOpen = false
    if (this.#isClosed) return
    const now = this.#clock.monotonicMs()
    if (this.#openedAt !== null && now - this.#openedAt >= LASTED_MS) {
      this.#retryMs = RETRY_MS_MIN
      this.#told = null
    }
    this.#openedAt = null
    const trouble = messageOf(why).slice(0, 256)
    if (trouble !== this.#told)
      this.#log.warn('timecode.link-lost', { kind: this.#kind, error: trouble })
    this.#told = trouble
    this.#trouble = trouble
    this.#cancelRetry()
    this.#cancelRetry = this.#clock.runAt(after(now, this.#retryMs), () => {
      this.#opening = this.#try()
    })
    this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#isOpen = false
    this.#cancelRetry()
    // Whoever opens it next must find it closed.
    await this.#opening
    await this.#what.close()
  }

  async #try(): Promise<void> {
    try {
      await this.#what.open()
      this.#isOpen = true
      this.#openedAt = this.#clock.monotonicMs()
      this.#trouble = null
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.lose(error)
    }
  }
}
