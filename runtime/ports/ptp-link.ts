import type { Cancel, MonotonicMs } from './clock.js'

/** PTP has two ports: one for messages whose moment counts, one for the others. IEEE 1588-2008 annex D.2. */
export type PtpPort = 'event' | 'general'

/** One network interface, as PTP uses it. */
export interface PtpLink {
  /** Of the interface: `eth0`. */
  readonly interfaceName: string
  /** Six bytes. */
  readonly hardwareAddress: Uint8Array
  /** Of IPv4, dotted; null before it was opened. */
  readonly address: string | null
  /** Whose stamps they are: the kernel's, or this program's own, which are later by what the machine is busy with. */
  readonly stamps: 'kernel' | 'program'
  /** @throws DeviceError `device.absent` without such an interface, `device.denied` without the right to its ports */
  open(): Promise<void>
  close(): Promise<void>
  /**
   * Sends to the group of PTP, or to one address.
   * @param address of IPv4; null for the group
   * @returns when it left, or when it was handed over where the kernel does not tell; for the general port, about then.
   * Rejects with a DeviceError when it did not leave.
   */
  send(message: Uint8Array, port: PtpPort, address: string | null): Promise<MonotonicMs>
  onMessage(listener: (received: PtpReceived) => void): Cancel
  /** The interface is gone or was turned off. The link is closed then, and may be opened again. */
  onLost(listener: (why: Error) => void): Cancel
}

export interface PtpReceived {
  readonly message: Uint8Array
  /** When it arrived. */
  readonly at: MonotonicMs
  /** The sender's address. */
  readonly from: string
  readonly port: PtpPort
}
