/** What the updater of operating systems is asked by its neighbour, and what it works with. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { Log } from '../../runtime/ports/log.js'
import type { OsDescription } from '../os/os-description.js'
import type { OsSystem } from '../os/os-system.js'
import type { OsSource } from '../os/os-writer.js'
import type { Asked } from './asked.js'
import type { BoxView } from './criteria.js'
import type { Holds } from './holds.js'
import type { OsVoice } from './os-word.js'
import type { BoxLink, OrderLook, OtaState, SlotView, TransferProgress } from './parts.js'
import type { UpdaterConfig } from './updater-config.js'

export type OsReport = NonNullable<OtaState['os']>

/** What a look at the repository has found for this board. */
export interface OsLook {
  /** For people: what was found, or why nothing was. */
  readonly words: string
  /** What the tour orders this board to run; null: nothing that can be believed. */
  readonly order: OsOrdered | null
  /** The box has not said yet on which board it runs: to be looked again when it has. */
  readonly isBoardUnknown: boolean
}

export interface OsOrdered {
  readonly description: OsDescription
  /** False: all is signed, but the box does not know the time, so it may be of the past. */
  readonly isTimeKnown: boolean
}

/** How things are in a turn of the updater. */
export interface OsSight {
  readonly slots: SlotView
  /** Null while the box cannot be asked. */
  readonly box: BoxView | null
  /** Null before the first. */
  readonly look: OrderLook | null
}

/** The part beside the updater of releases, which gives it its turns: so that never two things are begun at once. */
export interface OsTurns {
  /** What takes long goes on beside. Never throws but for a bug. */
  turn(sight: OsSight): Promise<void>
  /** Why no release is tried now; null: because of the operating systems one may be. Undefined: no system is updated here. */
  whyNoAppTrial(): string | null | undefined
  report(): OsReport
}

/** The transfer objects of a system. */
export interface OsObjects {
  /**
   * Brings them to the disk, what is there already apart. Resolves with the images that they unpack to.
   * @throws BoxError `fetch.unavailable`, `fetch.cancelled`, `storage.full`, `storage.io`
   */
  bring(
    description: OsDescription,
    tell: (progress: TransferProgress) => void,
    isCancelled: () => boolean,
  ): Promise<OsSource>
  /** They are wanted no longer. */
  drop(): Promise<void>
  /** Bytes that a system may take: what is free, and what it has or that gives way to it; null where nobody can tell. */
  roomBytes(): Promise<number | null>
}

export interface OsUpdaterPorts {
  readonly clock: Clock
  readonly log: Log
  readonly keys: Keys
  readonly system: OsSystem
  readonly objects: OsObjects
  readonly box: Pick<BoxLink, 'look' | 'remember' | 'gate'>
  readonly holds: Holds
  /** Of its own. */
  readonly asked: Asked
  /** To the other boxes of the venue; null for a box that is not told of others. */
  readonly voice: OsVoice | null
  /** Looks at the repository again. */
  readonly lookAgain: () => void
}

export interface OsUpdaterOptions {
  readonly config: UpdaterConfig
  /** Of Roadcase, as it runs. */
  readonly version: string
  readonly architecture: string
}
