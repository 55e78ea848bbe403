/** A show after all checks: every name resolved, every duration in milliseconds. Immutable; known by its digest. */
import type { TempoChange } from '../../core/beat-grid.js'
import type { HttpRequest } from '../../ports/network.js'
import type { Curve } from './curves.js'
import type { LatePolicy, ShowDocument } from './format.js'
import type { InputWord } from './words.js'

export type LightKind = 'switch' | 'dimmer' | 'rgb' | 'rgbw'

/** How many levels make one output: an rgb output has three, whatever number of fixtures repeat them. */
export const componentCounts: Readonly<Record<LightKind, number>> = {
  switch: 1,
  dimmer: 1,
  rgb: 3,
  rgbw: 4,
}

/** What an output shows: one number 0..1 per component, perceived brightness. */
export type Components = readonly number[]

export interface Output {
  /** Its place in `CheckedShow.outputs`, which is sorted by name. */
  readonly index: number
  readonly name: string
  readonly kind: LightKind
  /** Where its components begin in `Levels`. */
  readonly offset: number
  readonly componentCount: number
  /** Null for the box that runs the show. */
  readonly box: string | null
  readonly device: string
  /** Null for all channels that the device has. */
  readonly channels: { readonly first: number; readonly last: number } | null
  /** What it shows before any cue. */
  readonly home: Components
  /** No component ever exceeds it. 0..1 */
  readonly max: number
  /** Where it goes when the leading box is lost; null to go on as it is. */
  readonly lost: {
    readonly holdMs: number
    readonly fadeMs: number
    readonly to: Components
  } | null
}

export interface CapturePatch {
  readonly name: string
  readonly box: string | null
  readonly device: string
  readonly count: number
  readonly everyMs: number
}

/** What one output shall show. */
export interface Aim {
  readonly output: number
  readonly to: Components
}

/** One output of one cue; `to` is null where the cue's chase drives it. */
export interface CueAim {
  readonly output: number
  readonly to: Components | null
  readonly delayMs: number
}

export interface Chase {
  readonly periodMs: number
  readonly stepMs: number
  readonly phase: 'start' | 'shared'
  /** How long one step takes to become the next, at most `stepMs`. */
  readonly fadeMs: number
  /** Counted from the cue; then it stays where it is. Null until another cue takes the output. */
  readonly untilMs: number | null
  /** By output, one entry per step. */
  readonly steps: ReadonlyMap<number, readonly Components[]>
}

export type Action =
  | {
      readonly kind: 'capture'
      readonly atMs: number
      readonly capture: string
      readonly box: string | null
      readonly device: string
      readonly count: number
      readonly everyMs: number
    }
  | {
      readonly kind: 'mqtt'
      readonly atMs: number
      readonly topic: string
      readonly payload: string
      readonly qos: 0 | 1
      readonly isRetained: boolean
    }
  | { readonly kind: 'http'; readonly atMs: number; readonly request: HttpRequest }
  | {
      readonly kind: 'print'
      readonly atMs: number
      /** Null for whichever box runs the show. */
      readonly box: string | null
      /** Null for the first one of the box. */
      readonly printer: string | null
      readonly template: string
      readonly fields: Readonly<Record<string, string>>
      /** Null for what the template says. */
      readonly jobKind: 'redeemable' | 'receipt' | null
      readonly expiresMs: number | null
    }

export interface Cue {
  readonly id: string
  readonly name: string
  readonly index: number
  readonly aims: readonly CueAim[]
  readonly upMs: number
  readonly downMs: number
  readonly curve: Curve
  /** From the cue's beginning to the end of its longest fade, delays included. */
  readonly fadeMs: number
  readonly chase: Chase | null
  readonly follow: { readonly afterMs: number; readonly cue: string } | null
  /** UTC milliseconds at which an armed show fires it by itself. */
  readonly atWallMs: number | null
  readonly late: LatePolicy
  /** Undefined where it leaves the tempo alone; null ends it. */
  readonly tempo: TempoChange | null | undefined
  /** What GO runs after it; null at the end of the show. */
  readonly next: string | null
  readonly actions: readonly Action[]
  /** From the cue's beginning to its last action. */
  readonly actionsMs: number
}

export type TriggerDeed =
  | { readonly kind: 'next' | 'back' | 'panic' | 'release' | 'blackout' }
  | { readonly kind: 'cue'; readonly cue: string }
  | { readonly kind: 'scene'; readonly scene: string }

/** A message of exactly this topic; its payload is this text, or a JSON object that holds these values, or any. */
export interface HeardMessage {
  readonly topic: string
  readonly payload: string | null
  readonly json: Readonly<Record<string, string | number | boolean>> | null
}

export type TriggerCause =
  | ({ readonly kind: 'input' } & InputWord)
  | ({ readonly kind: 'mqtt' } & HeardMessage)
  /** The text of a label; which frame that is depends on the rate of the source. */
  | { readonly kind: 'timecode'; readonly position: string }

export interface Trigger {
  readonly on: TriggerCause
  readonly deed: TriggerDeed
  /** Further presses within this time of the last one that counted are ignored. */
  readonly holdOffMs: number
}

export interface CheckedShow {
  readonly name: string
  /** SHA-256 of the canonical document, lower-case hexadecimal. */
  readonly digest: string
  /** Sorted by name, so that indices mean the same for the same digest. */
  readonly outputs: readonly Output[]
  /** How many numbers `Levels` has. */
  readonly componentCount: number
  readonly groups: ReadonlyMap<string, readonly Output[]>
  readonly captures: ReadonlyMap<string, CapturePatch>
  readonly scenes: ReadonlyMap<string, readonly Aim[]>
  /** In the order of the document. */
  readonly cues: readonly Cue[]
  readonly cuesById: ReadonlyMap<string, Cue>
  readonly triggers: readonly Trigger[]
  readonly panic: {
    /** One entry per output: dark where the panic scene does not name it. */
    readonly levels: readonly Components[]
    readonly isDark: boolean
    readonly fadeMs: number
    readonly releaseMs: number
  }
  /** Null: as the box is set up. */
  readonly leadMs: number | null
  /** Suspicious but allowed: a cue that no GO, follow, clock or trigger reaches. */
  readonly warnings: readonly string[]
  readonly document: ShowDocument
}

/** The outputs that the box itself drives. */
export const ownOutputs = (show: CheckedShow, box: string): readonly Output[] =>
  show.outputs.filter(output => output.box === null || output.box === box)

/** Outputs that a name stands for: one output, or the members of a group; null when there is no such name. */
export function outputsOf(show: CheckedShow, target: string): readonly Output[] | null {
  const group = show.groups.get(target)
  if (group) return group
  const output = show.outputs.find(({ name }) => name === target)
  return output ? [output] : null
}
