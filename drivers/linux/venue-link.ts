/**
 * The network between the boxes of a venue, on one interface of this machine: UDP to a group that no router lets out
 * (RFC 2365, time to live 1) and to single boxes; TCP for answers that no datagram holds.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { BoxError, DeviceError, messageOf } from '../../runtime/core/errors.js'
import { repeat } from '../../runtime/core/repeat.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { VenueLink } from '../../runtime/ports/venue-link.js'
import { deviceErrorOf } from './errno.js'

const GROUP = '239.255.43.10'
const DATAGRAM_BYTES_MAX = 1_400
const QUESTION_BYTES_MAX = 4_096
const ANSWER_BYTES_MAX = 8 * 1_024 * 1_024
/** Of silence, and of a whole question with its answer. */
const SILENT_MS_MAX = 2_000
const STREAM_MS_MAX = 5_000
/** Answered at once: beyond it the oldest gives way, of its address or of all; who is in earnest needs milliseconds. */
const STREAMS_MAX = 64
const STREAMS_EACH_MAX = 4
/** How often it is looked whether the interface is still there: who only listens is told by nobody. */
const WATCH_EVERY_MS = 250
const LENGTH_BYTES = 4

interface OpenLink {
  readonly socket: UdpSocket
  readonly server: Server
  readonly streams: Set<Socket>
  readonly address: string
  readonly stopWatch: Cancel
}

export class LinuxVenueLink implements VenueLink {
  readonly interfaceName: string
  readonly #clock: Clock
  readonly #port: number
  readonly #datagrams = new Signal<{ readonly datagram: Uint8Array; readonly from: string }>()
  readonly #lost = new Signal<Error>()
  #answer: (question: Uint8Array) => Uint8Array | null = () => null
  #open: OpenLink | null = null

  /** @param interfaceName as `ip link` calls it */
  constructor(clock: Clock, interfaceName: string, port: number) {
    this.#clock = clock
    this.interfaceName = interfaceName
    this.#port = port
  }

