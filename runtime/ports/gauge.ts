import type { Cancel, MonotonicMs } from './clock.js'
import type { Device } from './devices.js'

/** What a gauge knows of one battery pack at one moment. Null: unknown, which is never the same as zero. */
export interface GaugeReading {
  readonly at: MonotonicMs
  /** Of the whole pack: all cells in series. */
  readonly millivolts: number | null
  /** Into the pack is positive: charging. Out of it is negative: discharging. */
  readonly milliamps: number | null
  /** The gauge's own estimate of the charge as it tells it; may exceed 100. */
  readonly percent: number | null
  readonly celsius: number | null
  readonly remainingMilliampHours: number | null
  readonly fullMilliampHours: number | null
  /** Whether power comes from outside: mains, a charger, USB. */
  readonly isExternal: boolean | null
  readonly isCharging: boolean | null
  /** The gauge's own estimate of the time until the pack is empty. */
  readonly secondsToEmpty: number | null
  /** Since the last reading the gauge has forgotten what it knew: a new pack, or a chip that was reset. */
  readonly wasReset: boolean
  /** What kept values from being known, or is to be said against them, for the log. */
  readonly troubles: readonly GaugeTrouble[]
}

/**
 * A value stuck at one spot, all ones; a chip that lost its settings; a reading not ready. `overflow`: a current that the
 * chip could not work out, or one at the end of its range, which is told as the least that it is. `unfamiliar`: a chip
 * with a version that nobody knows, read as its family is; said once.
 */
export type GaugeTrouble =
  | 'stuck'
  | 'overflow'
  | 'implausible'
  | 'reset'
  | 'not-ready'
  | 'no-pack'
  | 'unfamiliar'

/** Measures one pack or several. */
export interface Gauge extends Device {
  /** Readings come in this order. 1..4 */
  readonly packCount: number
  /** Asks the chip. Throws DeviceError; the owner then reports a fault by itself. */
  read(): Promise<readonly GaugeReading[]>
  /** Hears at once when power from outside comes or goes, where a line tells it. */
  onExternal(listener: (isExternal: boolean, at: MonotonicMs) => void): Cancel
  /**
   * Arms the cut of the board's power, some seconds after the machine has gone down.
   * @returns false when the board cannot cut its power
   */
  cutPower(): Promise<boolean>
}
