/** What this box itself thinks of a release that is on trial: the gate, and the time for it. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { BoxLink, LauncherLink } from './parts.js'
import type { UpdaterConfig } from './updater-config.js'

const MS_PER_SECOND = 1_000

export interface TrialParts {
  readonly clock: Clock
  readonly box: Pick<BoxLink, 'gate'>
  readonly launcher: Pick<LauncherLink, 'gate'>
  /** Whether the repository was reached; looks, if it was not. */
  readonly seesHub: () => boolean
}

export type Judgement = 'waits' | 'passed' | 'failed'

export interface TrialSight {
  /** How long the others may take once this box has passed; null: there are none. */
  readonly othersMs: number | null
  /** A show is armed: nothing is restarted, whatever comes out. */
  readonly isArmed: boolean
}

/** What was well and is not any more may be a hiccup: of a printer without paper, of a box that was asked at a bad moment. */
const BREAK_MS_MAX = 20_000

export class Trial {
  readonly #parts: TrialParts
  readonly #gate: UpdaterConfig['gate']
  #sinceMs: number | null = null
  #hasPassed = false
  /** When a gate that was passed before broke; null while it is passed, and before it ever was. */
  #brokenMs: number | null = null
  #unmet: readonly string[] = []

  constructor(parts: TrialParts, gate: UpdaterConfig['gate']) {
    this.#parts = parts
    this.#gate = gate
  }

  /** As of now: a gate may break again while the others are waited for. */
  get hasPassed(): boolean {
    return this.#hasPassed
  }

  /** What it still waits for, in words. */
  get unmet(): readonly string[] {
    return this.#unmet
  }

  /** Since this process has seen the trial, in milliseconds; 0 when there is none. */
  get ageMs(): number {
    return this.#sinceMs === null ? 0 : this.#parts.clock.monotonicMs() - this.#sinceMs
  }

  async look({ othersMs, isArmed }: TrialSight): Promise<Judgement> {
    const { clock, box } = this.#parts
    this.#sinceMs ??= clock.monotonicMs()
    const unmet = await box.gate(this.#gate.needsHub ? this.#parts.seesHub() : null)
    this.#note(unmet)
    const isOver = this.#isOver()
    this.#unmet =
      isOver && isArmed ? [...unmet, 'a show is armed: until it ends, it runs on'] : unmet
    this.#tellLauncher(isArmed, othersMs)
    if (this.#hasPassed) return 'passed'
    return isOver && !isArmed ? 'failed' : 'waits'
  }

  #note(unmet: readonly string[]): void {
    const isWell = unmet.length === 0
    if (isWell) this.#brokenMs = null
    else if (this.#hasPassed) this.#brokenMs = this.#parts.clock.monotonicMs()
    this.#hasPassed = isWell
  }

  /** Whether it has had its time. */
  #isOver(): boolean {
    if (this.#hasPassed) return false
    if (this.#brokenMs === null) return this.ageMs > this.#deadlineMs
    return this.#parts.clock.monotonicMs() - this.#brokenMs > BREAK_MS_MAX
  }

  /** It ends a trial of which it hears nothing good in time: later, where there is something to wait for. */
  #tellLauncher(isArmed: boolean, othersMs: number | null): void {
    const isWaiting = this.#hasPassed && othersMs !== null
    const moreMs = Math.max(isWaiting ? othersMs : 0, isArmed ? this.ageMs : 0)
    const words = isWaiting ? ['the other boxes of the venue'] : this.#unmet
    this.#parts.launcher.gate(words, this.#deadlineMs + moreMs)
  }

  get #deadlineMs(): number {
    return MS_PER_SECOND * this.#gate.deadlineSeconds
  }

  over(): void {
    this.#sinceMs = null
    this.#hasPassed = false
    this.#brokenMs = null
    this.#unmet = []
  }
}
