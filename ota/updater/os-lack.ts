/** A machine that does not say which operating system runs: because it is started in another way, or RAUC has not come up yet. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { OsSystem } from '../os/os-system.js'
import type { UpdaterConfig } from './updater-config.js'

/** What runs may be on trial: nobody judges it before it is known. */
const PENDING_RETRY_MS = 10_000
/** The question starts a program. Services of an image come up in any order, and are started again. */
const RAUC_RETRY_MS = 60_000
/** Of a file that somebody has written in another form. */
const TRYBOOT_RETRY_MS = 300_000
/** A record that nobody can make true any more keeps releases back no longer. */
const HOLDS_BACK_MS = 1_800_000

export class OsLack {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #system: Pick<OsSystem, 'mayBeTrial'>
  readonly #kind: NonNullable<UpdaterConfig['os']>['kind']
  #words: string | null = null
  #sinceMs: MonotonicMs | null = null
  #isPending = false

  /** @param kind of `os` in ota.json */
  constructor(
    ports: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly system: OsSystem },
    kind: NonNullable<UpdaterConfig['os']>['kind'],
  ) {
    this.#clock = ports.clock
    this.#system = ports.system
    this.#kind = kind
  }

  /** Why nothing is known of the machine; null: it has answered. */
  get words(): string | null {
    return this.#words
  }

  /** Why no release is tried meanwhile; undefined: nothing speaks for it that a system is on trial. */
  get whyNoAppTrial(): string | undefined {
    return this.#isPending
      ? `it is not known whether a system is on trial: ${this.#words}`
      : undefined
  }

  /** @returns when to ask again, in milliseconds from now */
  async found(words: string): Promise<number> {
    const nowMs = this.#clock.monotonicMs()
    this.#sinceMs ??= nowMs
    this.#words = words
    const isLong = nowMs - this.#sinceMs >= HOLDS_BACK_MS
    this.#isPending = !isLong && (await this.#system.mayBeTrial().catch(unreadable))
    if (this.#isPending) return PENDING_RETRY_MS
    return this.#kind === 'rauc' ? RAUC_RETRY_MS : TRYBOOT_RETRY_MS
  }

  over(): void {
    this.#words = null
    this.#sinceMs = null
    this.#isPending = false
  }
}

/** It is better to wait than to try two things at once. */
function unreadable(error: unknown): true {
  if (error instanceof BoxError) return true
  throw error
}
