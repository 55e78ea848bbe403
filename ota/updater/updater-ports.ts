/** What the updater is made of. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Asked } from './asked.js'
import type { CriteriaView } from './criteria.js'
import type { Holds } from './holds.js'
import type { OsTurns } from './os-parts.js'
import type { BoxLink, LauncherLink, Orders, SlotWork } from './parts.js'
import type { Together } from './together.js'
import type { UpdaterConfig } from './updater-config.js'

export interface UpdaterPorts {
  readonly clock: Clock
  readonly log: Log
  readonly orders: Orders
  readonly slots: SlotWork
  readonly launcher: LauncherLink
  readonly box: BoxLink
  readonly holds: Holds
  readonly asked: Asked
  /** Null for a box that is not told of others. */
  readonly together: Together | null
  /** Absent where nobody asks for operating systems. */
  readonly os?: OsTurns
  readonly fleet: (digest: string | null) => CriteriaView['fleet']
}

export interface UpdaterOptions {
  readonly config: UpdaterConfig
  readonly version: string
  readonly architecture: string
  /** First look after the start, so that a venue does not ask all at once; 0..1 of a minute. */
  readonly chance: number
}
