/** Counts what is not believed, and tells the log of it now and then: whoever reaches the port can cause any number. */
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'

const TELL_EVERY_MS = 60_000
const WINDOW_MS = 100
/** Datagrams of one window that are looked at: what boxes of a venue say is a fraction of it. */
const MEMBERS_MAX = 1_000
const MEMBER_MAX = 250
/** Who was not heard before gets what they leave free, so that a flood does not drown them. */
const STRANGERS_MAX = 300
const STRANGER_MAX = 100

export type Refusal = 'forged' | 'replayed' | 'malformed' | 'flood'

export class Refusals {
  readonly #clock: Clock
  readonly #log: Log
  /** Of boxes whose seal was true, and who are there. */
  readonly #addresses: () => readonly string[]
  readonly #counts = { forged: 0, replayed: 0, malformed: 0, flood: 0 }
  #toldAt: MonotonicMs | null = null
  #windowAt: MonotonicMs
  #members: ReadonlySet<string> = new Set()
  #memberCount = 0
  #strangerCount = 0
  /** By address, in this window. */
  readonly #looks = new Map<string, number>()

  constructor(clock: Clock, log: Log, addresses: () => readonly string[]) {
    this.#clock = clock
    this.#log = log
    this.#addresses = addresses
    this.#windowAt = clock.monotonicMs()
  }

  get counts(): Readonly<Record<Refusal, number>> {
    return this.#counts
  }

  /** Whether one more datagram is looked at. */
  isTooMuch(from: string): boolean {
    const now = this.#clock.monotonicMs()
    if (now > after(this.#windowAt, WINDOW_MS)) this.#begin(now)
    const isMember = this.#members.has(from)
    const count = this.#looks.get(from) ?? 0
    const isFull = isMember
      ? count >= MEMBER_MAX || this.#memberCount >= MEMBERS_MAX
      : count >= STRANGER_MAX || this.#strangerCount >= STRANGERS_MAX
    if (isFull) return true
    this.#looks.set(from, count + 1)
    if (isMember) this.#memberCount++
    else this.#strangerCount++
    return false
  }

  #begin(now: MonotonicMs): void {
    this.#windowAt = now
    this.#members = new Set(this.#addresses())
    this.#memberCount = 0
    this.#strangerCount = 0
    this.#looks.clear()
  }

  add(refusal: Refusal, from: string): void {
    this.#counts[refusal]++
    const now = this.#clock.monotonicMs()
    if (this.#toldAt !== null && now < after(this.#toldAt, TELL_EVERY_MS)) return
    this.#toldAt = now
    this.#log.warn('venue.refused', { from, ...this.#counts })
  }
}
