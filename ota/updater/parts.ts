/** What the updater works with. Each is a small window onto a part that has its own tests. */
import type { otaState } from '../../runtime/core/ota-topics.js'
import type { Of } from '../../runtime/core/schema.js'
import type { ReleaseDescription } from '../release/description.js'
import type { BoxView, RunningRelease } from './criteria.js'
import type { OsLook } from './os-parts.js'
import type { HeardWord, VenueWord } from './venue-switch.js'

export type OtaState = Readonly<Of<typeof otaState>>

/** A look at the repository. */
export interface OrderLook {
  /** False: what was known before is still all that is known. */
  readonly isFresh: boolean
  /** For people: what was found, or why nothing was. */
  readonly words: string
  /** What the tour orders this box to run; null when it orders nothing that can be believed. */
  readonly order: Order | null
  /** Of the operating system; absent where none is looked for. */
  readonly os?: OsLook
}

export interface Order {
  readonly description: ReleaseDescription
  /** Whether the boxes of a venue switch together. */
  readonly isTogether: boolean
  /** False: all is signed, but the box does not know the time, so it may be of the past. */
  readonly isTimeKnown: boolean
}

export interface Orders {
  /** Asks every source that can be reached. Never throws for what a source says. */
  look(): Promise<OrderLook>
  /** What an earlier look has left on the disk, without asking anybody; null: nothing. */
  recall(): Promise<OrderLook | null>
}

/** What is known of the repository. */
export interface Looked {
  readonly look: OrderLook | null
  /** When the repository was looked at, by the date of the box; null: not since the start, so `look` is from before it. */
  readonly wallMs: number | null
}

export interface TransferProgress {
  readonly phase: 'fetching' | 'writing'
  readonly doneBytes: number
  readonly allBytes: number
  readonly uplinkBytes: number
  readonly peerBytes: number
  readonly stickBytes: number
}

/** Of the state that a release keeps, as its `release.json` says. */
export interface StateFormats {
  readonly config: number
  readonly store: number
}

export interface SlotView {
  readonly slot: 'a' | 'b' | null
  /** For whoever looks; null on a box without slots. */
  readonly contents: OtaState['slots']
  readonly running: RunningRelease | null
  readonly previous: RunningRelease | null
  /** Verified in the other slot, and not started yet. */
  readonly prepared: RunningRelease | null
  readonly isOnTrial: boolean
  /** Something else than what runs is to be started next, and the launcher has not been told. */
  readonly isRestartDue: boolean
  /** What the running release reads, and what the prepared one writes; null where one of them does not say. */
  readonly formats: { readonly running: StateFormats; readonly prepared: StateFormats } | null
  readonly floor: string | null
  readonly refused: readonly {
    readonly digest: string
    readonly version: string
    readonly why: string
  }[]
  /** What is wrong with the slots themselves, for people; null: nothing. */
  readonly trouble: string | null
}

export interface SlotWork {
  view(): Promise<SlotView>
  /** Fetches and writes a release into the other slot, and verifies it. Goes on where it was interrupted. */
  prepare(
    description: ReleaseDescription,
    tell: (progress: TransferProgress) => void,
    isCancelled: () => boolean,
  ): Promise<void>
  /** The prepared release is what is started next, on trial. */
  activate(): Promise<void>
  /** No, it is not. */
  withdraw(): Promise<void>
  markGood(): Promise<void>
  /** The launcher that the good release brings. */
  takeLauncher(): Promise<void>
  rollBack(reason: string): Promise<void>
  clear(digest: string): Promise<void>
  /** Bytes that a release may take: what is free, and what gives way to it; null where nobody can tell. */
  roomBytes(): Promise<number | null>
}

/** What the launcher is told. */
export interface LauncherLink {
  gate(unmet: readonly string[], deadlineMs: number): void
  passed(): void
  restart(why: string): void
}

export interface BoxLink {
  /** As it was heard last. Null while the box cannot be asked. */
  view(): Promise<BoxView | null>
  /** As it is now. Null while the box cannot be asked. */
  look(): Promise<BoxView | null>
  /** How it is under this release, for the gate of the next one. */
  remember(): Promise<void>
  /**
   * What the gate of a trial still waits for, in words; none: passed.
   * @param isHubSeen null: it need not be
   */
  gate(isHubSeen: boolean | null): Promise<readonly string[]>
  /** On the venue's timeline, and how far that may be off; null while the box cannot be asked. */
  showTime(): Promise<{ readonly nowMs: number; readonly errorMs: number } | null>
  /** For people: that nobody has heard it for a minute or more; null while it answers. */
  silence(): string | null
  /** For MQTT, the page and the metrics. Never throws. */
  tell(state: OtaState): Promise<void>
}

export interface VenueVoice {
  /** Whether the others could be heard at this moment. */
  isOpen(): boolean
  /** Of those that were heard, newest words only. */
  heard(): ReadonlyMap<string, HeardWord>
  say(word: VenueWord): void
}
