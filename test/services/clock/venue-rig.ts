/** Boxes with crystals of their own on a simulated switch. */

import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPtpLink, SimulatedSwitch } from '../../../drivers/simulated/ptp-link.js'
import { Bus } from '../../../runtime/core/bus.js'
import { type BoxError, DeviceError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { check } from '../../../runtime/core/schema.js'
import type { MonotonicMs } from '../../../runtime/ports/clock.js'
import type { Files } from '../../../runtime/ports/files.js'
import type { PtpLink } from '../../../runtime/ports/ptp-link.js'
import { shareTime } from '../../../runtime/services/clock/share-time.js'
import { VenueClock } from '../../../runtime/services/clock/venue-clock.js'
import { type Messages, type Payload, topics } from '../../../runtime/topics.js'
import { arm } from '../arm.js'
import { OscillatorClock } from './oscillator-clock.js'

type State = Payload<'clock/state'>

export const SHOW_START_MS = 1_790_000_000_000
export const FLOOR_MS = SHOW_START_MS - 10 * 86_400_000
const WAY_MS = 0.1
export const absent = new DeviceError('device.absent', 'eth0 is not there')

export interface BoxOptions {
  readonly ppm?: number
  /** How far its own timeline is from the other's, at first. */
  readonly aheadMs?: number
  readonly isLinked?: boolean
  readonly files?: Files
  readonly bootId?: string
  /** What its battery-backed clock shows beyond the truth. */
  readonly wallAheadMs?: number
  /** What its monotonic clock shows when true time begins. */
  readonly upMs?: number
  readonly floorMs?: number
  readonly domain?: number
  /** Instead of one of its own: the box is the same as another, in its next life. */
  readonly index?: number
}

export class Venue {
  readonly truth = new SimulatedClock({ showStartMs: SHOW_START_MS, driftPpm: 0 })
  readonly random = randomFrom(11)
  readonly switch = new SimulatedSwitch(this.truth, () => WAY_MS + 0.02 * this.random())
  timelineCount = 0
  #boxCount = 0

  box(options: BoxOptions = {}): Box {
    return new Box(this, options.index ?? ++this.#boxCount, options)
  }
}

/** Writes down when it was tried, and can be made to take its time. */
class TriedLink extends SimulatedPtpLink {
  readonly triedMs: number[] = []
  sentCount = 0
  /** Of every message that is sent, while it is not null. */
  refusal: BoxError | null = null
  now: () => number = () => 0
  opens: Promise<void> = Promise.resolve()

  override async open(): Promise<void> {
    this.triedMs.push(this.now())
    await this.opens
    await super.open()
  }

  override send(...message: Parameters<PtpLink['send']>): Promise<MonotonicMs> {
    this.sentCount++
    if (this.refusal !== null) return Promise.reject(this.refusal)
    return super.send(...message)
  }
}

export class Box {
  readonly clock: OscillatorClock
  readonly link: TriedLink
  readonly log = new SimulatedLog()
  readonly bus = new Bus<Messages>()
  readonly files: Files
  readonly service: VenueClock
  /** As the topic's schema let them pass. */
  readonly states: State[] = []
  readonly steppedMs: number[] = []

  constructor(venue: Venue, index: number, options: BoxOptions) {
    const { ppm = 0, aheadMs = 0, isLinked = true, files = new SimulatedFiles() } = options
    const { bootId = `boot ${index}`, wallAheadMs = 0, upMs = index * 1e6 } = options
    const { floorMs = FLOOR_MS, domain = 42 } = options
    const showStartMs = SHOW_START_MS + aheadMs
    this.clock = new OscillatorClock(venue.truth, { ppm, upMs, showStartMs, wallAheadMs })
    this.link = new TriedLink(this.clock, venue.switch, {
      interfaceName: 'eth0',
      address: `10.0.0.${index}`,
      hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, index),
    })
    this.link.now = () => venue.truth.monotonicMs()
    this.files = files
    const { clock, log, bus, link } = this
    bus.subscribe('clock/state', state => {
      this.states.push(check(topics['clock/state'].payload, state, 'clock/state'))
    })
    bus.subscribe('clock/stepped', payload => {
      this.steppedMs.push(check(topics['clock/stepped'].payload, payload, 'stepped').byMs)
    })
    this.service = new VenueClock(
      { clock, log, bus, files, timeline: clock, link: isLinked ? link : null, shareTime },
      {
        ptp: { domain, isPreferred: false, isFollowOnly: false },
        description: { product: 'box', revision: '1', name: `box ${index}` },
        random: venue.random,
        bootId,
        floorMs,
        newTimeline: () => (++venue.timelineCount).toString(16).padStart(16, '0'),
      },
    )
  }

  get state(): State {
    const state = this.states.at(-1)
    if (state === undefined) throw new Error('nothing was told')
    return state
  }

  get identity(): string {
    return `020000fffe0000${this.link.hardwareAddress.at(-1)?.toString(16).padStart(2, '0')}`
  }

  arm(isArmed: boolean): void {
    arm(this.bus, isArmed)
  }
}

export const apartMs = (one: Box, other: Box): number =>
  Math.abs(one.clock.showTimeMs() - other.clock.showTimeMs())

/** What each millisecond of true time was on a box's timeline: the least and the most of it. */
export async function runMs(venue: Venue, box: Box, durationMs: number): Promise<[number, number]> {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let before = box.clock.showTimeMs()
  for (let ms = 0; ms < durationMs; ms++) {
    await venue.truth.advance(1)
    const now = box.clock.showTimeMs()
    least = Math.min(least, now - before)
    most = Math.max(most, now - before)
    before = now
  }
  return [least, most]
}

/** The first leads, and the second follows it by now. */
export async function twoBoxes(options: BoxOptions = {}): Promise<[Venue, Box, Box]> {
  const venue = new Venue()
  const leader = venue.box({ ppm: 20 })
  const follower = venue.box({ ppm: -35, aheadMs: 400, ...options })
  await leader.service.start()
  await venue.truth.advance(3_000)
  await follower.service.start()
  await venue.truth.advance(40_000)
  return [venue, leader, follower]
}
