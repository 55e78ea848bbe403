/**
 * PTP's sockets on one interface of this machine: UDP over IPv4 as in IEEE 1588-2008 annex D, with the kernel's stamps of
 * arrival and departure. Event messages leave through a socket of their own, because asking one socket for stamps of
 * departure turns off its stamps of arrival (`sock_recv_timestamp` of <net/sock.h>).
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { DeviceError } from '../../runtime/core/errors.js'
import { repeat } from '../../runtime/core/repeat.js'
import { Signal } from '../../runtime/core/signal.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { PtpLink, PtpPort, PtpReceived } from '../../runtime/ports/ptp-link.js'
import { deviceErrorOf } from './errno.js'
import { type KernelStamp, openUdpSockets, type UdpSockets } from './libc-sockets.js'

/** Annex D.3: all messages but those of the peer delay mechanism. */
const GROUP = '224.0.1.129'
const PORTS = { event: 319, general: 320 } as const
/** Expedited forwarding, RFC 3246: before what is in no hurry, where the network looks at it. */
const EVENT_DSCP = 46
/** What is longer is no message of PTP: the longest, with the longest chain of TLVs that is read. */
const MESSAGE_BYTES_MAX = 1_472
/** How often, and how far apart, the kernel is asked for a stamp of departure. The first time mostly does. */
const ASKS_MAX = 10
const ASK_EVERY_MS = 1
/** A stamp that is further from the moment at which it is read is not of this packet, or a clock was set in between. */
const STAMP_AGE_MS_MAX = 1_000
/** How often it is looked whether the interface is still there: who only listens is told by nobody. A look takes 30 us. */
const WATCH_EVERY_MS = 1_000
const EVERY_ADDRESS = '0.0.0.0'

interface OpenLink {
  readonly sockets: UdpSockets
  readonly addresses: Addresses
  readonly stopWatch: Cancel
  readonly received: readonly Socket[]
  /** Sends event messages, and is not read. */
  readonly departures: number
  /** For what comes to `general`, and leaves from there. */
  readonly general: number
  /** How many event messages were sent. */
  count: number
}

interface Addresses {
  readonly address: string
  /** As node:os writes it. */
  readonly mac: string
}

export class LinuxPtpLink implements PtpLink {
  readonly interfaceName: string
  readonly stamps = 'kernel'
  readonly #clock: Clock
  readonly #messages = new Signal<PtpReceived>()
  readonly #lost = new Signal<Error>()
  #hardwareAddress = new Uint8Array(6)
  #address: string | null = null
  #open: OpenLink | null = null

  /** @param interfaceName as `ip link` calls it */
  constructor(clock: Clock, interfaceName: string) {
    this.#clock = clock
    this.interfaceName = interfaceName
  }

  get hardwareAddress(): Uint8Array {
    return this.#hardwareAddress
  }

  get address(): string | null {
    return this.#address
  }

