/** A machine that does not go down when it is told to: a laptop that plays a venue box stays on. */
import type { Log } from '../../runtime/ports/log.js'
import type { PowerSwitch } from '../../runtime/ports/power-switch.js'

export class SimulatedPowerSwitch implements PowerSwitch {
  readonly #log: Log
  /** How often it was told to. */
  count = 0

  constructor(log: Log) {
    this.#log = log
  }

  async shutDown(): Promise<void> {
    this.count++
    this.#log.warn('power.switched-off', { isSimulated: true })
  }
}
