/** One port of PTP, and whoever speaks to it: messages are written out, moments are milliseconds from zero. */
import { randomFrom } from '../../../../runtime/core/random.js'
import { monotonicMs } from '../../../../runtime/core/time.js'
import {
  type Announce,
  Flag,
  type Grandmaster,
  type Header,
  type Message,
  type Timed,
} from '../../../../runtime/services/clock/ptp/message.js'
import { OrdinaryClock } from '../../../../runtime/services/clock/ptp/ordinary-clock.js'
import { parse } from '../../../../runtime/services/clock/ptp/parse.js'
import type {
  Action,
  Exchange,
  PortOptions,
  PortState,
  Send,
} from '../../../../runtime/services/clock/ptp/port.js'
import { serialise } from '../../../../runtime/services/clock/ptp/serialise.js'
import type { PortIdentity } from '../../../../runtime/services/clock/ptp/wire.js'

export const OWN = '5555555555555555'
export const LOWER = '1111111111111111'
export const HIGHER = '9999999999999999'

export const portOptions = (changes: Partial<PortOptions> = {}): PortOptions => ({
  identity: { clock: OWN, port: 1 },
  domain: 42,
  isSlaveOnly: false,
  priority1: 128,
  priority2: 128,
  quality: { clockClass: 248, accuracy: 0xfe, variance: 0xffff },
  timeProperties: { utcOffsetS: 37, flags: 0, timeSource: 0xa0 },
  logAnnounceInterval: 0,
  logSyncInterval: 0,
  logDelayRequestInterval: 0,
  announceReceiptTimeout: 3,
  delayRequests: 'multicast',
  description: {
    hardwareAddress: Uint8Array.of(0x55, 0x55, 0x55, 0x55, 0x55, 0x55),
    address: '10.0.0.5',
    product: 'box',
    revision: '1',
    name: 'left',
  },
  ...changes,
})

export const header = (clock: string, changes: Partial<Header> = {}): Header => ({
  sdo: 0,
  minorVersion: 0,
  domain: 42,
  flags: 0,
  correctionScaled: 0n,
  source: { clock, port: 1 },
  sequenceId: 0,
  logInterval: 0,
  ...changes,
})

export const announce = (
  clock: string,
  sequenceId: number,
  changes: Partial<Omit<Announce, 'grandmaster'>> & { grandmaster?: Partial<Grandmaster> } = {},
): Announce => ({
  type: 'announce',
  header: header(clock, { sequenceId }),
  originNs: 0n,
  utcOffsetS: 37,
  stepsRemoved: 0,
  timeSource: 0xa0,
  tlvs: [],
  ...changes,
  grandmaster: {
    identity: clock,
    priority1: 128,
    clockClass: 248,
    accuracy: 0xfe,
    variance: 0xffff,
    priority2: 128,
    ...changes.grandmaster,
  },
})

const SHOW_NS = 1_790_000_000_000_000_000n
/** What the own timeline shows at a moment. */
export const showAt = (at: number): bigint => SHOW_NS + BigInt(Math.round(at * 1e6))

export class PortRig {
  readonly clock: OrdinaryClock
  readonly states: PortState[] = []
  readonly sent: { readonly message: Message; readonly send: Send; readonly atMs: number }[] = []
  readonly exchanges: Exchange[] = []
  readonly parents: (string | null)[] = []
  nowMs = 0

  constructor(changes: Partial<PortOptions> = {}) {
    this.clock = new OrdinaryClock(portOptions(changes), monotonicMs(0), randomFrom(7))
    this.take(this.clock.start(monotonicMs(0)))
  }

  take(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === 'state') this.states.push(action.state)
      if (action.kind === 'measured') this.exchanges.push(action.exchange)
      if (action.kind === 'parent')
        this.parents.push(action.parent?.announce.grandmaster.identity ?? null)
      if (action.kind !== 'send') continue
      const message = parse(action.bytes)
      if (message) this.sent.push({ message, send: action, atMs: this.nowMs })
    }
  }

  hear(message: Message, options: { from?: string; port?: 'event' | 'general' } = {}): void {
    const isEvent = message.type === 'sync' || message.type === 'delay-request'
    const packet = {
      bytes: serialise(message),
      at: monotonicMs(this.nowMs),
      from: options.from ?? '10.0.0.1',
      port: options.port ?? (isEvent ? 'event' : 'general'),
    } as const
    this.take(this.clock.receive(packet, showAt))
  }

  /** Ticks whenever the clock wants to, up to that moment. */
  pass(untilMs: number): void {
    for (let turns = 0; turns < 10_000; turns++) {
      const next = this.clock.nextTickAt
      if (next === null || next > untilMs) break
      this.nowMs = Math.max(this.nowMs, next)
      this.take(this.clock.tick(monotonicMs(this.nowMs)))
    }
    this.nowMs = untilMs
  }

  departed(token: number, atMs: number): void {
    this.take(this.clock.departed(token, monotonicMs(atMs), showAt))
  }

  /** Two announces make a master count. */
  follow(clock: string, changes: Parameters<typeof announce>[2] = {}): void {
    this.hear(announce(clock, 100, changes))
    this.pass(this.nowMs + 500)
    this.hear(announce(clock, 101, changes))
  }

  sentOf<K extends Message['type']>(type: K): (Message & { type: K })[] {
    return this.sent.flatMap(({ message }) => (isOf(message, type) ? [message] : []))
  }

  lastSend(type: Message['type']): Send {
    const last = this.sent.filter(({ message }) => message.type === type).at(-1)
    if (!last) throw new Error(`no ${type} was sent`)
    return last.send
  }
}

const isOf = <K extends Message['type']>(
  message: Message,
  type: K,
): message is Message & { type: K } => message.type === type

export const timed = (
  type: Timed['type'],
  clock: string,
  sequenceId: number,
  originNs: bigint,
  changes: Partial<Header> = {},
): Timed => ({
  type,
  header: header(clock, { sequenceId, flags: type === 'sync' ? Flag.twoStep : 0, ...changes }),
  originNs,
  tlvs: [],
})

export const delayResponse = (
  clock: string,
  sequenceId: number,
  receivedNs: bigint,
  requester: PortIdentity,
  changes: Partial<Header> = {},
): Message => ({
  type: 'delay-response',
  header: header(clock, { sequenceId, ...changes }),
  receivedNs,
  requester,
  tlvs: [],
})
