/** Asks servers for the time by itself: carries questions and answers between `NtpSource` and the network. */
import { assert, BoxError, messageOf } from '../../../core/errors.js'
import { after, earlier } from '../../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../../ports/clock.js'
import type { Keys } from '../../../ports/keys.js'
import type { Log } from '../../../ports/log.js'
import type { NtpNetwork, NtpReceived, NtpSocket } from '../../../ports/ntp-socket.js'
import { addressNumber } from './networks.js'
import { type Selected, select } from './ntp-select.js'
import { NtpSource } from './ntp-source.js'
import type { NtpStamp } from './ntp-time.js'
import type { Found, SourceReport } from './time-engine.js'

const POOL_MAX = 4
const SOURCES_MAX = 16
const RETRY_MS_MIN = 5_000
const RETRY_MS_MAX = 300_000
/** A host all of whose addresses are silent is looked for again: it may have moved. */
const LOOK_AGAIN_MS = 900_000

export interface AskedHost {
  readonly host: string
  readonly port: number
  /** Its name leads to many servers, of which some are asked. */
  readonly isPool: boolean
  /** A box of the venue: it may be asked often. */
  readonly isLeader: boolean
}

/** RFC 5905's MINPOLL and MAXPOLL for the internet; a venue's own network and leader are there for it. */
const POLLS = { internet: { pollMin: 6, pollMax: 10 }, leader: { pollMin: 1, pollMax: 4 } } as const

export interface TimeAskerPorts {
  readonly clock: Clock
  readonly network: NtpNetwork
  readonly keys: Keys
  readonly log: Log
}

export interface TimeAskerOptions {
  readonly hosts: readonly AskedHost[]
  readonly random: () => number
  /** A date that is past. */
  readonly floorMs: () => number
}

interface Host {
  readonly asked: AskedHost
  sources: readonly NtpSource[]
  lookAt: MonotonicMs
  retryMs: number
  trouble: string | null
}

export class TimeAsker {
  readonly #ports: TimeAskerPorts
  readonly #options: TimeAskerOptions
  #hosts: readonly Host[] = []
  #socket: NtpSocket | null = null
  #cancel: Cancel = () => {}
  #failure: string | null = null

  constructor(ports: TimeAskerPorts, options: TimeAskerOptions) {
    this.#ports = ports
    this.#options = options
  }

  get trouble(): string | null {
    return this.#hosts.find(({ trouble }) => trouble !== null)?.trouble ?? this.#failure
  }

