import type { Cancel } from './clock.js'

/** Plays sound: takes samples no faster than they are heard, but for what it holds on the way. */
export interface SoundOut {
  /** Samples a second, as far as its own oscillator is right. */
  readonly rate: number
  /** How many samples lie between the one that was taken last and the one that is heard, when it is full. */
  readonly heldCount: number
  /** Begins with nothing held. @throws DeviceError */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Takes as many as there is room for, now.
   * @param samples of one channel, -1 to 1
   * @returns how many were taken; 0 when it is full
   */
  write(samples: Float32Array): number
  /** It plays no more; another `start` begins anew. */
  onLost(listener: (why: Error) => void): Cancel
}
