import type { Cancel, MonotonicMs } from './clock.js'
import type { Fired, StampSource } from './host.js'

/** What a service may ask of a device, whatever chip is behind it. */
export interface Device {
  /** The name given in the box's config, e.g. `front-wash`. */
  readonly name: string
  /**
   * Finds the chip, proves that it answers and puts every output in its safe state, assuming that the last process
   * died in mid-action. Called again after a fault. Throws DeviceError.
   */
  start(): Promise<void>
  /** Leaves outputs in their safe state and lets go of the hardware. Safe to call twice, and after a failed start. */
  stop(): Promise<void>
  /** Hears of a fault that happens between `start` and `stop`. The owner stops and starts the device again. */
  onFault(listener: (fault: Error) => void): Cancel
}

/** One or more channels of light. */
export interface Light extends Device {
  readonly channelCount: number
  /** False for lamps that are only on (level >= 0.5) or off. */
  readonly isDimmable: boolean
  /** How long before the moment the command must leave so that the light changes at the moment. 0..2000 */
  readonly leadMs: number
  /**
   * From `at` on the channels show `levels` (0..1, perceived brightness; one per channel).
   * Calls come in order of `at`. A moment in the past means at once.
   */
  apply(levels: readonly number[], at: MonotonicMs): void
  /** Forgets every `apply` that has not happened yet. */
  cancelPlanned(): void
  /** Hears of each change of the output, with its lateness. */
  onApplied(listener: (fired: Fired) => void): Cancel
  /** Dark at once by the shortest path the hardware has (output-enable pin, power relay); until `restore`. */
  blackout(): void
  /** Takes the hardware blackout back; levels are then what was last applied. */
  restore(): void
}

export type InputKind = 'press' | 'release' | 'long-press'

export interface InputEvent {
  readonly kind: InputKind
  readonly at: MonotonicMs
  readonly source: StampSource
}

/** A button, a footswitch, a contact. */
export interface Input extends Device {
  isActive(): boolean
  onEvent(listener: (event: InputEvent) => void): Cancel
}

/** A shutter that was opened, or that was asked for and could not be. */
export interface Capture {
  readonly shotId: string
  readonly plannedMs: MonotonicMs
  /** When the shutter contact closed; null when the shot was refused. */
  readonly closedMs: MonotonicMs | null
  readonly source: StampSource
  /** Half the width of the interval that holds the true moment. */
  readonly uncertaintyMs: number
  /** When the camera's sync contact answered, or null. */
  readonly syncMs: MonotonicMs | null
  /** Why there is no picture: too soon after the last one, device faulty, cancelled. Null when it was taken. */
  readonly refused: 'min-gap' | 'faulty' | 'cancelled' | null
}

/** A camera's focus and shutter contacts. */
export interface CaptureTrigger extends Device {
  /** How long before the moment `capture` must be called so that focus and lag fit in. */
  readonly leadMs: number
  /** Closes the shutter contact at `at`, after the focus contact where there is one. */
  capture(shotId: string, at: MonotonicMs): Cancel
  onCapture(listener: (capture: Capture) => void): Cancel
}
