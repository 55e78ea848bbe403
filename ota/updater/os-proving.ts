/** The gate of releases, for a system on trial. */
import type { OsSystem } from '../os/os-system.js'
import { judgeTrial, type OsVerdict } from '../os/os-trial.js'
import { LastSeen } from './last-seen.js'
import type { OsSight, OsUpdaterPorts } from './os-parts.js'
import { Trial } from './trial.js'
import type { UpdaterConfig } from './updater-config.js'

export class OsProving {
  readonly #system: OsSystem
  readonly #trial: Trial
  readonly #seen: LastSeen
  #isFresh = false

  constructor({ clock, box, system, lookAgain }: OsUpdaterPorts, gate: UpdaterConfig['gate']) {
    this.#system = system
    this.#seen = new LastSeen(clock)
    const seesHub = (): boolean => {
      if (!this.#isFresh) lookAgain()
      return this.#isFresh
    }
    this.#trial = new Trial({ clock, box, launcher: { gate: () => {} }, seesHub }, gate)
  }

  /** What it still waits for, in words. */
  get unmet(): readonly string[] {
    return this.#trial.unmet
  }

  /** @throws BoxError whatever the system throws */
  async look({ box, look }: OsSight): Promise<OsVerdict> {
    this.#isFresh = look?.isFresh ?? false
    const isArmed = this.#seen.of(box)?.isArmed ?? false
    const gate = async () => {
      const judgement = await this.#trial.look({ othersMs: null, isArmed })
      return { judgement, unmet: [`gate: ${this.#trial.unmet.join('; ')}`] }
    }
    const verdict = await judgeTrial(this.#system, gate, isArmed)
    if (verdict !== 'waits') this.#trial.over()
    return verdict
  }
}
