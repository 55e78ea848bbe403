/** Reads both slots from the card now and then, slowly, so that one that rots is known before it is needed. */
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { SlotAgent } from '../slots/slot-agent.js'
import { slotNames } from '../slots/slot-state.js'

const EVERY_MS = 6 * 3_600_000
/** After each file: a box of the evening notices nothing of it. */
const PAUSE_MS = 40

export class Audit implements Service {
  readonly name = 'audit'
  readonly #clock: Clock
  readonly #log: Log
  readonly #agent: Pick<SlotAgent, 'audit'>
  #cancel: Cancel = () => {}

  constructor(clock: Clock, log: Log, agent: Pick<SlotAgent, 'audit'>) {
    this.#clock = clock
    this.#log = log
    this.#agent = agent
  }

  async start(): Promise<void> {
    this.#cancel = repeat(this.#clock, EVERY_MS, () => this.#look())
  }

  async stop(): Promise<void> {
    this.#cancel()
  }

  async #look(): Promise<void> {
    for (const slot of slotNames) {
      const problem = await this.#agent
        .audit(slot, () => wait(this.#clock, PAUSE_MS))
        .catch((error: unknown) => {
          this.#log.warn('ota.audit-failed', { slot, error })
          return null
        })
      if (problem === null) this.#log.info('ota.audited', { slot })
    }
  }
}
