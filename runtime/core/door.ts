import type { Cancel, Clock, MonotonicMs } from '../ports/clock.js'
import { BoxError, messageOf } from './errors.js'
import { after } from './time.js'

const TROUBLE_LETTERS_MAX = 256
/** What was open so long worked: it may be told of, and opened soon, when it is lost. */
const LASTED_MS = 10_000

export interface Openable {
  /** Throws BoxError or DeviceError. */
  open(): Promise<void>
  /** Also of what was never opened. */
  close(): Promise<void>
}

export interface DoorOptions {
  /** From one try to the next; twice as long each time. */
  readonly retryMsMin: number
  readonly retryMsMax: number
  readonly opened: () => void
  /** Of each reason once, until it worked for a while. */
  readonly failed: (trouble: string) => void
}

/** Keeps something open: tries again, the later the longer it has not worked. */
export class Door {
  readonly #clock: Clock
  readonly #what: Openable
  readonly #options: DoorOptions
  #state: 'closed' | 'opening' | 'open' | 'shut' = 'closed'
  #trouble: string | null = null
  /** What `failed` was told last. */
  #told: string | null = null
  #retryMs: number
  #openedAt: MonotonicMs
  /** It was lost before it was known to be open. */
  #lost: Error | null = null
  #opening: Promise<void> = Promise.resolve()
  #cancelRetry: Cancel = () => {}

  constructor(clock: Clock, what: Openable, options: DoorOptions) {
    this.#clock = clock
    this.#what = what
    this.#options = options
    this.#retryMs = options.retryMsMin
    this.#openedAt = clock.monotonicMs()
  }

  /** Why it is not open, in at most 256 letters; null when it is. */
  get trouble(): string | null {
    return this.#trouble
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  open(): void {
    this.#opening = this.#try()
  }

  /** It was open, and is gone: it is opened again, but not at once. */
  lose(why: Error): void {
    if (this.#state === 'opening') this.#lost = why
    if (this.#state !== 'open') return
    if (this.#clock.monotonicMs() - this.#openedAt >= LASTED_MS) {
      this.#retryMs = this.#options.retryMsMin
      this.#told = null
    }
    this.#later(why)
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#cancelRetry()
    // Whoever opens it next must find it closed.
    await this.#opening
    await this.#what.close()
  }

  async #try(): Promise<void> {
    this.#state = 'opening'
    this.#lost = null
    try {
      await this.#what.open()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#later(error)
      return
    }
    if (this.#isClosed()) return
    this.#state = 'open'
    this.#openedAt = this.#clock.monotonicMs()
    this.#trouble = null
    this.#options.opened()
    if (this.#lost) this.lose(this.#lost)
  }

  #later(why: Error): void {
    if (this.#isClosed()) return
    this.#state = 'shut'
    this.#trouble = messageOf(why).slice(0, TROUBLE_LETTERS_MAX)
    if (this.#trouble !== this.#told) this.#options.failed(this.#trouble)
    this.#told = this.#trouble
    const at = after(this.#clock.monotonicMs(), this.#retryMs)
    this.#cancelRetry = this.#clock.runAt(at, () => this.open())
    this.#retryMs = Math.min(this.#options.retryMsMax, 2 * this.#retryMs)
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }
}
