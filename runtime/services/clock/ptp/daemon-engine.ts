/**
 * What another program's port of PTP says, as if it were a port of ours that may only follow: its readings go in, states,
 * parents and exchanges come out. Whom that program follows is its own choice; whom the box believes is not.
 */
import { forgetOldest } from '../../../core/oldest.js'
import { after } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import type { PtpLeader, PtpMeasured, PtpReading } from '../../../ports/ptp-daemon.js'
import { dataSetOf } from './data-set.js'
import type { PtpEngine } from './engine.js'
import { type ForeignMaster, isSameRoot } from './foreign-masters.js'
import { type Announce, type Grandmaster, NO_INTERVAL } from './message.js'
import type { Counts } from './packet-counts.js'
import type { Action, Exchange, PortState } from './port.js'
import type { PortIdentity } from './wire.js'

/** Without a reading for so long nobody is followed. */
const SILENT_MS = 3_000
const DISTRUSTED_MAX = 64

export class DaemonEngine implements PtpEngine {
  readonly #identity: PortIdentity
  readonly #domain: number
  readonly #distrusted = new Map<string, MonotonicMs>()
  readonly isFollowed = false
  #state: PortState = 'initializing'
  #parent: ForeignMaster | null = null
  #readAt: MonotonicMs | null = null
  #measuredAt: MonotonicMs | null = null

  /** @param identity of the other program's port */
  constructor(identity: PortIdentity, domain: number) {
    this.#identity = identity
    this.#domain = domain
  }

  get state(): PortState {
    return this.#state
  }

  get parent(): ForeignMaster | null {
    return this.#parent
  }

  get grandmaster(): Grandmaster {
    return this.#parent?.announce.grandmaster ?? { ...nobody, identity: this.#identity.clock }
  }

  get counts(): Counts {
    const masters = this.#parent === null ? 0 : 1
    return { malformed: 0, otherVersion: 0, otherDomain: 0, refused: 0, unanswered: 0, masters }
  }

  get nextTickAt(): MonotonicMs | null {
    return this.#parent === null || this.#readAt === null ? null : after(this.#readAt, SILENT_MS)
  }

  start(): Action[] {
    return this.#listen()
  }

  fail(): Action[] {
    return [...this.#leave(), ...this.#enter('faulty')]
  }

  /** What the other program says now. */
  read({ leader, measured }: PtpReading, now: MonotonicMs): Action[] {
    if (this.#state === 'initializing' || this.#state === 'faulty') return []
    this.#readAt = now
    if (leader === null || this.#isDistrusted(leader, now)) return this.#listen()
    const actions = this.#follow(leader, now)
    if (measured === null || measured.at === this.#measuredAt) return actions
    const isFirst = this.#measuredAt === null
    this.#measuredAt = measured.at
    actions.push({ kind: 'measured', exchange: exchangeOf(measured) })
    return isFirst ? [...actions, ...this.#enter('slave')] : actions
  }

  tick(now: MonotonicMs): Action[] {
    const at = this.nextTickAt
    return at !== null && at <= now ? this.#listen() : []
  }

  distrust(grandmaster: string, until: MonotonicMs): Action[] {
    this.#distrusted.delete(grandmaster)
    this.#distrusted.set(grandmaster, until)
    forgetOldest(this.#distrusted, DISTRUSTED_MAX)
    return this.#listen()
  }

  receive(): Action[] {
    return []
  }

  departed(): Action[] {
    return []
  }

  /** It never leads, and claims nothing. */
  setQuality(): Action[] {
    return []
  }

  setTimeline(): void {}

  setTiming(): void {}

  #isDistrusted({ grandmaster }: PtpLeader, now: MonotonicMs): boolean {
    const until = this.#distrusted.get(grandmaster.identity)
    return until !== undefined && until > now
  }

  #follow(leader: PtpLeader, now: MonotonicMs): Action[] {
    const before = this.#parent
    const announce = announceOf(leader, this.#domain)
    const dataSet = dataSetOf(announce, this.#identity)
    const parent: ForeignMaster = { announce, dataSet, address: '', heardAt: now }
    this.#parent = parent
    if (isSameRoot(before, parent)) return []
    // What it measured of the one before must not be taken for this one's.
    this.#measuredAt = null
    return [{ kind: 'parent', parent }, ...this.#enter('uncalibrated')]
  }

  #listen(): Action[] {
    return [...this.#leave(), ...this.#enter('listening')]
  }

  #leave(): Action[] {
    this.#measuredAt = null
    if (this.#parent === null) return []
    this.#parent = null
    return [{ kind: 'parent', parent: null }]
  }

  #enter(state: PortState): Action[] {
    if (this.#state === state) return []
    this.#state = state
    return [{ kind: 'state', state }]
  }
}

const nobody = { priority1: 255, clockClass: 255, accuracy: 0xfe, variance: 0xffff, priority2: 255 }

/** The offset as the two ways that it was made of. */
function exchangeOf({ at, masterNs, pathDelayNs }: PtpMeasured): Exchange {
  const delayNs = BigInt(Math.max(0, Math.round(pathDelayNs)))
  return {
    syncSentNs: masterNs - delayNs,
    syncReceived: at,
    requestSent: at,
    requestReceivedNs: masterNs + delayNs,
  }
}

const announceOf = (
  { parent, grandmaster, stepsRemoved }: PtpLeader,
  domain: number,
): Announce => ({
  type: 'announce',
  header: {
    sdo: 0,
    minorVersion: 0,
    domain,
    flags: 0,
    correctionScaled: 0n,
    source: parent,
    sequenceId: 0,
    logInterval: NO_INTERVAL,
  },
  originNs: 0n,
  utcOffsetS: 0,
  grandmaster,
  stepsRemoved: Math.max(0, stepsRemoved - 1),
  timeSource: 0,
  tlvs: [],
})
