/** UDP over IPv4, for what is sent again and again and may be lost. */
import { createSocket, type Socket } from 'node:dgram'
import { DeviceError, messageOf } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Datagram, Datagrams } from '../../runtime/ports/timecode-links.js'
import { deviceErrorOf } from './errno.js'

/** Longer ones are nothing that anybody here waits for. */
const BYTES_MAX = 1_472
const EVERY_ADDRESS = '0.0.0.0'

export class UdpDatagrams implements Datagrams {
  readonly #clock: Clock
  readonly #port: number
  readonly #messages = new Signal<Datagram>()
  #socket: Socket | null = null
  #trouble: string | null = null

  /** @param port 0 lets the kernel choose */
  constructor(clock: Clock, port: number) {
    this.#clock = clock
    this.#port = port
  }

  async open(): Promise<void> {
    if (this.#socket !== null) throw new DeviceError('device.busy', `port ${this.#port} is open`)
    // Asking for the address of an address would put each message off to the next turn of the loop.
    const lookup = (
      address: string,
      _: unknown,
      tell: (error: null, address: string, family: number) => void,
    ): void => tell(null, address, 4)
    const socket = createSocket({ type: 'udp4', reuseAddr: true, lookup })
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.bind({ port: this.#port, address: EVERY_ADDRESS }, resolve)
      })
    } catch (error) {
      socket.close()
      throw deviceErrorOf(`listening on UDP port ${this.#port}`, error)
    }
    socket.removeAllListeners('error')
    socket.setBroadcast(true)
    socket.on('error', error => this.#note(error))
    socket.on('message', (bytes, { address: from }) => {
      const at = this.#clock.monotonicMs()
      if (bytes.length <= BYTES_MAX) this.#messages.emit({ bytes, at, from })
    })
    this.#socket = socket
  }

  send(bytes: Uint8Array, address: string, port: number): void {
    this.#socket?.send(bytes, port, address, error => this.#note(error))
  }

  port(): number {
    return this.#socket?.address().port ?? 0
  }

  onMessage(listener: (datagram: Datagram) => void): Cancel {
    return this.#messages.listen(listener)
  }

  trouble(): string | null {
    return this.#trouble
  }

  async close(): Promise<void> {
    const socket = this.#socket
    this.#socket = null
    if (socket !== null) await new Promise<void>(resolve => socket.close(resolve))
  }

  #note(error: Error | null): void {
    this.#trouble = error === null ? null : messageOf(error)
  }
}
