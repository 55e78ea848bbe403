/**
 * A connection to a printer that listens on a port of its own, 9100 mostly ("raw" printing), or to a server. Most
 * printers serve one client at a time. Whoever loses the connection opens it again.
 */
import { connect, type Socket } from 'node:net'
import { ByteInbox } from '../../runtime/core/byte-inbox.js'
import { ByteQueue } from '../../runtime/core/byte-queue.js'
import { DeviceError, type ErrorCode, messageOf } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import type { Claims } from './claims.js'
import { codeOfErrno, errnoOf } from './errno.js'

const CONNECT_MS_MAX = 3000
/** How long a silent connection is believed before the kernel asks whether the far side is still there. */
const KEEP_ALIVE_AFTER_MS = 10_000
/** Handed to the kernel at a time: fits one Ethernet frame. The next piece waits until it is taken. */
const PIECE_BYTES = 1024
const UNHEARD_BYTES_MAX = 65_536

const codes: ReadonlyMap<string, ErrorCode> = new Map([
  ['ECONNREFUSED', 'device.absent'],
  ['EHOSTUNREACH', 'device.absent'],
  ['EHOSTDOWN', 'device.absent'],
  ['ENETUNREACH', 'device.absent'],
  ['ENETDOWN', 'device.absent'],
  ['ENOTFOUND', 'device.absent'],
  ['EAI_AGAIN', 'device.absent'],
  ['ETIMEDOUT', 'device.timeout'],
])

export interface TcpStreamOptions {
  /** A name, which the system resolves, or an address. */
  readonly host: string
  /** 1..65535 */
  readonly port: number
}

export class TcpStream implements ByteStream {
  readonly name: string
  readonly #clock: Clock
  readonly #claims: Claims
  readonly #options: TcpStreamOptions
  readonly #queue: ByteQueue
  readonly #inbox = new ByteInbox({ bytesMax: UNHEARD_BYTES_MAX })
  readonly #lost = new Signal<Error>()
  /** Being connected, or connected. */
  #socket: Socket | null = null
  #isConnected = false
  #release: Cancel = () => {}
  #takenBytes = 0
  /** Handed to Node, which has not said yet that the kernel took all of it. */
  #underWayBytes = 0

  /** @param claims what is open in this process and must not be opened twice */
  constructor(clock: Clock, claims: Claims, options: TcpStreamOptions) {
    this.#clock = clock
    this.#claims = claims
    this.#options = options
    const { host, port } = options
    this.name = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    this.#queue = new ByteQueue(this.name)
  }

  async open(): Promise<void> {
    if (this.#socket !== null) throw new DeviceError('device.busy', `${this.name} is open`)
    this.#release = this.#claims.claim(`tcp ${this.name}`, this.name)
    this.#takenBytes = 0
    this.#underWayBytes = 0
    this.#inbox.clear()
    const socket = connect({
      ...this.#options,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    })
    this.#socket = socket
    await this.#connected(socket)
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#isConnected) throw new DeviceError('device.absent', `${this.name} is not open`)
    const written = this.#queue.add(bytes)
    this.#move()
    await written
  }

  /**
   * What was handed to the kernel. Of the last piece, at most a kilobyte, some may not have been taken: this is never
   * less than what has left.
   */
  takenBytes(): number {
    return this.#takenBytes
  }

  onBytes(listener: (bytes: Uint8Array) => void): Cancel {
    const cancel = this.#inbox.listen(listener)
    this.#socket?.resume()
    return cancel
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  /** The kernel still sends what it has taken. */
  async close(): Promise<void> {
    this.#end(new DeviceError('device.absent', `${this.name} was closed`))
  }

  /** Ends by whatever comes first: the connection, a failure, the time limit, `close`. */
  #connected(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: DeviceError): void => {
        cancelLimit()
        reject(why)
        if (socket === this.#socket) this.#end(why)
      }
      const cancelLimit = this.#clock.runAt(after(this.#clock.monotonicMs(), CONNECT_MS_MAX), () =>
        fail(new DeviceError('device.timeout', `${this.name}: no answer in ${CONNECT_MS_MAX} ms`)),
      )
      const hearEnd = (cause: Error): void => {
        if (this.#isConnected) this.#lose(socket, cause)
        else fail(this.#failure(cause))
      }
      socket.once('connect', () => {
        cancelLimit()
        if (socket === this.#socket) this.#isConnected = true
        resolve()
      })
      socket.on('data', (bytes: Uint8Array) => this.#hear(socket, bytes))
      // For as long as the socket lives, closed or not: an error that nobody hears would stop the process.
      socket.on('error', hearEnd)
      socket.once('end', () => hearEnd(new Error('the far side has hung up')))
      socket.once('close', () => hearEnd(new Error('it was closed')))
    })
  }

  /** A socket that is not read does not tell when it is lost, so what nobody listens to is read as well. */
  #hear(socket: Socket, bytes: Uint8Array): void {
    if (socket !== this.#socket) return
    this.#inbox.push(bytes)
    if (this.#inbox.isFull) socket.pause()
  }

  #lose(socket: Socket, cause: Error): void {
    if (socket !== this.#socket) return
    const message = `the connection to ${this.name} is lost: ${messageOf(cause)}`
    const why = new DeviceError('device.absent', message, { cause })
    this.#end(why)
    this.#lost.emit(why)
  }

  #end(why: Error): void {
    const socket = this.#socket
    if (socket === null) return
    this.#socket = null
    this.#isConnected = false
    socket.destroy()
    this.#release()
    this.#queue.fail(why)
  }

  /** One piece at a time is on its way to the kernel, so that what Node keeps is small and known. */
  #move(): void {
    const socket = this.#socket
    const bytes = this.#queue.next()
    if (socket === null || bytes === null || this.#underWayBytes > 0) return
    const piece = bytes.subarray(0, PIECE_BYTES)
    this.#underWayBytes = piece.length
    this.#takenBytes += piece.length
    socket.write(piece, error => {
      // The error is told by the socket, too, and whoever opened it again meanwhile has another one.
      if (error || socket !== this.#socket) return
      this.#underWayBytes = 0
      this.#queue.take(piece.length)
      this.#move()
    })
  }

  #failure(cause: Error): DeviceError {
    const name = errnoOf(cause)
    const code = name === null ? 'device.absent' : (codes.get(name) ?? codeOfErrno(name))
    return new DeviceError(code, `connecting to ${this.name}: ${name ?? messageOf(cause)}`, {
      cause,
    })
  }
}
