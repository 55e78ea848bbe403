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

export class Trial {
  readonly #parts: TrialParts
  readonly #gate: UpdaterConfig['gate']
  #sinceMs: number | null = null
  #hasPassed = false
  #unmet: readonly string[] = []

  constructor(parts: TrialParts, gate: UpdaterConfig['gate']) {
    this.#parts = parts
    this.#gate = gate
  }

  get hasPassed(): boolean {
    return this.#hasPassed
  }

  /** What it still waits for, in words. */
  get unmet(): readonly string[] {
    return this.#unmet
  }

  /** @param othersMs how long the others may take once this box has passed; null: there are none */
  async look(othersMs: number | null): Promise<Judgement> {
    const { clock, box, launcher } = this.#parts
    this.#sinceMs ??= clock.monotonicMs()
    if (!this.#hasPassed)
      this.#unmet = await box.gate(this.#gate.needsHub ? this.#parts.seesHub() : null)
    this.#hasPassed = this.#unmet.length === 0
    const deadlineMs = MS_PER_SECOND * this.#gate.deadlineSeconds
    if (!this.#hasPassed && clock.monotonicMs() - this.#sinceMs > deadlineMs) return 'failed'
    const isWaiting = this.#hasPassed && othersMs !== null
    launcher.gate(
      isWaiting ? ['the other boxes of the venue'] : this.#unmet,
      deadlineMs + (isWaiting ? othersMs : 0),
    )
    return this.#hasPassed ? 'passed' : 'waits'
  }

  over(): void {
    this.#sinceMs = null
    this.#hasPassed = false
    this.#unmet = []
  }
}
