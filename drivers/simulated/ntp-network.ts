/** The internet, and the network of a venue, as NTP sees them: hosts, and what messages take between them. */
import { DeviceError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type {
  NtpAddress,
  NtpListener,
  NtpNetwork,
  NtpSocket,
} from '../../runtime/ports/ntp-socket.js'

/** In milliseconds of the network's clock, from one address to another; null: it is lost. */
type WayMs = (from: string, to: string) => number | null

/** What is more is dropped. */
const IN_FLIGHT_MAX = 10_000
const FIRST_FREE_PORT = 49_152

export class SimulatedInternet {
  readonly #clock: Clock
  readonly #sockets = new Map<string, SimulatedNtpSocket>()
  readonly #names = new Map<string, readonly string[]>()
  #wayMs: WayMs
  #inFlight = 0

  constructor(clock: Clock, wayMs: WayMs) {
    this.#clock = clock
    this.#wayMs = wayMs
  }

  setWay(wayMs: WayMs): void {
    this.#wayMs = wayMs
  }

  name(host: string, addresses: readonly string[]): void {
    this.#names.set(host, addresses)
  }

  addressesOf(host: string): readonly string[] {
    return this.#names.get(host) ?? []
  }

  has({ address, port }: NtpAddress): boolean {
    return this.#sockets.has(`${address}:${port}`)
  }

  plug(at: NtpAddress, socket: SimulatedNtpSocket): void {
    this.#sockets.set(`${at.address}:${at.port}`, socket)
  }

  unplug({ address, port }: NtpAddress): void {
    this.#sockets.delete(`${address}:${port}`)
  }

  carry(from: NtpAddress, message: Uint8Array, to: NtpAddress): void {
    const wayMs = this.#wayMs(from.address, to.address)
    if (wayMs === null || this.#inFlight >= IN_FLIGHT_MAX) return
    this.#inFlight++
    const copy = Uint8Array.from(message)
    this.#clock.runAt(after(this.#clock.monotonicMs(), wayMs), () => {
      this.#inFlight--
      this.#sockets.get(`${to.address}:${to.port}`)?.receive(copy, from)
    })
  }
}

/** One machine's way to it. Stamps are exact: the moment of arrival, by the machine's own clock. */
export class SimulatedNtpNetwork implements NtpNetwork {
  readonly #clock: Clock
  readonly #internet: SimulatedInternet
  readonly #address: string
  #ports = FIRST_FREE_PORT
  /** Until it is null again nothing can be opened, for this reason. */
  trouble: DeviceError | null = null
  /** Until it is null again nothing leaves, for this reason. */
  sendTrouble: DeviceError | null = null

  /** @param clock the machine's own, which may run at another rate than the network's */
  constructor(clock: Clock, internet: SimulatedInternet, address: string) {
    this.#clock = clock
    this.#internet = internet
    this.#address = address
  }

  async open({ port }: NtpAddress, listener: NtpListener): Promise<NtpSocket> {
    if (this.trouble !== null) throw this.trouble
    const at = { address: this.#address, port: port === 0 ? this.#ports++ : port }
    if (this.#internet.has(at))
      throw new DeviceError('port.taken', `taking UDP port ${port}: EADDRINUSE`)
    return new SimulatedNtpSocket(this.#clock, this.#internet, at, listener, () => this.sendTrouble)
  }

  async resolve(host: string): Promise<readonly string[]> {
    const addresses = /^[\d.]+$/.test(host) ? [host] : this.#internet.addressesOf(host)
    if (addresses.length === 0)
      throw new DeviceError('link.down', `${host} leads to no address: ENOTFOUND`)
    return addresses
  }
}

class SimulatedNtpSocket implements NtpSocket {
  readonly #clock: Clock
  readonly #internet: SimulatedInternet
  readonly #at: NtpAddress
  readonly #listener: NtpListener
  readonly #trouble: () => DeviceError | null

  constructor(
    clock: Clock,
    internet: SimulatedInternet,
    at: NtpAddress,
    listener: NtpListener,
    trouble: () => DeviceError | null,
  ) {
    this.#clock = clock
    this.#internet = internet
    this.#at = at
    this.#listener = listener
    this.#trouble = trouble
    internet.plug(at, this)
  }

  get port(): number {
    return this.#at.port
  }

  send(message: Uint8Array, to: NtpAddress): void {
    const trouble = this.#trouble()
    if (trouble === null) this.#internet.carry(this.#at, message, to)
    else this.#listener.failed(trouble)
  }

  async close(): Promise<void> {
    this.#internet.unplug(this.#at)
  }

  receive(message: Uint8Array, from: NtpAddress): void {
    this.#listener.received({ message, at: this.#clock.monotonicMs(), ...from })
  }
}
