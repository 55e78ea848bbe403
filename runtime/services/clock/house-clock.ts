/**
 * The clock of the house, beside the venue's: followed on a port of its own that never leads, and told as how far it is from
 * the show time. It steers nothing. It may show any year: the clocks of audio networks begin at 1970 when they are switched on.
 */
import { Bus } from '../../core/bus.js'
import type { Service } from '../../core/lifecycle.js'
import { after, showTimeMs } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { PtpLink } from '../../ports/ptp-link.js'
import type { ShowMapping } from '../../ports/show-timeline.js'
import type { Messages, Payload } from '../../topics.js'
import { shareTime } from './share-time.js'
import { VenueClock, type VenueClockOptions } from './venue-clock.js'

/** So far ahead the difference is taken once more, to tell how fast it grows: a double holds a microsecond of our days. */
const LEVER_MS = 1e6
const PPM = 1e6

interface Ports {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly link: PtpLink
}

export interface HouseClockOptions
  extends Pick<VenueClockOptions, 'description' | 'random' | 'bootId'> {
  readonly domain: number
}

export class HouseClock implements Service {
  readonly name = 'house-clock'
  readonly #clock: Clock
  readonly #bus: Bus<Messages>
  /** Of the inner clock alone: what it says of itself is not the venue's. */
  readonly #inside = new Bus<Messages>()
  readonly #inner: VenueClock
  #mapping: ShowMapping | null = null
  #cancel: Cancel = () => {}

  constructor({ clock, log, bus, link }: Ports, { domain, ...options }: HouseClockOptions) {
    this.#clock = clock
    this.#bus = bus
    const follow = (mapping: ShowMapping): void => {
      this.#mapping = mapping
    }
    this.#inner = new VenueClock(
      {
        clock,
        log: renamed(log),
        bus: this.#inside,
        files: forgetful,
        timeline: { follow },
        link,
        shareTime,
      },
      {
        ...options,
        ptp: { domain, isPreferred: false, isFollowOnly: true },
        floorMs: null,
        newTimeline: () => '',
      },
    )
  }

  async start(): Promise<void> {
    this.#cancel = this.#inside.subscribe('clock/state', state => this.#tell(state))
    await this.#inner.start()
  }

  async stop(): Promise<void> {
    await this.#inner.stop()
    this.#cancel()
  }

  #tell(state: Payload<'clock/state'>): void {
    const { leader, trouble, stamps, errorMs, wallMs } = state
    const isKnown = state.state === 'following' || state.state === 'holdover'
    const now = this.#clock.monotonicMs()
    const aheadMs = isKnown ? this.#aheadMs(now) : null
    this.#bus.publish('clock/house', {
      state: state.state === 'leading' || state.state === 'alone' ? 'listening' : state.state,
      leader,
      interface: state.interface ?? '',
      domain: state.domain ?? 0,
      stamps,
      aheadMs,
      ratePpm: aheadMs === null ? null : this.#ratePpm(now, aheadMs),
      errorMs: isKnown ? errorMs : null,
      steps: state.counts.steps,
      wallMs,
      trouble,
    })
  }

  /** What the house shows less what the venue does, at one moment. */
  #aheadMs(at: MonotonicMs): number {
    const houseMs = this.#mapping?.showAt(at) ?? showTimeMs(0)
    return houseMs - this.#clock.monotonicToShow(at)
  }

  #ratePpm(at: MonotonicMs, aheadMs: number): number {
    const lever = after(at, LEVER_MS)
    return ((this.#aheadMs(lever) - aheadMs) / LEVER_MS) * PPM
  }
}

/** Nothing of the house is kept over a restart: who comes back looks again. */
const forgetful: Files = {
  read: async () => null,
  replace: async () => {},
  remove: async () => {},
}

/** `clock.leader` of the venue, `house.leader` of the house. */
function renamed(log: Log): Log {
  const own = (event: string): string => event.replace(/^clock\./, 'house.')
  return {
    info: (event, facts) => log.info(own(event), facts),
    warn: (event, facts) => log.warn(own(event), facts),
    error: (event, facts) => log.error(own(event), facts),
  }
}
