/**
 * The masters that a port hears (IEEE 1588-2008, 9.3.2.4 and 9.3.2.5): which of them count, and for how long. Memory
 * and work are bounded however many there are: in a storm the best of them stay.
 */
import { forgetOldest } from '../../../core/oldest.js'
import { after } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { compare, type DataSet, dataSetOf } from './data-set.js'
import type { Announce } from './message.js'
import { isSamePort, type PortIdentity } from './wire.js'

/** FOREIGN_MASTER_TIME_WINDOW, in announce intervals, for FOREIGN_MASTER_THRESHOLD, two messages. */
const WINDOW_INTERVALS = 4
const MASTERS_MAX = 32
const DISTRUSTED_MAX = 64
/** An Announce so little behind the last was overtaken; farther behind, its master has started again. */
const OVERTAKEN_MAX = 16
const STEPS_REMOVED_END = 255

export interface ForeignMaster {
  readonly announce: Announce
  readonly dataSet: DataSet
  /** Where its messages come from. */
  readonly address: string
  readonly heardAt: MonotonicMs
}

interface Entry extends ForeignMaster {
  /** Heard twice in time; stays so until it falls silent. */
  readonly isQualified: boolean
  readonly intervalMs: number
}

export interface ForeignMastersOptions {
  readonly receiver: PortIdentity
  /** Of the own profile, in milliseconds; a master that announces less often is given its own. */
  readonly announceIntervalMs: number
  readonly announceReceiptTimeout: number
}

export class ForeignMasters {
  readonly #options: ForeignMastersOptions
  #entries: Entry[] = []
  /** Grandmasters whose time was not believed, and until when. */
  readonly #distrusted = new Map<string, MonotonicMs>()

  constructor(options: ForeignMastersOptions) {
    this.#options = options
  }

  /** How many are kept, whether they count or not. */
  get size(): number {
    return this.#entries.length
  }

