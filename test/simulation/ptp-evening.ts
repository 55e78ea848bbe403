/** Twelve hours of a venue whose cables are kicked and whose leaders die; and what is true of it all the while. */
import type { Notice } from '../../runtime/services/clock/venue-time.js'
import {
  byHand,
  crystal,
  lan,
  type NetworkOptions,
  PtpWorld,
  type SimulatedBox,
} from './ptp-world.js'

const SECOND_MS = 1000
const MINUTE_MS = 60_000
const NS_PER_MS = 1e6
/** A box that has just come back may need so long until it runs as the others do. */
const SETTLE_MS = 20_000
/** So long after a leader was lost nobody leads, or several think that they do. */
const VACANT_MS = 3000
/** No oscillator here and no slew makes a second longer or shorter by more. */
const PACE_PPM_MAX = 700

export interface EveningOptions {
  readonly seed: number
  readonly ppm: readonly number[]
  readonly hours: number
  readonly network: NetworkOptions
  /** Logarithms to the base 2 of seconds. */
  readonly logSyncInterval: number
}

export interface Evening {
  /** Between the boxes at one moment, of those that have settled: microseconds, each second, in ascending order. */
  readonly spreadUs: readonly number[]
  /** Readings that went backwards, or on by more than any pace explains. */
  readonly jumps: number
  readonly stepsAfterFirstLock: number
  /** Seconds in which a box that followed was farther from its leader than it said it could be. */
  readonly outsideBound: number
  readonly insideBound: number
  readonly outages: number
  readonly leadersKilled: number
  readonly leadersHeard: number
  /** Times at which a box that came back led again. */
  readonly wonBack: number
  /** From a leader's death until another led, in milliseconds. */
  readonly takeOverMs: readonly number[]
  readonly messages: number
}

export function playEvening(options: EveningOptions): Evening {
  const { logSyncInterval } = options
  const world = new PtpWorld({
    seed: options.seed,
    oscillators: options.ppm.map(crystal),
    network: options.network,
    port: () => ({ logSyncInterval, logDelayRequestInterval: logSyncInterval }),
    startErrorMs: byHand,
  })
  for (const box of world.boxes) world.start(box.index)
  world.run(MINUTE_MS)
  world.setShowMode(true)
  const course = new Course(world)
  const seconds = options.hours * 3600
  for (let second = 60; second < seconds; second++) {
    course.disturb(second, seconds)
    world.run((second + 1) * SECOND_MS)
    course.look()
  }
  return course.evening()
}

class Course {
  readonly #world: PtpWorld
  readonly #spreadUs: number[] = []
  readonly #lastNs = new Map<SimulatedBox, { readonly life: number; readonly showNs: bigint }>()
  readonly #takeOverMs: number[] = []
  #jumps = 0
  #outages = 0
  #leadersKilled = 0
  #outsideBound = 0
  readonly #leaderLostMs: number[] = []
  #insideBound = 0
  readonly #restarted: { readonly box: SimulatedBox; readonly noticesBefore: number }[] = []

  constructor(world: PtpWorld) {
    this.#world = world
  }

  /** A cable every few minutes, for seconds; the leader's life every hour, for a minute. */
  disturb(second: number, seconds: number): void {
    const world = this.#world
    const isEnding = second > seconds - 120
    if (isEnding) return
    if (world.random() < 1 / 240) this.#flap()
    if (second % 3600 === 1800) this.#killLeader()
  }

