/** The other boxes of the venue, as they were last heard. */
import { after } from '../../core/time.js'
import type { MonotonicMs, ShowTimeMs } from '../../ports/clock.js'
import { type Beat, MEMBERS_MAX } from './messages.js'

/** Who is silent for longer is not there. */
export const LEASE_MS = 500
/** Who is silent for so long is not spoken of any more. */
const FORGET_MS = 60_000
/** As many characters of a session as a beat repeats. */
export const HEARING_LENGTH = 8

export interface Member {
  readonly box: string
  readonly session: string
  readonly address: string
  readonly heardAt: MonotonicMs
  readonly beat: Beat
  /** It repeats the own session: what it says was said since this box was started. */
  readonly isProven: boolean
  /** Its show time less the own, the way of its last beat included. */
  readonly apartMs: number
}

/** When a beat came. */
export interface Moment {
  readonly now: MonotonicMs
  readonly showMs: ShowTimeMs
}

export class Members {
  readonly #members = new Map<string, Member>()
  readonly #own: string
  /** Boxes that found no place. */
  turnedAwayCount = 0

  /** @param session of this box */
  constructor(session: string) {
    this.#own = session.slice(0, HEARING_LENGTH)
  }

  /** The same box with another session was started anew: it is proven again when it repeats the own session. */
  note(beat: Beat, session: string, address: string, at: Moment): Member | null {
    const { box } = beat
    const { now, showMs } = at
    const isProven = beat.hears.includes(this.#own)
    const known = this.#members.get(box)
    // Of two lives of one box the one that can be proven is the present one.
    if (known && known.session !== session && known.isProven && !isProven) return null
    if (!known && this.#members.size >= MEMBERS_MAX - 1) {
      this.turnedAwayCount++
      return null
    }
    const apartMs = beat.showMs - showMs
    const member = { box, session, address, heardAt: now, beat, isProven, apartMs }
    this.#members.set(box, member)
    return member
  }

  /**
   * Who says something else than a beat: null unless it comes from a proven life. Only beats say that a box is there: what
   * was sent by a leader that stood still until now must not make it one again.
   */
  speaker(box: string, session: string): Member | null {
    const known = this.#members.get(box)
    return known?.isProven && known.session === session ? known : null
  }

  /** It has said that it goes. */
  remove(box: string): void {
    this.#members.delete(box)
  }

  get(box: string | null): Member | null {
    return box === null ? null : (this.#members.get(box) ?? null)
  }

  /** Proven, and heard within the lease. */
  live(now: MonotonicMs): readonly Member[] {
    return [...this.#members.values()].filter(
      ({ isProven, heardAt }) => isProven && now <= after(heardAt, LEASE_MS),
    )
  }

  /** Everybody that was heard, by name; forgets who has been silent for long. */
  all(now: MonotonicMs): readonly Member[] {
    for (const { box, heardAt } of [...this.#members.values()])
      if (now > after(heardAt, FORGET_MS)) this.#members.delete(box)
    return [...this.#members.values()].sort((a, b) => (a.box < b.box ? -1 : 1))
  }

  /** For the beat: whom this box hears, so that they know it. */
  hearings(now: MonotonicMs): readonly string[] {
    return [...this.#members.values()]
      .filter(({ heardAt }) => now <= after(heardAt, LEASE_MS))
      .map(({ session }) => session.slice(0, HEARING_LENGTH))
  }
}
