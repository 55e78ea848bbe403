/** What a show needs of its box. */
import type { Bus } from '../../core/bus.js'
import type { Clock } from '../../ports/clock.js'
import type { Company } from '../../ports/company.js'
import type { CaptureTrigger, Light } from '../../ports/devices.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { Network } from '../../ports/network.js'
import type { Store } from '../../ports/store.js'
import type { Messages, ShowCommand } from '../../topics.js'

export interface ShowPorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly store: Store
  readonly keys: Keys
  readonly network: Network
  /** The other boxes of the venue; null for a box that is alone in it. */
  readonly company: Company<ShowCommand> | null
}

export interface ShowDevices {
  readonly lights: ReadonlyMap<string, Light>
  readonly captures: ReadonlyMap<string, CaptureTrigger>
}

export interface ShowOptions {
  readonly box: string
  /** How far ahead lights are told what to show. 10..5000 */
  readonly planAheadMs: number
  readonly framesPerSecond: number
  /** How far ahead a GO is planned; the show may say otherwise. */
  readonly leadMs: number
}
