/** Serves the time to whoever asks: carries questions to the server's decisions, and answers back to the network. */
import { messageOf } from '../../../core/errors.js'
import type { Clock, MonotonicMs } from '../../../ports/clock.js'
import type { NtpAddress, NtpNetwork, NtpReceived, NtpSocket } from '../../../ports/ntp-socket.js'
import type { WallMapping } from '../../../ports/wall-timeline.js'
import { NtpServer, type NtpServerOptions, type Standing, stampTransmit } from './ntp-server.js'

/** The clock that is served. */
export interface Served extends WallMapping {
  standingAt(at: MonotonicMs): Standing
}

export interface TimeServerOptions extends NtpServerOptions {
  readonly at: NtpAddress
}

/** What could not be sent so long ago says nothing of now. */
const FAILURE_MS_MAX = 60_000

export class TimeServer {
  readonly #clock: Clock
  readonly #network: NtpNetwork
  readonly #options: TimeServerOptions
  readonly #served: Served
  readonly #server: NtpServer
  #socket: NtpSocket | null = null
  #lastFailure: { readonly at: MonotonicMs; readonly why: string } | null = null

  constructor(clock: Clock, network: NtpNetwork, served: Served, options: TimeServerOptions) {
    this.#clock = clock
    this.#network = network
    this.#served = served
    this.#options = options
    this.#server = new NtpServer(options)
  }

  get counts(): NtpServer['counts'] {
    return this.#server.counts
  }

  /** Why something could not be sent, within the last minute; null where all could. */
  get lastFailure(): string | null {
    const last = this.#lastFailure
    const isRecent = last !== null && this.#clock.monotonicMs() - last.at < FAILURE_MS_MAX
    return isRecent ? last.why : null
  }

  /** The port that it serves on. @throws DeviceError as `NtpNetwork.open` */
  async open(): Promise<number> {
    this.#socket ??= await this.#network.open(this.#options.at, {
      received: received => this.#answer(received),
      failed: why => {
        this.#lastFailure = { at: this.#clock.monotonicMs(), why: messageOf(why) }
      },
    })
    return this.#socket.port
  }

  async close(): Promise<void> {
    const socket = this.#socket
    this.#socket = null
    await socket?.close()
  }

  #answer({ message, at, address, port }: NtpReceived): void {
    const socket = this.#socket
    if (socket === null) return
    const arrivedMs = this.#served.wallAt(at)
    const standing = this.#served.standingAt(at)
    const reply = this.#server.answer(message, address, at, arrivedMs, standing)
    if (reply === null) return
    stampTransmit(reply, this.#served.wallAt(this.#clock.monotonicMs()))
    socket.send(reply.bytes, { address, port })
  }
}
