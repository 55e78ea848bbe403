import type { Cancel } from './clock.js'

/** The network between the boxes of a venue: datagrams to all or to one, and long answers from one. */
export interface VenueLink {
  /** Of the interface: `eth0`. */
  readonly interfaceName: string
  /** @throws BoxError `device.absent` without such an interface, `port.taken`, `device.denied` */
  open(): Promise<void>
  close(): Promise<void>
  /**
   * Sends one datagram, or loses it: nobody is told. At most 1400 bytes.
   * @param address null for all boxes
   */
  send(datagram: Uint8Array, address: string | null): void
  /** Asks one box for a long answer. @throws BoxError `link.down`, `link.timeout` */
  request(address: string, question: Uint8Array): Promise<Uint8Array>
  /** Answers what others ask; null is no answer. */
  onRequest(answer: (question: Uint8Array) => Uint8Array | null): Cancel
  onDatagram(listener: (datagram: Uint8Array, from: string) => void): Cancel
  /** The interface is gone or was turned off. The link is closed then, and may be opened again. */
  onLost(listener: (why: Error) => void): Cancel
}