  async open(): Promise<void> {
    if (this.#open !== null) throw new DeviceError('device.busy', `${this.interfaceName} is open`)
    const address = addressOf(this.interfaceName)
    if (address === null)
      throw new DeviceError(
        'device.absent',
        `${this.interfaceName} is not there, is off, or has no address of IPv4`,
      )
    const streams = new Set<Socket>()
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    const served = new Set<Socket>()
    const server = createServer(stream => {
      makeRoom(served, stream.remoteAddress)
      served.add(stream)
      stream.once('close', () => served.delete(stream))
      this.#serve(stream, streams)
    })
    socket.on('error', error => this.#lose(messageOf(error)))
    server.on('error', error => this.#lose(messageOf(error)))
    try {
      await bound(socket, this.#port)
      socket.addMembership(GROUP, address)
      socket.setMulticastInterface(address)
      socket.setMulticastTTL(1)
      socket.setMulticastLoopback(false)
      await listening(server, this.#port, address)
    } catch (error) {
      socket.close()
      server.close()
      throw this.#failure(error)
    }
    socket.on('message', (datagram, { address: from }) => {
      if (datagram.length <= DATAGRAM_BYTES_MAX)
        this.#datagrams.emit({ datagram: Uint8Array.from(datagram), from })
    })
    const stopWatch = repeat(this.#clock, WATCH_EVERY_MS, async () => this.#watch())
    this.#open = { socket, server, streams, address, stopWatch }
  }

  async close(): Promise<void> {
    const link = this.#open
    this.#open = null
    if (link === null) return
    link.stopWatch()
    for (const stream of link.streams) stream.destroy()
    await Promise.all([
      new Promise<void>(resolve => link.socket.close(resolve)),
      new Promise<void>(resolve => link.server.close(() => resolve())),
    ])
  }

  send(datagram: Uint8Array, address: string | null): void {
    // What does not leave is lost as what is lost on the way; an interface that is gone is noticed by the watch.
    this.#open?.socket.send(datagram, this.#port, address ?? GROUP, () => {})
  }

  request(address: string, question: Uint8Array): Promise<Uint8Array> {
    const link = this.#open
    if (link === null)
      return Promise.reject(new BoxError('link.down', `${this.interfaceName} is not open`))
    return new Promise((resolve, reject) => {
      const stream = createConnection({
        host: address,
        port: this.#port,
        localAddress: link.address,
      })
      const fail = (code: 'link.down' | 'link.timeout', why: string): void => {
        stream.destroy()
        reject(new BoxError(code, `${address} has not answered: ${why}`))
      }
      this.#limit(stream, link.streams, () => fail('link.timeout', 'too slow'))
      stream.once('error', error => fail('link.down', messageOf(error)))
      stream.once('close', () => fail('link.down', 'it hung up'))
      collect(stream, ANSWER_BYTES_MAX, answer => {
        resolve(answer)
        stream.destroy()
      })
      stream.write(framed(question))
    })
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

  /** One question and one answer; who does not ask in time is hung up on. */
  #serve(stream: Socket, streams: Set<Socket>): void {
    this.#limit(stream, streams, () => stream.destroy())
    stream.on('error', () => stream.destroy())
    collect(stream, QUESTION_BYTES_MAX, question => {
      const answer = this.#answer(question)
      if (answer === null || answer.length > ANSWER_BYTES_MAX) stream.destroy()
      else stream.end(framed(answer))
    })
  }

  /** Every stream ends, whatever the other side does. */
  #limit(stream: Socket, streams: Set<Socket>, late: () => void): void {
    streams.add(stream)
    const cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), STREAM_MS_MAX), late)
    stream.setTimeout(SILENT_MS_MAX)
    stream.once('timeout', late)
    stream.once('close', () => {
      cancel()
      streams.delete(stream)
    })
  }

  /** With another address it is another interface: the group was joined at the old one. */
  #watch(): void {
    if (this.#open !== null && addressOf(this.interfaceName) !== this.#open.address)
      this.#lose('it is gone, was turned off, or has another address')
  }

  #lose(why: string): void {
    if (this.#open === null) return
    void this.close()
    this.#lost.emit(new DeviceError('device.absent', `${this.interfaceName}: ${why}`))
  }

  #failure(error: unknown): BoxError {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      return new BoxError('port.taken', `port ${this.#port} is taken`, { cause: error })
    return deviceErrorOf(`the venue on ${this.interfaceName}`, error)
  }
}

const addressOf = (interfaceName: string): string | null =>
  networkInterfaces()[interfaceName]?.find(({ family }) => family === 'IPv4')?.address ?? null

function bound(socket: UdpSocket, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function makeRoom(served: Set<Socket>, from: string | undefined): void {
  const [oldest] = served
  const its = [...served].filter(({ remoteAddress }) => remoteAddress === from)
  if (its.length >= STREAMS_EACH_MAX) its[0]?.destroy()
  else if (served.size >= STREAMS_MAX) oldest?.destroy()
}

/** The length in four bytes, then as many. */
function framed(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + bytes.length)
  new DataView(frame.buffer).setUint32(0, bytes.length)
  frame.set(bytes, LENGTH_BYTES)
  return frame
}

/** Calls back with the first frame; hangs up on one that is too long. */
function collect(stream: Socket, bytesMax: number, done: (bytes: Uint8Array) => void): void {
  const chunks: Buffer[] = []
  let byteCount = 0
  let wanted: number | null = null
  stream.on('data', chunk => {
    chunks.push(Buffer.from(chunk))
    byteCount += chunk.length
    if (wanted === null && byteCount >= LENGTH_BYTES)
      wanted = LENGTH_BYTES + Buffer.concat(chunks).readUInt32BE(0)
    if (byteCount > LENGTH_BYTES + bytesMax || (wanted ?? 0) > LENGTH_BYTES + bytesMax) {
      stream.destroy()
      return
    }
    if (wanted === null || byteCount < wanted) return
    stream.removeAllListeners('data')
    done(Uint8Array.from(Buffer.concat(chunks).subarray(LENGTH_BYTES, wanted)))
  })
}
