import type { Cancel, MonotonicMs } from './clock.js'

/** PTP spoken by another program on one network interface, which only follows and leaves all clocks alone. */
export interface PtpDaemon {
  /** Of the interface: `eth0`. */
  readonly interfaceName: string
  /** Six bytes. */
  readonly hardwareAddress: Uint8Array
  /** Of IPv4, dotted; null before it was opened. */
  readonly address: string | null
  readonly stamps: 'hardware' | 'kernel'
  /** @throws DeviceError `device.absent` without the program or such an interface */
  open(): Promise<void>
  close(): Promise<void>
  /** Some times a second, whether there is anything new or not. */
  onReading(listener: (reading: PtpReading) => void): Cancel
  /** The program has ended, or says nothing any more. It may be opened again. */
  onLost(listener: (why: Error) => void): Cancel
}

export interface PtpReading {
  /** Null while nobody is followed. */
  readonly leader: PtpLeader | null
  /** Of the last Sync; null before there was one. */
  readonly measured: PtpMeasured | null
}

export interface PtpLeader {
  readonly parent: { readonly clock: string; readonly port: number }
  readonly grandmaster: {
    readonly identity: string
    readonly priority1: number
    readonly clockClass: number
    readonly accuracy: number
    readonly variance: number
    readonly priority2: number
  }
  readonly stepsRemoved: number
}

export interface PtpMeasured {
  /** When it arrived. */
  readonly at: MonotonicMs
  /** What the leader showed then. */
  readonly masterNs: bigint
  /** One direction. */
  readonly pathDelayNs: number
}
