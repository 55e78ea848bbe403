/** UDP sockets of IPv4 for NTP, with the kernel's stamps of arrival where koffi runs. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { promises as dns } from 'node:dns'
import { isIPv4 } from 'node:net'
import { BoxError, DeviceError, messageOf } from '../../runtime/core/errors.js'
import { monotonicMs, NS_PER_MS } from '../../runtime/core/time.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type {
  NtpAddress,
  NtpListener,
  NtpNetwork,
  NtpSocket,
} from '../../runtime/ports/ntp-socket.js'
import { deviceErrorOf } from './errno.js'
import { openUdpSockets, type UdpSockets } from './libc-sockets.js'

/** Longer ones are nothing that is answered or read. */
const MESSAGE_BYTES_MAX = 1_472
/** Messages that the kernel did not take yet; more are dropped. */
const WAITING_MAX = 256
/** Twice as many as may wait, so that none is written anew while it does. No message that we send is longer. */
const SLOTS = 2 * WAITING_MAX
const SLOT_BYTES = 96
const BUFFER_BYTES = 262_144
const ADDRESSES_MAX = 16
/** How long the difference of the two clocks is taken for granted: they run at one rate, and one of them may be set. */
const PAIRED_MS_MAX = 250
/** A stamp that is further from the moment at which it is read is not of this message. */
const STAMP_AGE_MS_MAX = 1_000

export class LinuxNtpNetwork implements NtpNetwork {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async open(at: NtpAddress, listener: NtpListener): Promise<NtpSocket> {
    const sockets = await stampingSockets()
    const socket = createSocket({ type: 'udp4', lookup })
    const stamps = sockets === null ? null : new Stamps(this.#clock, sockets)
    const fd = sockets === null ? null : openAlone(sockets, at)
    socket.on('message', (message: Buffer, { address, port }: RemoteInfo) => {
      const now = this.#clock.monotonicMs()
      if (message.length > MESSAGE_BYTES_MAX) return
      const arrivedAt = stamps === null || fd === null ? now : stamps.arrival(fd, now)
      listener.received({ message, at: arrivedAt, address, port })
    })
    await bound(socket, fd === null ? at : { fd }, at)
    socket.on('error', error => listener.failed(error))
    return new OpenSocket(socket, listener)
  }

  async resolve(host: string): Promise<readonly string[]> {
    if (isIPv4(host)) return [host]
    try {
      const found = await dns.lookup(host, { family: 4, all: true })
      return found.slice(0, ADDRESSES_MAX).map(({ address }) => address)
    } catch (cause) {
      throw new DeviceError('link.down', `${host} leads to no address: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
}

/** Addresses are numbers here: without this, Node asks for each one's name on another turn of the loop. */
const lookup = (
  host: string,
  _: unknown,
  callback: (error: null, address: string, family: number) => void,
): void => callback(null, host, 4)

/** Null where koffi has no binary for this machine. */
async function stampingSockets(): Promise<UdpSockets | null> {
  try {
    return await openUdpSockets()
  } catch (error) {
    if (error instanceof BoxError && error.code === 'native.missing') return null
    throw error
  }
}

function openAlone(sockets: UdpSockets, { address, port }: NtpAddress): number {
  const fd = sockets.open()
  try {
    sockets.bindAlone(fd, address, port)
    // Asking once turns the stamps on.
    sockets.arrival(fd)
    return fd
  } catch (error) {
    sockets.close(fd)
    throw error
  }
}

function bound(socket: Socket, to: NtpAddress | { fd: number }, at: NtpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      socket.close()
      reject(deviceErrorOf(`taking UDP port ${at.port}`, error))
    }
    socket.once('error', refuse)
    socket.bind({ ...to, exclusive: true }, () => {
      socket.off('error', refuse)
      resolve()
    })
  })
}

class OpenSocket implements NtpSocket {
  readonly #socket: Socket
  readonly #listener: NtpListener
  /** Outside of the heap, where the kernel can read it: to make each message a place there costs more than to send it. */
  readonly #slots = Buffer.allocUnsafeSlow(SLOTS * SLOT_BYTES)
  #slot = 0
  #isClosed = false

  constructor(socket: Socket, listener: NtpListener) {
    this.#socket = socket
    this.#listener = listener
    socket.setRecvBufferSize(BUFFER_BYTES)
    socket.setSendBufferSize(BUFFER_BYTES)
  }

  get port(): number {
    return this.#socket.address().port
  }

  send(message: Uint8Array, { address, port }: NtpAddress): void {
    const isFull = this.#isClosed || this.#socket.getSendQueueCount() >= WAITING_MAX
    if (isFull || message.byteLength > SLOT_BYTES) return
    const from = this.#slot * SLOT_BYTES
    this.#slot = (this.#slot + 1) % SLOTS
    this.#slots.set(message, from)
    const bytes = this.#slots.subarray(from, from + message.byteLength)
    this.#socket.send(bytes, port, address, this.#sent)
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    return new Promise(resolve => this.#socket.close(() => resolve()))
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null && !this.#isClosed) this.#listener.failed(error)
  }
}

/** Takes the kernel's stamps, which are dates, to the scale that never steps. */
class Stamps {
  readonly #clock: Clock
  readonly #sockets: UdpSockets
  #pairedAt: MonotonicMs | null = null
  #offsetMs = 0

  constructor(clock: Clock, sockets: UdpSockets) {
    this.#clock = clock
    this.#sockets = sockets
  }

  /** When the message that was read last arrived; `now` where the kernel does not tell. */
  arrival(fd: number, now: MonotonicMs): MonotonicMs {
    const stamp = this.#sockets.arrival(fd)
    if (stamp === null) return now
    const stampMs = Number(stamp) / NS_PER_MS
    if (this.#pairedAt === null || now - this.#pairedAt > PAIRED_MS_MAX) {
      this.#offsetMs = this.#sockets.monotonicOf(stamp) - stampMs
      this.#pairedAt = this.#clock.monotonicMs()
    }
    const at = monotonicMs(stampMs + this.#offsetMs)
    return at <= now && at > now - STAMP_AGE_MS_MAX ? at : now
  }
}
