/** What the venue's clock says of itself: collected from what happens to it, told as one state. */
import { NS_PER_MS } from '../../core/time.js'
import type { MonotonicMs, WallTimeMs } from '../../ports/clock.js'
import type { Payload } from '../../topics.js'
import type { Counts } from './ptp/packet-counts.js'
import type { PortState } from './ptp/port.js'
import type { ShowScale } from './show-scale.js'
import type { Notice, VenueTime } from './venue-time.js'

type State = Payload<'clock/state'>

/** What only whoever carries the clock knows. */
interface Surroundings {
  readonly now: MonotonicMs
  readonly wallMs: WallTimeMs
  readonly isFrozen: boolean
  readonly interface: string | null
  readonly domain: number | null
  readonly stamps: State['stamps']
}

export class ClockReport {
  /** Why there is no link; null while there is one, or none is wanted. */
  trouble: string | null = null
  #port: PortState = 'initializing'
  #leader: string | null = null
  #lastLeader: string | null = null
  #leaderChanges = 0
  #steps = 0
  #distrusted = 0
  #notSent = 0
  #isNotSentTold = false

  note(notice: Notice): void {
    switch (notice.kind) {
      case 'state':
        this.#port = notice.state
        this.#isNotSentTold = false
        break
      case 'leader':
        if (this.#leader !== null) this.#leaderChanges++
        this.#lastLeader = this.#leader
        this.#leader = notice.identity
        break
      case 'stepped':
        this.#steps++
        break
      case 'distrusted':
        this.#distrusted++
        break
      case 'leader-stepped':
        break
    }
  }

  /** @returns whether it is the first message since the port's state changed that could not be sent */
  noteNotSent(): boolean {
    this.#notSent++
    const isFirst = !this.#isNotSentTold
    this.#isNotSentTold = true
    return isFirst
  }

  /** @param venue null before there was a link */
  state(scale: ShowScale, venue: VenueTime | null, at: Surroundings): State {
    const { estimate = null, leader = null, identity = null, timeline = null } = venue ?? {}
    const isLinked = venue !== null && this.#port !== 'faulty'
    return {
      state: this.#standing(scale),
      identity,
      leader,
      lastLeader: leader === null ? this.#leader : this.#lastLeader,
      timeline,
      interface: at.interface,
      domain: at.domain,
      stamps: isLinked ? at.stamps : null,
      offsetMicroseconds: estimate && microseconds(venue?.offsetNs),
      pathDelayMicroseconds: estimate && microseconds(estimate.delayNs),
      ratePpm: scale.ratePpmAt(at.now),
      errorMs: scale.errorNs(at.now) / NS_PER_MS,
      inheritedErrorMs: scale.inheritedNs / NS_PER_MS,
      clocksHeard: (venue?.clock.counts ?? nothingHeard).masters,
      isFrozen: at.isFrozen,
      wallMs: at.wallMs,
      trouble: this.trouble,
      counts: this.#counts(venue?.clock.counts ?? nothingHeard),
    }
  }

  #counts({ malformed, otherVersion, otherDomain, refused, unanswered }: Counts): State['counts'] {
    return {
      leaderChanges: this.#leaderChanges,
      steps: this.#steps,
      distrusted: this.#distrusted,
      malformed,
      otherVersion,
      otherDomain,
      negativeDelays: refused,
      unanswered,
      notSent: this.#notSent,
    }
  }

  #standing({ hasLed }: ShowScale): State['state'] {
    switch (this.#port) {
      case 'master':
      case 'pre-master':
        return 'leading'
      case 'slave':
        return 'following'
      case 'uncalibrated':
        return 'acquiring'
      case 'listening':
      case 'passive':
        return hasLed ? 'listening' : 'holdover'
      default:
        return hasLed ? 'alone' : 'holdover'
    }
  }
}

const nothingHeard: Counts = {
  malformed: 0,
  otherVersion: 0,
  otherDomain: 0,
  refused: 0,
  unanswered: 0,
  masters: 0,
}

const microseconds = (ns: number | undefined): number | null => (ns === undefined ? null : ns / 1e3)
