/** How the link to another broker fares; the log hears of each trouble when it begins, and again every ten minutes. */
import { ConfigError, messageOf } from '../../core/errors.js'
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import { explainFailure, type LinkConfig } from './link-failure.js'

const TELL_AGAIN_MS = 600_000

interface Trouble {
  /** `box.broker.url`, and the like. */
  readonly field?: string
  readonly message: string
}

export interface LinkState {
  readonly isConnected: boolean
  /** Since when it is, or is not. */
  readonly since: MonotonicMs
  /** The last one, also when it is over. */
  readonly trouble: { readonly at: MonotonicMs; readonly message: string } | null
}

export class LinkReport {
  readonly #clock: Clock
  readonly #log: Log
  readonly #config: LinkConfig
  #told: { readonly text: string; readonly atMs: MonotonicMs } | null = null
  /** Like the last one, and not told. */
  #untold = 0
  #state: LinkState | null = null

  constructor(clock: Clock, log: Log, config: LinkConfig) {
    this.#clock = clock
    this.#log = log
    this.#config = config
  }

  /** Before the first try. */
  begin(): void {
    this.#note(false, null)
  }

  /** Null before `begin`. */
  state(): LinkState | null {
    return this.#state
  }

  up(isResumed: boolean): void {
    this.#note(true, this.#state?.trouble ?? null)
    this.#log.info('broker.link-up', { url: this.#config.url, isResumed })
  }

  /** @param isSteady it had lasted a while */
  lost(isSteady: boolean): void {
    const message = isSteady
      ? 'the connection broke off'
      : 'the broker broke off as soon as it had answered: is there a second box of this name?'
    this.#tell('broker.link-lost', { message })
  }

  /**
   * @param error null when the connection was closed without a word
   * @param isInTime false when the certificate of this box has run out
   */
  failed(error: unknown, isInTime: boolean): void {
    this.#tell('broker.link-failed', explainFailure(error, this.#config, isInTime))
  }

  /** What the files hold now makes no sense: what they held before is used. */
  spoiled(error: unknown): void {
    const [problem] = error instanceof ConfigError ? error.problems : []
    this.#tell('broker.link-spoiled', {
      field: problem?.path ?? 'box.broker',
      message: problem?.message ?? messageOf(error),
    })
  }

  /** From here on the same trouble is news again. */
  steady(): void {
    this.#told = null
    this.#untold = 0
  }

  #note(isConnected: boolean, trouble: LinkState['trouble']): void {
    const before = this.#state
    const since = before?.isConnected === isConnected ? before.since : this.#clock.monotonicMs()
    this.#state = { isConnected, since, trouble }
  }

  #tell(event: string, facts: Trouble): void {
    const now = this.#clock.monotonicMs()
    const { field, message } = facts
    this.#note(false, { at: now, message: field === undefined ? message : `${field}: ${message}` })
    const text = `${event} ${JSON.stringify(facts)}`
    if (this.#told?.text === text && now < after(this.#told.atMs, TELL_AGAIN_MS)) {
      this.#untold++
      return
    }
    this.#log.warn(event, { url: this.#config.url, ...facts, untold: this.#untold })
    this.#told = { text, atMs: now }
    this.#untold = 0
  }
}