  async open(): Promise<void> {
    if (this.#open !== null) throw new DeviceError('device.busy', `${this.interfaceName} is open`)
    const sockets = await openUdpSockets()
    const addresses = addressesOf(this.interfaceName)
    const { address, mac } = addresses
    this.#address = address
    this.#hardwareAddress = Uint8Array.from(mac.split(':'), byte => Number.parseInt(byte, 16))
    const made: number[] = []
    const make = (): number => {
      const fd = sockets.open()
      made.push(fd)
      bindWherePermitted(sockets, fd, this.interfaceName)
      sockets.sendGroupsThrough(fd, address)
      return fd
    }
    const hear = (fd: number, port: PtpPort): void => {
      sockets.bind(fd, EVERY_ADDRESS, PORTS[port])
      sockets.join(fd, GROUP, address)
      // Asking once turns the stamps on.
      sockets.arrival(fd)
    }
    try {
      const [departures, event, general] = [make(), make(), make()]
      sockets.setDscp(departures, EVENT_DSCP)
      sockets.askForDepartures(departures)
      hear(event, 'event')
      hear(general, 'general')
      const received = [
        await this.#read(sockets, event, 'event'),
        await this.#read(sockets, general, 'general'),
      ]
      const stopWatch = repeat(this.#clock, WATCH_EVERY_MS, async () => this.#watch())
      this.#open = { sockets, addresses, stopWatch, received, departures, general, count: 0 }
    } catch (error) {
      for (const fd of made) sockets.close(fd)
      throw error
    }
  }

  async close(): Promise<void> {
    const link = this.#open
    this.#open = null
    if (link === null) return
    link.stopWatch()
    link.sockets.close(link.departures)
    await Promise.all(link.received.map(closed))
  }

  async send(message: Uint8Array, port: PtpPort, address: string | null): Promise<MonotonicMs> {
    const link = this.#open
    if (link === null) throw new DeviceError('device.absent', `${this.interfaceName} is not open`)
    const { sockets } = link
    const handedOver = this.#clock.monotonicMs()
    const fd = port === 'event' ? link.departures : link.general
    try {
      sockets.send(fd, message, address ?? GROUP, PORTS[port])
    } catch (error) {
      throw this.#failure(error)
    }
    if (port === 'general') return handedOver
    const number = link.count++
    return (await this.#departure(link, number)) ?? handedOver
  }

  onMessage(listener: (received: PtpReceived) => void): Cancel {
    return this.#messages.listen(listener)
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  /** Node reads what arrives, and closes the descriptor when its socket is closed. */
  #read(sockets: UdpSockets, fd: number, port: PtpPort): Promise<Socket> {
    const socket = createSocket('udp4')
    socket.on('message', (message: Buffer, { address }: RemoteInfo) => {
      const nowMs = this.#clock.monotonicMs()
      if (message.length > MESSAGE_BYTES_MAX) return
      const at = port === 'event' ? stampOf(sockets, sockets.arrival(fd), nowMs) : nowMs
      this.#messages.emit({ message: Uint8Array.from(message), at, from: address, port })
    })
    socket.on('error', error => void this.#failure(error))
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ fd }, () => {
        socket.off('error', reject)
        resolve(socket)
      })
    })
  }

  /** Null when the kernel does not tell in time: its driver has no stamps. */
  async #departure(link: OpenLink, number: number): Promise<MonotonicMs | null> {
    for (let ask = 0; ask < ASKS_MAX && this.#open === link; ask++) {
      const told = link.sockets.departure(link.departures)
      if (told?.count === number)
        return stampOf(link.sockets, told.stamp, this.#clock.monotonicMs())
      if (told === null) await wait(this.#clock, ASK_EVERY_MS)
    }
    return null
  }

  /** What a failed call means: where the interface is gone, which has many names, the link is lost. */
  #failure(error: unknown): DeviceError {
    const why = deviceErrorOf(`PTP on ${this.interfaceName}`, error)
    const isGone = why.code === 'device.absent' || this.#isGone()
    return isGone ? this.#lose(why) : why
  }

  #watch(): void {
    if (this.#isGone()) this.#lose(null)
  }

  /** With another address it is another interface: groups were joined, and are sent to, at the old one. */
  #isGone(): boolean {
    if (this.#open === null) return false
    const { address, mac } = this.#open.addresses
    const now = networkInterfaces()[this.interfaceName] ?? []
    return !now.some(one => one.address === address && one.mac === mac)
  }

  #lose(cause: DeviceError | null): DeviceError {
    const message = `${this.interfaceName} is gone, was turned off, or has another address`
    const why = new DeviceError('device.absent', message, cause === null ? {} : { cause })
    if (this.#open === null) return why
    void this.close()
    this.#lost.emit(why)
    return why
  }
}

/** The kernel's stamp where it can be one of this packet, and otherwise the moment at which it was handed to this program. */
function stampOf(sockets: UdpSockets, stamp: KernelStamp | null, nowMs: MonotonicMs): MonotonicMs {
  if (stamp === null) return nowMs
  const at = sockets.monotonicOf(stamp)
  return at <= nowMs && at > nowMs - STAMP_AGE_MS_MAX ? at : nowMs
}

/** Without the right to it, what the socket joins and sends still keeps to the interface. */
function bindWherePermitted(sockets: UdpSockets, fd: number, interfaceName: string): void {
  try {
    sockets.bindToInterface(fd, interfaceName)
  } catch (error) {
    if (!(error instanceof DeviceError && error.code === 'device.denied')) throw error
  }
}

function addressesOf(interfaceName: string): Addresses {
  const found = networkInterfaces()[interfaceName]?.find(({ family }) => family === 'IPv4')
  if (found === undefined)
    throw new DeviceError(
      'device.absent',
      `${interfaceName} is not there, or has no address of IPv4`,
    )
  return found
}

const closed = (socket: Socket): Promise<void> => new Promise(resolve => socket.close(resolve))
