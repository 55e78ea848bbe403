/** A switch and the links on it: what PTP sends passes from box to box in simulated time, as well or badly as a test says. */
import { type BoxError, DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { PtpLink, PtpPort, PtpReceived } from '../../runtime/ports/ptp-link.js'

/**
 * What a message takes from one address to another, in milliseconds of the switch's clock, so that it may take longer one
 * way, now and then, or overtake another. Null: it is lost.
 */
export type WayMs = (from: string, to: string) => number | null

/** What is more is dropped, as a switch does. */
const IN_FLIGHT_MAX = 1_000

export class SimulatedSwitch {
  readonly #clock: Clock
  readonly #wayMs: WayMs
  readonly #links = new Set<SimulatedPtpLink>()
  readonly #cut = new Set<SimulatedPtpLink>()
  #inFlight = 0

  constructor(clock: Clock, wayMs: WayMs) {
    this.#clock = clock
    this.#wayMs = wayMs
  }

  /** Its cable carries nothing any more, and nobody is told. */
  cut(link: SimulatedPtpLink): void {
    this.#cut.add(link)
  }

  heal(link: SimulatedPtpLink): void {
    this.#cut.delete(link)
  }

  plug(link: SimulatedPtpLink): void {
    this.#links.add(link)
  }

  /** What is on its way to it is lost. */
  unplug(link: SimulatedPtpLink): void {
    this.#links.delete(link)
  }

  /** @param address null for all but the sender */
  carry(from: SimulatedPtpLink, message: Uint8Array, port: PtpPort, address: string | null): void {
    for (const to of this.#links) {
      const isAddressed = to !== from && (address === null || address === to.address)
      const wayMs = isAddressed ? this.#wayMs(from.address, to.address) : null
      if (wayMs === null || this.#cut.has(from) || this.#inFlight >= IN_FLIGHT_MAX) continue
      this.#inFlight++
      const copy = Uint8Array.from(message)
      this.#clock.runAt(after(this.#clock.monotonicMs(), wayMs), () => {
        this.#inFlight--
        if (this.#links.has(to) && !this.#cut.has(to)) to.receive(copy, from.address, port)
      })
    }
  }
}

export interface SimulatedPtpLinkOptions {
  readonly interfaceName: string
  /** Of IPv4. */
  readonly address: string
  /** Six bytes. */
  readonly hardwareAddress: Uint8Array
}

/** Stamps are exact: the moment at which a message leaves or arrives, by the box's own clock. */
export class SimulatedPtpLink implements PtpLink {
  readonly interfaceName: string
  readonly address: string
  readonly hardwareAddress: Uint8Array
  readonly stamps = 'kernel'
  readonly #clock: Clock
  readonly #switch: SimulatedSwitch
  readonly #messages = new Signal<PtpReceived>()
  readonly #lost = new Signal<Error>()
  #isOpen = false
  #trouble: BoxError | null = null

  /** @param clock the box's own, which may run at another rate than the switch's */
  constructor(clock: Clock, venueSwitch: SimulatedSwitch, options: SimulatedPtpLinkOptions) {
    this.#clock = clock
    this.#switch = venueSwitch
    this.interfaceName = options.interfaceName
    this.address = options.address
    this.hardwareAddress = options.hardwareAddress
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Until `mend` it cannot be opened, for this reason; where it is open it is lost. */
  fail(why: BoxError): void {
    this.#trouble = why
    if (!this.#isOpen) return
    this.#shut()
    this.#lost.emit(why)
  }

  mend(): void {
    this.#trouble = null
  }

  async open(): Promise<void> {
    if (this.#trouble !== null) throw this.#trouble
    if (this.#isOpen) throw new DeviceError('device.busy', `${this.interfaceName} is open`)
    this.#isOpen = true
    this.#switch.plug(this)
  }

  async close(): Promise<void> {
    this.#shut()
  }

  async send(message: Uint8Array, port: PtpPort, address: string | null): Promise<MonotonicMs> {
    if (!this.#isOpen) throw new DeviceError('device.absent', `${this.interfaceName} is not open`)
    this.#switch.carry(this, message, port, address)
    return this.#clock.monotonicMs()
  }

  /** From the switch. */
  receive(message: Uint8Array, from: string, port: PtpPort): void {
    this.#messages.emit({ message, at: this.#clock.monotonicMs(), from, port })
  }

  onMessage(listener: (received: PtpReceived) => void): Cancel {
    return this.#messages.listen(listener)
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  #shut(): void {
    this.#isOpen = false
    this.#switch.unplug(this)
  }
}
