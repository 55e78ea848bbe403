/** Tells the others ten times a second that this box is there, and how far it is. */
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Player } from '../../ports/company.js'
import type { Leadership } from './leadership.js'
import { type Beat, MEMBERS_MAX, type VenueCommand } from './messages.js'

const BEAT_MS = 100

export interface HeartbeatOptions {
  readonly make: (count: number) => Beat
  readonly send: (beat: Beat) => void
  /** Before each that comes by itself: whoever stood still is told so first. */
  readonly before: () => void
}

export class Heartbeat {
  readonly #clock: Clock
  readonly #options: HeartbeatOptions
  #spokeAt: MonotonicMs
  #count = 0
  #cancel: Cancel = () => {}
  #isStopped = false

  constructor(clock: Clock, options: HeartbeatOptions) {
    this.#clock = clock
    this.#options = options
    this.#spokeAt = clock.monotonicMs()
  }

  /** When the others could last hear of this box. */
  get spokeAt(): MonotonicMs {
    return this.#spokeAt
  }

  /** At once, and from then on. */
  beat(): void {
    if (this.#isStopped) return
    const { make, send, before } = this.#options
    this.#spokeAt = this.#clock.monotonicMs()
    this.#cancel()
    this.#cancel = this.#clock.runAt(after(this.#spokeAt, BEAT_MS), () => {
      before()
      this.beat()
    })
    send(make(++this.#count))
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }
}

interface Speaker {
  readonly box: string
  readonly isPreferred: boolean
  readonly player: Pick<Player<VenueCommand>, 'fingerprint' | 'isKeeping'>
}

type Standing = Pick<Leadership, 'role' | 'leader' | 'epoch' | 'mayLead' | 'isSettled' | 'party'>

type Heard = 'count' | 'show' | 'head' | 'showMs' | 'boundMs' | 'deliveryP99Ms' | 'hears'

/** What a box says of itself. */
export function beatOf(speaker: Speaker, standing: Standing, rest: Pick<Beat, Heard>): Beat {
  const { box, isPreferred, player } = speaker
  const { role, leader, epoch, mayLead, isSettled } = standing
  const party = role === 'leading' ? standing.party().length + 1 : 1
  return {
    kind: 'beat',
    box,
    role,
    leader,
    epoch,
    party: Math.min(MEMBERS_MAX, party),
    canLead: mayLead,
    isKeeping: player.isKeeping,
    isSettled,
    isPreferred,
    fingerprint: player.fingerprint(),
    ...rest,
  }
}