  look(): void {
    const settled = this.#world.boxes.filter(box => this.#isSettled(box))
    this.#spreadUs.push(this.#world.spreadUs(settled))
    this.#checkBounds(settled)
    for (const box of this.#world.boxes) if (box.isOn) this.#pace(box)
  }

  #checkBounds(settled: readonly SimulatedBox[]): void {
    const [leader, other] = this.#world.leaders()
    if (!leader || other) return
    for (const box of settled) {
      if (box.time.clock.state !== 'slave') continue
      const offNs = Math.abs(Number(this.#world.showNs(box) - this.#world.showNs(leader)))
      if (offNs > this.#world.errorNs(box)) this.#outsideBound++
      else this.#insideBound++
    }
  }

  evening(): Evening {
    const notices = this.#world.boxes.flatMap(({ notices }) => notices)
    const leaders = notices.filter(({ notice }) => notice.kind === 'leader')
    return {
      spreadUs: this.#spreadUs.sort((a, b) => a - b),
      jumps: this.#jumps,
      stepsAfterFirstLock: this.#world.boxes.reduce((sum, box) => sum + laterSteps(box), 0),
      outsideBound: this.#outsideBound,
      insideBound: this.#insideBound,
      outages: this.#outages,
      leadersKilled: this.#leadersKilled,
      leadersHeard: leaders.length,
      wonBack: this.#restarted.filter(one => this.#hasWonBack(one)).length,
      takeOverMs: this.#takeOverMs,
      messages: this.#world.messageCount,
    }
  }

  /** Linked or not: who has lost its cable goes on at the rate it has learned. */
  #isSettled({ isOn, startedMs }: SimulatedBox): boolean {
    return isOn && this.#world.nowMs - startedMs >= SETTLE_MS
  }

  #flap(): void {
    const world = this.#world
    const box = world.box(Math.floor(world.random() * world.boxes.length))
    if (!box.isLinked) return
    this.#outages++
    if (box.time.clock.state === 'master') this.#leaderLostMs.push(world.nowMs)
    world.unplug(box.index)
    world.at(world.nowMs + 200 + world.random() * 10_000, () => world.plug(box.index))
  }

  #killLeader(): void {
    const world = this.#world
    const [leader] = world.leaders().filter(({ isLinked }) => isLinked)
    if (!leader) return
    this.#leadersKilled++
    const diedMs = world.nowMs
    const learnedPpm = leader.scale.learnedPpm
    world.kill(leader.index)
    this.#watchTakeOver(diedMs)
    world.at(diedMs + MINUTE_MS, () => {
      this.#lastNs.delete(leader)
      this.#restarted.push({ box: leader, noticesBefore: leader.notices.length })
      world.start(leader.index, learnedPpm)
    })
  }

  #watchTakeOver(diedMs: number): void {
    const world = this.#world
    const look = (): void => {
      const isLed = world.leaders().some(({ isLinked }) => isLinked)
      if (isLed) this.#takeOverMs.push(world.nowMs - diedMs)
      else world.at(world.nowMs + 10, look)
    }
    world.at(diedMs + 10, look)
  }

  #pace(box: SimulatedBox): void {
    const before = this.#lastNs.get(box)
    const showNs = this.#world.showNs(box)
    this.#lastNs.set(box, { life: box.life, showNs })
    if (before?.life !== box.life) return
    const isLocking = this.#world.nowMs - box.startedMs < SETTLE_MS
    const offNs = Math.abs(Number(showNs - before.showNs) - SECOND_MS * NS_PER_MS)
    if (!isLocking && offNs > PACE_PPM_MAX * 1000) this.#jumps++
  }

  /** Within a minute of its return it led, though nobody had kicked the leader's cable. */
  #hasWonBack({ box, noticesBefore }: { box: SimulatedBox; noticesBefore: number }): boolean {
    const lives = box.notices.slice(noticesBefore)
    const untilMs = (lives[0]?.atMs ?? 0) + MINUTE_MS
    return lives.some(
      ({ atMs, notice }) => atMs < untilMs && isLeading(notice) && !this.#isVacant(atMs),
    )
  }

  #isVacant(atMs: number): boolean {
    return this.#leaderLostMs.some(lostMs => lostMs < atMs && atMs - lostMs < VACANT_MS)
  }
}

const isLeading = (notice: Notice): boolean => notice.kind === 'state' && notice.state === 'master'

/** In each life the first is the first lock. */
function laterSteps({ notices, life }: SimulatedBox): number {
  const steps = notices.filter(({ notice }) => notice.kind === 'stepped').length
  const lives = Math.ceil(life / 2)
  return Math.max(0, steps - lives)
}

export const FIVE_PPM = [50, -50, 20, -31, 7] as const
export const venue = { ppm: FIVE_PPM, network: lan } as const

/** @param share 0 to 1 of values in ascending order */
export const at = (values: readonly number[], share: number): number =>
  values[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? Number.NaN
