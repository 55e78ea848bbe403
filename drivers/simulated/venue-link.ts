/** The network between simulated boxes: as slow, lossy and torn as a test says, the same for the same seed. */
import { BoxError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { VenueLink } from '../../runtime/ports/venue-link.js'

/** What a datagram takes from one address to another, once for each copy that arrives; none when it is lost. */
export type DatagramWaysMs = (from: string, to: string) => readonly number[]

const IN_FLIGHT_MAX = 10_000
const REQUEST_MS_MAX = 2_000

export class SimulatedVenueNetwork {
  readonly #clock: Clock
  readonly #waysMs: DatagramWaysMs
  readonly #links = new Map<string, SimulatedVenueLink>()
  /** Groups that hear only themselves; whoever is in none hears everybody who is in none. */
  #islands = new Map<string, number>()
  #inFlight = 0

  constructor(clock: Clock, waysMs: DatagramWaysMs) {
    this.#clock = clock
    this.#waysMs = waysMs
  }

  /** Each of these hears only its own kind from now on. @param islands addresses */
  part(islands: readonly (readonly string[])[]): void {
    this.#islands = new Map(
      islands.flatMap((addresses, island) => addresses.map(address => [address, island + 1])),
    )
  }

  heal(): void {
    this.#islands.clear()
  }

  plug(link: SimulatedVenueLink): void {
    this.#links.set(link.address, link)
  }

  unplug(link: SimulatedVenueLink): void {
    if (this.#links.get(link.address) === link) this.#links.delete(link.address)
  }

  carry(from: string, datagram: Uint8Array, address: string | null): void {
    for (const to of [...this.#links.keys()])
      if (to !== from && (address === null || address === to))
        for (const wayMs of this.#waysMs(from, to))
          this.#fly(from, to, Uint8Array.from(datagram), wayMs)
  }

  /** As TCP does: what is lost is sent again, and takes longer. */
  request(from: string, to: string, question: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new BoxError('link.timeout', `${to} has not answered`))
      this.#later(this.#wayOfStreamMs(from, to), fail, () => {
        const answer = this.#links.get(to)?.answer(Uint8Array.from(question)) ?? null
        if (answer === null) reject(new BoxError('link.down', `${to} has no answer`))
        else this.#later(this.#wayOfStreamMs(to, from), fail, () => resolve(answer))
      })
    })
  }

  #wayOfStreamMs(from: string, to: string): number | null {
    if (!this.#isJoined(from, to) || !this.#links.has(to)) return null
    for (let tries = 0; tries < 5; tries++) {
      const [wayMs] = this.#waysMs(from, to)
      if (wayMs !== undefined) return wayMs + tries * 200
    }
    return null
  }

  #later(wayMs: number | null, fail: () => void, task: () => void): void {
    const ms = wayMs ?? REQUEST_MS_MAX
    this.#clock.runAt(after(this.#clock.monotonicMs(), ms), wayMs === null ? fail : task)
  }

  #fly(from: string, to: string, datagram: Uint8Array, wayMs: number): void {
    if (!this.#isJoined(from, to) || this.#inFlight >= IN_FLIGHT_MAX) return
    this.#inFlight++
    this.#clock.runAt(after(this.#clock.monotonicMs(), wayMs), () => {
      this.#inFlight--
      if (this.#isJoined(from, to)) this.#links.get(to)?.receive(datagram, from)
    })
  }

  #isJoined(from: string, to: string): boolean {
    return this.#islands.get(from) === this.#islands.get(to)
  }
}

export class SimulatedVenueLink implements VenueLink {
  readonly interfaceName = 'lan'
  readonly address: string
  readonly #network: SimulatedVenueNetwork
  readonly #datagrams = new Signal<{ readonly datagram: Uint8Array; readonly from: string }>()
  readonly #lost = new Signal<Error>()
  #answer: (question: Uint8Array) => Uint8Array | null = () => null
  #isOpen = false

  constructor(network: SimulatedVenueNetwork, address: string) {
    this.#network = network
    this.address = address
  }

  async open(): Promise<void> {
    this.#isOpen = true
    this.#network.plug(this)
  }

  async close(): Promise<void> {
    this.#isOpen = false
    this.#network.unplug(this)
  }

  /** The interface is turned off. */
  fail(why: Error): void {
    this.#isOpen = false
    this.#network.unplug(this)
    this.#lost.emit(why)
  }

  send(datagram: Uint8Array, address: string | null): void {
    if (this.#isOpen) this.#network.carry(this.address, datagram, address)
  }

  async request(address: string, question: Uint8Array): Promise<Uint8Array> {
    if (!this.#isOpen) throw new BoxError('link.down', 'the link is not open')
    return this.#network.request(this.address, address, question)
  }

  onRequest(answer: (question: Uint8Array) => Uint8Array | null): Cancel {
    this.#answer = answer
    return () => {
      this.#answer = () => null
    }
  }

  onDatagram(listener: (datagram: Uint8Array, from: string) => void): Cancel {
    return this.#datagrams.listen(({ datagram, from }) => listener(datagram, from))
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  /** From the network. */
  receive(datagram: Uint8Array, from: string): void {
    if (this.#isOpen) this.#datagrams.emit({ datagram, from })
  }

  answer(question: Uint8Array): Uint8Array | null {
    return this.#isOpen ? this.#answer(question) : null
  }
}
