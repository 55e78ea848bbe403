/** What the power service is made of: everything it needs from outside. */
import type { Bus } from '../../core/bus.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { PowerSwitch } from '../../ports/power-switch.js'
import type { Store } from '../../ports/store.js'
import type { Messages } from '../../topics.js'
import type { PackModel } from './knowledge.js'
import type { PolicyOptions } from './policy.js'

export interface PowerPorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly store: Store
  readonly powerSwitch: PowerSwitch
}

/** As box.json says it. */
export interface PackOptions extends PackModel {
  readonly name: string
  /** Among the gauges, and which of its packs. */
  readonly gauge: string
  readonly channel: number
}

export interface PowerOptions {
  readonly packs: readonly PackOptions[]
  readonly policy: PolicyOptions & {
    readonly shedLightCap: number
    readonly shutdownCellMillivolts: number | null
  }
  /** By the venue's clock, like `23:00`; null: nobody said. */
  readonly showEnds: string | null
  /** An IANA name; null: that of the machine. */
  readonly timeZone: string | null
}
