/**
 * Sees to it that the launcher in place is the one of the release that runs, once that was found good: whoever was killed
 * right after the trial, or met a full card, has another try.
 */
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { SlotAgent } from '../slots/slot-agent.js'

/** The box has its start behind it by then. */
const FIRST_MS = 60_000
const EVERY_MS = 24 * 3_600_000

export class LauncherRenewal implements Service {
  readonly name = 'launcher-renewal'
  readonly #clock: Clock
  readonly #log: Log
  readonly #agent: Pick<SlotAgent, 'status' | 'takeLauncher'>
  #cancels: readonly Cancel[] = []

  constructor(clock: Clock, log: Log, agent: Pick<SlotAgent, 'status' | 'takeLauncher'>) {
    this.#clock = clock
    this.#log = log
    this.#agent = agent
  }

  async start(): Promise<void> {
    const first = after(this.#clock.monotonicMs(), FIRST_MS)
    this.#cancels = [
      this.#clock.runAt(first, () => void this.#look()),
      repeat(this.#clock, EVERY_MS, () => this.#look()),
    ]
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
  }

  async #look(): Promise<void> {
    try {
      const { running, chosen, slots } = await this.#agent.status()
      if (running === null || chosen !== running || slots[running].kind !== 'good') return
      await this.#agent.takeLauncher()
    } catch (error) {
      this.#log.warn('ota.launcher-kept', { error })
    }
  }
}
