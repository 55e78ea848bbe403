/**
 * What a time server answers, decided: RFC 5905, sections 7.3, 7.4 and 14. It answers questions of clients and nothing else:
 * no control messages (modes 6 and 7), nothing longer than what was asked, and nobody more often than is good for both.
 */
import { forgetOldest } from '../../../core/oldest.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { isWithin, type Network } from './networks.js'
import {
  type Leap,
  Mode,
  type NtpPacket,
  PACKET_BYTES,
  parse,
  referenceOf,
  STRATUM_MAX,
  serialise,
  UNSYNCHRONISED,
} from './ntp-packet.js'
import { NO_STAMP, stampOf, writeStamp } from './ntp-time.js'

/** What the server says of its own clock. */
export interface Standing {
  readonly leap: Leap
  readonly stratum: number
  readonly rootDelayMs: number
  readonly rootDispersionMs: number
  readonly referenceId: number
  /** When the clock was last set or corrected; null where it never was. */
  readonly referenceWallMs: number | null
}

/** A clock that has no time to give. */
export const noStanding: Standing = {
  leap: UNSYNCHRONISED,
  stratum: STRATUM_MAX + 1,
  rootDelayMs: 0,
  rootDispersionMs: 0,
  referenceId: referenceOf('INIT'),
  referenceWallMs: null,
}

export interface NtpServerOptions {
  /** Who is answered. */
  readonly allowed: readonly Network[]
  /** Of one address, on average. */
  readonly questionsPerSecond: number
  /** Of one address at once, after a pause. */
  readonly burst: number
  /** Addresses that are remembered; of more, the longest known is forgotten. */
  readonly clientsMax: number
}

export interface ServerCounts {
  readonly served: number
  /** Asked too often, and were told so or not answered. */
  readonly limited: number
  /** Of networks that are not served. */
  readonly denied: number
  /** Asked while there was no time to give. */
  readonly unsynchronised: number
  /** Not a question of a client. */
  readonly ignored: number
}

/** So often a client that is refused is told why: each of the others would only add to its noise. */
const KISS_EVERY_MS = 1_000
/** A microsecond, which is about what it takes to read the clock. */
const PRECISION = -20
const VERSION_MAX = 4
const MODE_BITS = 0b0000_0111
const VERSION_BITS = 0b0011_1000
const POLL_AT = 2
const ORIGIN_AT = 24
const RECEIVE_AT = 32
const TRANSMIT_AT = 40

interface Client {
  readonly isAllowed: boolean
  tokens: number
  countedAt: MonotonicMs
  kissedAt: MonotonicMs | null
}

export class NtpServer {
  readonly #options: NtpServerOptions
  readonly #clients = new Map<string, Client>()
  #written: { readonly standing: Standing; readonly bytes: Uint8Array } | null = null
  readonly #counts = { served: 0, limited: 0, denied: 0, unsynchronised: 0, ignored: 0 }

  constructor(options: NtpServerOptions) {
    this.#options = options
  }

  get counts(): ServerCounts {
    return this.#counts
  }

  get clientCount(): number {
    return this.#clients.size
  }

  /**
   * @param wallMs when it arrived, by the clock that is served
   * @returns what to send back once `stampTransmit` was called, or null
   */
  answer(
    request: Uint8Array,
    from: string,
    at: MonotonicMs,
    wallMs: number,
    standing: Standing,
  ): NtpReply | null {
    if (!isQuestion(request)) {
      this.#counts.ignored++
      return null
    }
    const client = this.#clientAt(from, at)
    if (!client.isAllowed) {
      this.#counts.denied++
      return this.#kiss('DENY', request, client, at)
    }
    if (!this.#takes(client, at)) {
      this.#counts.limited++
      return this.#kiss('RATE', request, client, at)
    }
    if (standing.leap === UNSYNCHRONISED || standing.stratum > STRATUM_MAX) {
      this.#counts.unsynchronised++
      return refusal('INIT', request)
    }
    this.#counts.served++
    return { bytes: this.#timeFor(request, wallMs, standing), isTime: true }
  }

  #clientAt(address: string, at: MonotonicMs): Client {
    const known = this.#clients.get(address)
    if (known !== undefined) return known
    const { allowed, burst, clientsMax } = this.#options
    const client: Client = {
      isAllowed: isWithin(address, allowed),
      tokens: burst,
      countedAt: at,
      kissedAt: null,
    }
    this.#clients.set(address, client)
    forgetOldest(this.#clients, clientsMax)
    return client
  }

  #takes(client: Client, at: MonotonicMs): boolean {
    const { questionsPerSecond, burst } = this.#options
    const earned = (Math.max(0, at - client.countedAt) / 1_000) * questionsPerSecond
    client.tokens = Math.min(burst, client.tokens + earned)
    client.countedAt = at
    if (client.tokens < 1) return false
    client.tokens--
    return true
  }

  /** What is the same for all who ask is written once, as long as the clock's standing is the same. */
  #timeFor(request: Uint8Array, wallMs: number, standing: Standing): Uint8Array {
    if (this.#written?.standing !== standing)
      this.#written = { standing, bytes: serialise(packetOf(standing)) }
    const bytes = Uint8Array.from(this.#written.bytes)
    bytes[0] = (standing.leap << 6) | ((request[0] ?? 0) & VERSION_BITS) | Mode.server
    bytes[POLL_AT] = request[POLL_AT] ?? 0
    for (let index = 0; index < 8; index++)
      bytes[ORIGIN_AT + index] = request[TRANSMIT_AT + index] ?? 0
    writeStamp(bytes, RECEIVE_AT, wallMs)
    return bytes
  }

  #kiss(code: string, request: Uint8Array, client: Client, at: MonotonicMs): NtpReply | null {
    if (client.kissedAt !== null && at - client.kissedAt < KISS_EVERY_MS) return null
    client.kissedAt = at
    return refusal(code, request)
  }
}

export interface NtpReply {
  readonly bytes: Uint8Array
  /** Wants its stamp of departure. */
  readonly isTime: boolean
}

/** At the last moment before it is handed over. */
export function stampTransmit({ bytes, isTime }: NtpReply, wallMs: number): void {
  if (isTime) writeStamp(bytes, TRANSMIT_AT, wallMs)
}

/** Of a client, in a version that is known; what follows the header is not looked at. */
function isQuestion(request: Uint8Array): boolean {
  const first = request[0] ?? 0
  const version = (first & VERSION_BITS) >> 3
  return (
    request.byteLength >= PACKET_BYTES &&
    (first & MODE_BITS) === Mode.client &&
    version >= 1 &&
    version <= VERSION_MAX
  )
}

/** What a question will be answered with, but for what is of the question. */
const packetOf = (standing: Standing): NtpPacket => ({
  ...standing,
  version: VERSION_MAX,
  mode: Mode.server,
  poll: 0,
  precision: PRECISION,
  reference: standing.referenceWallMs === null ? NO_STAMP : stampOf(standing.referenceWallMs),
  origin: NO_STAMP,
  receive: NO_STAMP,
  transmit: NO_STAMP,
})

/** A kiss code (section 7.4). It has no time in it, so that nobody who does not look at the code takes it for one. */
function refusal(code: string, request: Uint8Array): NtpReply | null {
  const asked = parse(request)
  if (asked === null) return null
  const { version, poll, transmit } = asked
  const bytes = serialise({
    ...packetOf(noStanding),
    version,
    poll,
    stratum: 0,
    referenceId: referenceOf(code),
    origin: transmit,
    receive: transmit,
    transmit,
  })
  return { bytes, isTime: false }
}
