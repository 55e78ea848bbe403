import type { MonotonicMs } from './clock.js'

/** Of IPv4. */
export interface NtpAddress {
  readonly address: string
  readonly port: number
}

export interface NtpReceived extends NtpAddress {
  readonly message: Uint8Array
  /** When it arrived: by the kernel's stamp where that can be had, otherwise when it was read. */
  readonly at: MonotonicMs
}

/** One UDP socket, as NTP uses it. */
export interface NtpSocket {
  /** The port it has, also where the kernel chose it. */
  readonly port: number
  /** Hands it over at once, so that a stamp written just before is right. What cannot leave is lost, and told of. */
  send(message: Uint8Array, to: NtpAddress): void
  close(): Promise<void>
}

/** What a socket tells its owner from the moment it is open until it is closed. */
export interface NtpListener {
  received(received: NtpReceived): void
  /** Something could not be sent, or the socket broke. */
  failed(why: Error): void
}

/** The way of this machine to time servers and to those who ask it. */
export interface NtpNetwork {
  /**
   * @param at `0.0.0.0` for every address of this machine; port 0 for any that is free
   * @throws DeviceError `device.denied` without the right to the port, `port.taken` where somebody has it
   */
  open(at: NtpAddress, listener: NtpListener): Promise<NtpSocket>
  /** Addresses of a host, at most sixteen. @throws DeviceError `link.down` where its name leads nowhere */
  resolve(host: string): Promise<readonly string[]>
}
