/** Brings something to where it is to be started from, beside everything else; tries again, after longer and longer, when that fails. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { ReleaseDescription } from '../release/description.js'
import type { TransferProgress } from './parts.js'

const RETRY_MS_MIN = 15_000
const RETRY_MS_MAX = 30 * 60_000
/** A piece over a thin uplink takes its time. */
const STALLED_SECONDS_MIN = 20

export const digestOf = (release: ReleaseDescription): string => release.manifest.sha256

interface Work {
  isCancelled: boolean
  done: Promise<void>
}

interface Preparing<T> {
  /** Goes on where it was interrupted. */
  prepare(
    wanted: T,
    tell: (progress: TransferProgress) => void,
    isCancelled: () => boolean,
  ): Promise<void>
}

export class Preparation<T extends { readonly version: string } = ReleaseDescription> {
  readonly #clock: Clock
  readonly #log: Log
  readonly #slots: Preparing<T>
  readonly #digestOf: (wanted: T) => string
  #work: Work | null = null
  #digest: string | null = null
  #progress: TransferProgress | null = null
  #trouble: string | null = null
  /** When another byte came, or it began. */
  #cameMs = 0
  #retryAtMs = 0
  #retryMs = RETRY_MS_MIN

  /** @param digestOf what tells one piece of work from another */
  constructor(clock: Clock, log: Log, slots: Preparing<T>, digestOf: (wanted: T) => string) {
    this.#clock = clock
    this.#log = log
    this.#slots = slots
    this.#digestOf = digestOf
  }

  get isRunning(): boolean {
    return this.#work !== null
  }

  get progress(): TransferProgress | null {
    return this.#progress
  }

  /** Why it failed last; null since it succeeded. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** For how long nothing has come of what is fetched; null: for less than is worth a word. */
  get stalledSeconds(): number | null {
    if (this.#work === null || this.#progress?.phase !== 'fetching') return null
    const seconds = Math.floor((this.#clock.monotonicMs() - this.#cameMs) / 1_000)
    return seconds < STALLED_SECONDS_MIN ? null : seconds
  }

  /** Nothing is under way, and nothing that failed has to wait. */
  get mayBegin(): boolean {
    return this.#work === null && this.#clock.monotonicMs() >= this.#retryAtMs
  }

  /** What failed before does not keep the next try waiting. */
  retryNow(): void {
    this.#retryAtMs = 0
  }

  /** Begins, unless it is under way or has to wait. One for another release is ended first. */
  want(description: T): void {
    const digest = this.#digestOf(description)
    if (this.#work !== null) {
      if (this.#digest !== digest) this.#work.isCancelled = true
      return
    }
    if (!this.mayBegin) return
    this.#digest = digest
    const work: Work = { isCancelled: false, done: Promise.resolve() }
    this.#work = work
    work.done = this.#run(description, work)
  }

  /** Resolves when nothing is under way any more. What has come stays, for the next time. */
  async cancel(): Promise<void> {
    if (this.#work === null) return
    this.#work.isCancelled = true
    await this.#work.done
  }

  async #run(description: T, work: Work): Promise<void> {
    this.#cameMs = this.#clock.monotonicMs()
    const tell = (progress: TransferProgress): void => {
      if (progress.doneBytes !== this.#progress?.doneBytes) this.#cameMs = this.#clock.monotonicMs()
      this.#progress = progress
    }
    try {
      await this.#slots.prepare(description, tell, () => work.isCancelled)
      this.#trouble = null
      this.#retryMs = RETRY_MS_MIN
    } catch (error) {
      if (!work.isCancelled) this.#fail(description, error)
    } finally {
      this.#work = null
      this.#progress = null
    }
  }

  #fail({ version }: T, error: unknown): void {
    // A bug ends the process like any other: what is on the disk is none the worse for it.
    if (!(error instanceof BoxError)) throw error
    this.#trouble = `${version} could not be prepared: ${messageOf(error)}`
    this.#retryAtMs = this.#clock.monotonicMs() + this.#retryMs
    this.#log.warn('ota.preparing-failed', { version, retryMs: this.#retryMs, error })
    this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs)
  }
}
