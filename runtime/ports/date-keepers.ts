import type { WallTimeMs } from './clock.js'

/** Who else in the machine keeps the date. They are asked and never told. */
export interface DateKeepers {
  /** How far the system's date may be off, as its own time service says; null where none keeps it right. */
  systemErrorMs(): Promise<number | null>
  /** The clock with a battery, to the second; null where there is none, or it has lost its date. */
  rtcMs(): Promise<WallTimeMs | null>
}
