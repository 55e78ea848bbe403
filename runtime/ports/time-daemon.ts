import type { Cancel } from './clock.js'

/** What the machine has of a time service of its own. */
export type DaemonFound =
  | { readonly kind: 'absent' }
  /** It runs, and somebody else has set it up. */
  | { readonly kind: 'foreign' }
  | {
      readonly kind: 'installed'
      /** `[4, 3]` */
      readonly version: readonly [number, number]
      readonly hasNts: boolean
      /** Whether the box may, and should, let it set the system's date. */
      readonly maySetSystem: boolean
    }

/** Where the daemon keeps what is its own. */
export interface DaemonPlaces {
  readonly socket: string
  readonly pidFile: string
  readonly driftFile: string
  readonly cookieFolder: string
}

/** chrony: a program that keeps the system's date right, and serves it. */
export interface TimeDaemon {
  find(): Promise<DaemonFound>
  /**
   * Starts it, and ends one that an earlier life of the box has left.
   * @param render the lines of its configuration
   * @throws DeviceError when it does not begin to answer
   */
  start(render: (places: DaemonPlaces) => readonly string[], setsSystem: boolean): Promise<void>
  /** Ends what `start` started; also after it ended by itself. */
  stop(): Promise<void>
  /** It ended without being told to: why, in its own words. */
  onEnded(listener: (why: string) => void): Cancel
  /** A line that it says to people, which begins with the date. */
  onSaid(listener: (line: string) => void): Cancel
  /**
   * Asks it one thing, as chronyc does.
   * @returns lines of values @throws DeviceError `device.timeout`, `device.io`
   */
  ask(question: DaemonQuestion): Promise<readonly (readonly string[])[]>
  /**
   * Tells it the date, as a person knows it; it sets the system's where it may.
   * @param wallSeconds whole seconds since 1970, which it is now
   * @param local directive by which it serves that from now on; null: it serves nobody
   * @throws DeviceError `device.timeout` where it does not take it
   */
  setDate(wallSeconds: number, local: string | null): Promise<void>
}

/** Of chronyc(1). `offline` and `online`: whether it asks its sources. `makestep`: sets the system's date to what it has found. */
export type DaemonQuestion =
  | 'tracking'
  | 'sources'
  | 'authdata'
  | 'serverstats'
  | 'offline'
  | 'online'
  | 'makestep'