  /** @throws DeviceError where there is no socket to be had */
  async start(): Promise<void> {
    const { clock, network } = this.#ports
    this.#hosts = this.#options.hosts.map(asked => ({
      asked,
      sources: [],
      lookAt: clock.monotonicMs(),
      retryMs: RETRY_MS_MIN,
      trouble: null,
    }))
    // A port of chance (RFC 9109).
    this.#socket = await network.open(
      { address: '0.0.0.0', port: 0 },
      {
        received: received => this.#hear(received),
        failed: why => {
          this.#failure = messageOf(why)
        },
      },
    )
    this.#turn()
  }

  async stop(): Promise<void> {
    this.#cancel()
    const socket = this.#socket
    this.#socket = null
    await socket?.close()
  }

  found(now: MonotonicMs, ratePpm: number): Found | null {
    const selected = this.#selected(now, ratePpm)
    if (selected === null) return null
    const { leader, at, differenceMs, jitterMs, errorMs } = selected
    return {
      at,
      differenceMs,
      jitterMs,
      errorMs,
      stratum: leader.stratum,
      rootDelayMs: leader.rootDelayMs + leader.best.delayMs,
      rootDispersionMs: leader.rootDispersionMs + leader.dispersionMs + jitterMs,
      leap: leader.leap,
      referenceId: addressNumber(leader.address) ?? 0,
    }
  }

  sources(now: MonotonicMs, shownMs: number): readonly SourceReport[] {
    const believed = this.#selected(now, 0)?.believed ?? []
    return this.#sources().map(source => reportOf(source, believed, now, shownMs))
  }

  #sources(): readonly NtpSource[] {
    return this.#hosts.flatMap(({ sources }) => sources)
  }

  #selected(now: MonotonicMs, ratePpm: number): Selected | null {
    return select(
      this.#sources().flatMap(source => source.heardAt(now) ?? []),
      now,
      ratePpm,
    )
  }

  /** Does what is due, and comes back when something is due again. */
  #turn(): void {
    const { clock } = this.#ports
    const now = clock.monotonicMs()
    let next = after(now, RETRY_MS_MAX)
    for (const host of this.#hosts) {
      if (host.lookAt <= now) this.#look(host, now)
      for (const source of host.sources) this.#askIfDue(source, host.asked, now)
      next = earlier(next, host.lookAt)
      for (const { nextPollAt } of host.sources)
        if (nextPollAt !== null) next = earlier(next, nextPollAt)
    }
    this.#cancel()
    if (this.#socket !== null) this.#cancel = clock.runAt(next, () => this.#turn())
  }

  #askIfDue(source: NtpSource, { port }: AskedHost, now: MonotonicMs): void {
    if (source.nextPollAt === null || source.nextPollAt > now || this.#socket === null) return
    const question = source.ask(now)
    source.departed(this.#ports.clock.monotonicMs())
    this.#socket.send(question, { address: source.address, port })
  }

  #look(host: Host, now: MonotonicMs): void {
    host.lookAt = after(now, LOOK_AGAIN_MS)
    if (host.sources.some(({ isReachable }) => isReachable)) return
    void this.#resolve(host)
  }

  async #resolve(host: Host): Promise<void> {
    const { network, clock, keys } = this.#ports
    const { host: name, isPool, isLeader } = host.asked
    try {
      const addresses = await network.resolve(name)
      if (this.#socket === null) return
      const wanted = addresses.slice(0, isPool ? POOL_MAX : 1)
      const now = clock.monotonicMs()
      const polls = isLeader ? POLLS.leader : POLLS.internet
      host.sources = wanted.slice(0, SOURCES_MAX).map(address => {
        const known = host.sources.find(source => source.address === address)
        const options = { host: name, address, ...polls }
        const nonce = (): NtpStamp => nonceFrom(keys)
        return known ?? new NtpSource(options, now, nonce, this.#options.random)
      })
      host.trouble = null
      host.retryMs = RETRY_MS_MIN
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#notFound(host, error)
    }
    if (this.#socket !== null) this.#turn()
  }

  #notFound(host: Host, error: BoxError): void {
    const { clock, log } = this.#ports
    const trouble = messageOf(error)
    if (trouble !== host.trouble)
      log.warn('wall.host-unknown', { host: host.asked.host, error: trouble })
    host.trouble = trouble
    host.lookAt = after(clock.monotonicMs(), host.retryMs)
    host.retryMs = Math.min(RETRY_MS_MAX, 2 * host.retryMs)
  }

  #hear({ message, at, address, port }: NtpReceived): void {
    for (const { asked, sources } of this.#hosts) {
      if (asked.port !== port) continue
      const source = sources.find(one => one.address === address)
      if (source === undefined) continue
      this.#failure = null
      const before = source.verdict
      const verdict = source.receive(message, at, this.#options.floorMs())
      const isTold = verdict === 'denied' || verdict === 'rate' || verdict === 'past'
      if (isTold && verdict !== before)
        this.#ports.log.warn('wall.source-refused', { host: source.host, address, verdict })
      // It may have asked for another pause.
      this.#turn()
      return
    }
  }
}

/** Never zero, which would be no stamp. */
function nonceFrom(keys: Keys): NtpStamp {
  const bytes = keys.randomBytes(8)
  assert(bytes.byteLength === 8, 'eight bytes of chance')
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) | 1n
}

function reportOf(
  source: NtpSource,
  believed: readonly string[],
  now: MonotonicMs,
  shownMs: number,
): SourceReport {
  const heard = source.heardAt(now)
  return {
    host: source.host,
    state: stateOf(source, heard !== null, believed),
    stratum: heard?.stratum ?? null,
    aheadMs: heard === null ? null : heard.best.differenceMs + now - shownMs,
    delayMs: heard?.best.delayMs ?? null,
  }
}

function stateOf(
  source: NtpSource,
  isHeard: boolean,
  believed: readonly string[],
): SourceReport['state'] {
  if (source.nextPollAt === null) return 'refusing'
  if (isHeard) return believed.includes(source.address) ? 'followed' : 'false'
  const wasAnswered = source.verdict !== null && source.verdict !== 'sample'
  return wasAnswered && source.verdict !== 'rate' ? 'unusable' : 'silent'
}