  /** @returns false where the message does not count: a loop, too far from its root, overtaken, not believed */
  hear(announce: Announce, at: MonotonicMs, address: string, parent: PortIdentity | null): boolean {
    if (!this.#isAcceptable(announce, at)) return false
    const known = this.#entries.findIndex(one =>
      isSamePort(one.announce.header.source, announce.header.source),
    )
    const before = this.#entries[known]
    if (before !== undefined && isOvertaken(before.announce, announce)) return false
    const intervalMs = Math.max(this.#options.announceIntervalMs, toldIntervalMs(announce))
    const isAgain = before !== undefined && at - before.heardAt <= WINDOW_INTERVALS * intervalMs
    const entry: Entry = {
      announce,
      dataSet: dataSetOf(announce, this.#options.receiver),
      address,
      heardAt: at,
      isQualified: isAgain || before?.isQualified === true,
      intervalMs,
    }
    if (before === undefined) this.#admit(entry, parent)
    else this.#entries[known] = entry
    return true
  }

  /** The best of those that were heard twice; null when there is none. */
  best(): ForeignMaster | null {
    let best: Entry | null = null
    for (const entry of this.#entries)
      if (entry.isQualified && (best === null || isBetter(entry, best))) best = entry
    return best
  }

  /** When the next of them may fall silent, and all that must be decided anew then; null when none is known. */
  nextExpiry(parent: PortIdentity | null): MonotonicMs | null {
    let next: MonotonicMs | null = null
    for (const entry of this.#entries) {
      const expiry = this.#expiry(entry, parent)
      if (next === null || expiry < next) next = expiry
    }
    return next
  }

  /** Forgets who has fallen silent. */
  expire(now: MonotonicMs, parent: PortIdentity | null): void {
    this.#entries = this.#entries.filter(entry => this.#expiry(entry, parent) > now)
    for (const [identity, until] of this.#distrusted)
      if (until <= now) this.#distrusted.delete(identity)
  }

  /** Nothing of this grandmaster counts until then. The oldest such entry gives way when there are too many. */
  distrust(grandmaster: string, until: MonotonicMs): void {
    this.#distrusted.delete(grandmaster)
    this.#distrusted.set(grandmaster, until)
    forgetOldest(this.#distrusted, DISTRUSTED_MAX)
    this.#entries = this.#entries.filter(
      ({ announce }) => announce.grandmaster.identity !== grandmaster,
    )
  }

  clear(): void {
    this.#entries = []
  }

  #isAcceptable({ stepsRemoved, grandmaster }: Announce, at: MonotonicMs): boolean {
    const isLoop = grandmaster.identity === this.#options.receiver.clock
    const until = this.#distrusted.get(grandmaster.identity)
    return stepsRemoved < STEPS_REMOVED_END && !isLoop && (until === undefined || until <= at)
  }

  #expiry(entry: Entry, parent: PortIdentity | null): MonotonicMs {
    const isParent = parent !== null && isSamePort(entry.announce.header.source, parent)
    const intervals = isParent ? this.#options.announceReceiptTimeout : WINDOW_INTERVALS
    return after(entry.heardAt, intervals * entry.intervalMs)
  }

  /** Where there is no room the worst gives way, the new one included; the parent never does. */
  #admit(entry: Entry, parent: PortIdentity | null): void {
    if (this.#entries.length < MASTERS_MAX) {
      this.#entries.push(entry)
      return
    }
    let loser = 0
    for (let index = 1; index < this.#entries.length; index++) {
      const [worst, other] = [this.#entries[loser], this.#entries[index]]
      if (worst && other && givesWay(other, worst, parent)) loser = index
    }
    const worst = this.#entries[loser]
    if (worst && givesWay(worst, entry, null)) this.#entries[loser] = entry
  }
}

/** Whether the first gives way before the second. */
function givesWay(one: Entry, other: Entry, parent: PortIdentity | null): boolean {
  const [isOneParent, isOtherParent] = [one, other].map(
    entry => parent !== null && isSamePort(entry.announce.header.source, parent),
  )
  if (isOneParent !== isOtherParent) return isOtherParent === true
  return isBetter(other, one)
}

const isBetter = (one: ForeignMaster, other: ForeignMaster): boolean =>
  compare(one.dataSet, other.dataSet).order < 0

/** The same again, or one that a later one has overtaken. */
function isOvertaken(before: Announce, announce: Announce): boolean {
  const behind = (before.header.sequenceId - announce.header.sequenceId) & 0xffff
  return behind < OVERTAKEN_MAX
}

const LOG_INTERVAL_MIN = -4
const LOG_INTERVAL_MAX = 4

/** Zero where what it says is no interval. */
function toldIntervalMs({ header: { logInterval } }: Announce): number {
  const isInterval = logInterval >= LOG_INTERVAL_MIN && logInterval <= LOG_INTERVAL_MAX
  return isInterval ? 1000 * 2 ** logInterval : 0
}

/** Whether a master tells something else than before. */
export function isNews(before: ForeignMaster, now: ForeignMaster): boolean {
  const [a, b] = [before.announce, now.announce]
  const [x, y] = [a.grandmaster, b.grandmaster]
  return (
    x.identity !== y.identity ||
    x.clockClass !== y.clockClass ||
    x.accuracy !== y.accuracy ||
    a.stepsRemoved !== b.stepsRemoved ||
    a.header.flags !== b.header.flags ||
    a.utcOffsetS !== b.utcOffsetS
  )
}

/** Whether both are the same port with the same grandmaster: what was measured of one holds for the other. */
export function isSameRoot(one: ForeignMaster | null, other: ForeignMaster | null): boolean {
  if (one === null || other === null) return one === other
  const [a, b] = [one.announce, other.announce]
  return (
    isSamePort(a.header.source, b.header.source) &&
    a.grandmaster.identity === b.grandmaster.identity
  )
}
