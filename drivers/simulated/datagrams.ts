/** A network of UDP made of memory: who is open hears at once what is sent to its port, its own messages included. */
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Datagram, Datagrams } from '../../runtime/ports/timecode-links.js'

export interface Sent {
  readonly bytes: Uint8Array
  readonly atMs: number
  readonly address: string
  readonly port: number
}

const SENT_MAX = 100_000

export class SimulatedDatagramNetwork {
  /** What was sent, the oldest first. */
  readonly sent: Sent[] = []
  /** How long a message is under way. */
  delayMs: () => number = () => 0
  /** Nothing arrives. */
  isCut = false
  readonly #clock: Clock
  readonly #open = new Map<SimulatedDatagrams, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  datagrams(port: number): SimulatedDatagrams {
    return new SimulatedDatagrams(this, port)
  }

  add(end: SimulatedDatagrams, port: number): void {
    this.#open.set(end, port)
  }

  remove(end: SimulatedDatagrams): void {
    this.#open.delete(end)
  }

  /** As a foreign sender would. */
  carry(bytes: Uint8Array, address: string, port: number): void {
    const now = this.#clock.monotonicMs()
    this.sent.push({ bytes, atMs: now, address, port })
    if (this.sent.length > SENT_MAX) this.sent.shift()
    if (this.isCut) return
    this.#clock.runAt(after(now, this.delayMs()), () => {
      for (const [end, heard] of [...this.#open])
        if (heard === port) end.hear({ bytes, at: this.#clock.monotonicMs(), from: '127.0.0.1' })
    })
  }
}

class SimulatedDatagrams implements Datagrams {
  readonly #network: SimulatedDatagramNetwork
  readonly #port: number
  readonly #messages = new Signal<Datagram>()
  #isOpen = false

  constructor(network: SimulatedDatagramNetwork, port: number) {
    this.#network = network
    this.#port = port
  }

  async open(): Promise<void> {
    if (this.#isOpen) throw new DeviceError('device.busy', `port ${this.#port} is open`)
    this.#isOpen = true
    this.#network.add(this, this.#port)
  }

  send(bytes: Uint8Array, address: string, port: number): void {
    if (this.#isOpen) this.#network.carry(bytes, address, port)
  }

  port(): number {
    return this.#isOpen ? this.#port : 0
  }

  hear(datagram: Datagram): void {
    if (this.#isOpen) this.#messages.emit(datagram)
  }

  onMessage(listener: (datagram: Datagram) => void): Cancel {
    return this.#messages.listen(listener)
  }

  trouble(): string | null {
    return null
  }

  async close(): Promise<void> {
    this.#isOpen = false
    this.#network.remove(this)
  }
}
