/**
 * Boxes with oscillators of their own on a network of their own, all in virtual time: what crosses between them are
 * real PTP messages, and what is known of the truth is known only here. The same seed gives the same evening.
 */

import { randomFrom } from '../../runtime/core/random.js'
import { monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import type { PortOptions, Send } from '../../runtime/services/clock/ptp/port.js'
import { type Continued, ShowScale } from '../../runtime/services/clock/show-scale.js'
import { type Notice, type Outcome, VenueTime } from '../../runtime/services/clock/venue-time.js'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000

/** A crystal: how far off it is, how it wanders by chance (ppm per root second), what the temperature does. */
export interface OscillatorOptions {
  readonly ppm: number
  readonly wanderPpm: number
  readonly temperaturePpm: number
  readonly temperaturePeriodMs: number
}

export const crystal = (ppm: number): OscillatorOptions => ({
  ppm,
  wanderPpm: 1e-3,
  temperaturePpm: 0.3,
  temperaturePeriodMs: 4 * HOUR_MS,
})

class Oscillator {
  readonly #options: OscillatorOptions
  readonly #random: () => number
  readonly #phase: number
  #atMs: number
  #localMs: number
  #wander = 0
  #rate = 1

  constructor(options: OscillatorOptions, atMs: number, random: () => number) {
    this.#options = options
    this.#random = random
    this.#phase = random() * 2 * Math.PI
    this.#atMs = atMs
    this.#localMs = 1000 + random() * 1e6
    this.advance(atMs)
  }

  /** Once a second the rate changes a little. */
  advance(atMs: number): void {
    const { ppm, wanderPpm, temperaturePpm, temperaturePeriodMs } = this.#options
    this.#localMs = this.localAt(atMs)
    this.#atMs = atMs
    this.#wander += wanderPpm * normal(this.#random)
    const angle = (2 * Math.PI * atMs) / temperaturePeriodMs + this.#phase
    this.#rate = 1 + (ppm + this.#wander + temperaturePpm * Math.sin(angle)) * 1e-6
  }

  localAt(atMs: number): MonotonicMs {
    return monotonicMs(this.#localMs + (atMs - this.#atMs) * this.#rate)
  }

  trueAt(local: MonotonicMs): number {
    return this.#atMs + (local - this.#localMs) / this.#rate
  }
}

const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

export interface NetworkOptions {
  readonly delayMs: number
  /** Mean of what queues add, exponentially distributed: messages overtake each other. */
  readonly jitterMs: number
  /** 0 to 1. */
  readonly loss: number
  readonly doubled: number
}

/** Up to half a second either way, as a battery-backed clock that somebody set by hand. */
export const byHand = (_index: number, random: () => number): number => 1000 * (random() - 0.5)

export const lan: NetworkOptions = { delayMs: 0.05, jitterMs: 0.02, loss: 0.001, doubled: 0.0005 }

/** Of what the messages take from one box to another, beside what all take; null when they do not arrive. */
export type Way = (from: number, to: number) => number | null

export interface SimulatedBox {
  readonly index: number
  readonly oscillator: Oscillator
  scale: ShowScale
  time: VenueTime
  isOn: boolean
  isLinked: boolean
  /** True time of its last start. */
  startedMs: number
  life: number
  readonly notices: { readonly atMs: number; readonly notice: Notice }[]
  tickAtMs: number
  /** True time until which its process stands still; the kernel stamps what comes meanwhile. */
  stalledUntilMs: number
}

export interface WorldOptions {
  readonly seed: number
  readonly oscillators: readonly OscillatorOptions[]
  readonly network: NetworkOptions
  readonly port: (index: number) => Partial<PortOptions>
  /** How far off the truth each box is at its start, in ms. */
  readonly startErrorMs: (index: number, random: () => number) => number
}

const LATE_MS = 1e-3
const SHOW_AT_ZERO_NS = 1_790_000_000_000_000_000n
const FLOOR_NS = 1_700_000_000_000_000_000n

export const venuePort = (index: number, options: Partial<PortOptions>): PortOptions => ({
  identity: { clock: `0242acfffe0000${index.toString(16).padStart(2, '0')}`, port: 1 },
  domain: 42,
  isSlaveOnly: false,
  priority1: 128,
  priority2: 128,
  quality: { clockClass: 248, accuracy: 0xfe, variance: 0xffff },
  timeProperties: { utcOffsetS: 37, flags: 0, timeSource: 0xa0 },
  logAnnounceInterval: -2,
  logSyncInterval: -3,
  logDelayRequestInterval: -3,
  announceReceiptTimeout: 3,
  delayRequests: 'unicast',
  description: {
    hardwareAddress: Uint8Array.of(2, 0x42, 0xac, 0, 0, index),
    address: `10.0.0.${index + 1}`,
    product: 'simulated',
    revision: '1',
    name: `box ${index}`,
  },
  ...options,
})

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class PtpWorld {
  readonly boxes: SimulatedBox[] = []
  readonly random: () => number
  nowMs = 0
  way: Way = () => 0
  /** Of every message on the network. */
  onMessage: (from: number, bytes: Uint8Array) => void = () => {}
  messageCount = 0
  isInShow = false
  readonly #options: WorldOptions
  readonly #events = new Heap()
  #order = 0
  #timelineCount = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = randomFrom(options.seed)
    for (const [index, one] of options.oscillators.entries()) {
      const oscillator = new Oscillator(one, 0, this.random)
      const life = this.#life(index, oscillator, null)
      this.boxes.push({
        index,
        oscillator,
        ...life,
        isOn: false,
        isLinked: true,
        startedMs: 0,
        life: 0,
        notices: [],
        tickAtMs: Number.POSITIVE_INFINITY,
        stalledUntilMs: 0,
      })
    }
    this.at(SECOND_MS, () => this.#everySecond())
  }

  at(atMs: number, run: () => void): void {
    this.#events.add({ atMs, order: this.#order++, run })
  }

  run(untilMs: number): void {
    for (
      let event = this.#events.takeUntil(untilMs);
      event;
      event = this.#events.takeUntil(untilMs)
    ) {
      this.nowMs = event.atMs
      event.run()
    }
    this.nowMs = untilMs
  }

  /** Power on: a new life, which knows at most the rate that the last one has learned. */
  start(index: number, learnedPpm: number | null = null, continued: Continued | null = null): void {
    const box = this.box(index)
    Object.assign(box, this.#life(index, box.oscillator, learnedPpm, continued))
    box.isOn = true
    box.life++
    box.startedMs = this.nowMs
    box.time.setShowMode(this.isInShow, this.#local(box))
    this.#carry(box, box.time.start(this.#local(box)))
  }

  /** The program ends and begins again `afterMs` later, while the machine stays up: it finds what it kept. */
  restart(index: number, afterMs: number): void {
    const box = this.box(index)
    const { learnedPpm } = box.scale
    const continued = box.scale.continuation(this.#local(box))
    this.kill(index)
    this.at(this.nowMs + afterMs, () => this.start(index, learnedPpm, continued))
  }

  /** Power off: nothing is said goodbye to. */
  kill(index: number): void {
    this.box(index).isOn = false
    this.box(index).life++
  }

  /** Its process stands still, as by SIGSTOP: nothing is lost, and everything comes late. */
  stall(index: number, ms: number): void {
    this.box(index).stalledUntilMs = this.nowMs + ms
  }

  /** The cable is out; the box notices. */
  unplug(index: number): void {
    const box = this.box(index)
    if (!box.isLinked) return
    box.isLinked = false
    if (box.isOn) this.#carry(box, box.time.fail(this.#local(box)))
  }

  plug(index: number): void {
    const box = this.box(index)
    if (box.isLinked) return
    box.isLinked = true
    if (box.isOn) this.#carry(box, box.time.start(this.#local(box)))
  }

  setShowMode(isInShow: boolean): void {
    this.isInShow = isInShow
    for (const box of this.boxes) box.time.setShowMode(isInShow, this.#local(box))
  }

  /** Anybody on the wire says something, to all. */
  inject(bytes: Uint8Array, port: 'event' | 'general'): void {
    for (const box of this.boxes) this.#transmit(-1, box, bytes, port)
  }

  box(index: number): SimulatedBox {
    const box = this.boxes[index]
    if (!box) throw new Error(`there is no box ${index}`)
    return box
  }

  showNs(box: SimulatedBox): bigint {
    return box.scale.showAtNs(this.#local(box))
  }

  errorNs(box: SimulatedBox): number {
    return box.scale.errorNs(this.#local(box))
  }

  /** Between the slowest and the fastest of them at this moment, in microseconds. */
  spreadUs(boxes: readonly SimulatedBox[]): number {
    const shown = boxes.map(box => this.showNs(box))
    const least = shown.reduce((a, b) => (a < b ? a : b))
    return Math.max(...shown.map(ns => Number(ns - least))) / 1000
  }

  leaders(): SimulatedBox[] {
    return this.boxes.filter(({ isOn, time }) => isOn && time.clock.state === 'master')
  }

  #life(
    index: number,
    oscillator: Oscillator,
    learnedPpm: number | null,
    continued: Continued | null = null,
  ): { readonly scale: ShowScale; readonly time: VenueTime } {
    const now = oscillator.localAt(this.nowMs)
    const wrongMs = this.nowMs + this.#options.startErrorMs(index, this.random)
    const showNs = SHOW_AT_ZERO_NS + BigInt(Math.round(wrongMs * 1e6))
    const scale = new ShowScale({ at: now, showNs, learnedPpm, continued })
    const options = {
      port: venuePort(index, this.#options.port(index)),
      floorNs: FLOOR_NS,
      timeline: continued === null ? null : this.box(index).time.timeline,
      newTimeline: () => this.#newTimeline(),
    }
    return { scale, time: new VenueTime(scale, options, now, this.random) }
  }

  #newTimeline(): string {
    return (++this.#timelineCount).toString(16).padStart(16, '0')
  }

  #local(box: SimulatedBox): MonotonicMs {
    return box.oscillator.localAt(this.nowMs)
  }

  #everySecond(): void {
    for (const { oscillator } of this.boxes) oscillator.advance(this.nowMs)
    this.at(this.nowMs + SECOND_MS, () => this.#everySecond())
  }

  #carry(box: SimulatedBox, { sends, notices }: Outcome): void {
    for (const notice of notices) box.notices.push({ atMs: this.nowMs, notice })
    for (const send of sends) this.#send(box, send)
    this.#schedule(box)
  }

  #send(box: SimulatedBox, { bytes, port, address, token }: Send): void {
    this.onMessage(box.index, bytes)
    const receivers = this.boxes.filter(
      other => other !== box && (address === null || address === addressOf(other)),
    )
    if (box.isLinked) for (const one of receivers) this.#transmit(box.index, one, bytes, port)
    if (token === null) return
    // The moment it left is told a little after it left.
    const left = this.#local(box)
    const life = box.life
    this.at(this.nowMs + 0.1, () =>
      this.#whenAwake(box, life, () => this.#carry(box, box.time.departed(token, left))),
    )
  }

  #schedule(box: SimulatedBox): void {
    const next = box.time.nextTickAt
    if (next === null) return
    // A timer is never early, however a moment rounds.
    const atMs = Math.max(this.nowMs, box.oscillator.trueAt(next)) + LATE_MS
    if (box.tickAtMs <= atMs && box.tickAtMs >= this.nowMs) return
    box.tickAtMs = atMs
    const life = box.life
    this.at(atMs, () =>
      this.#whenAwake(box, life, () => {
        if (box.tickAtMs === atMs) box.tickAtMs = Number.POSITIVE_INFINITY
        this.#carry(box, box.time.tick(this.#local(box)))
      }),
    )
  }

  #whenAwake(box: SimulatedBox, life: number, task: () => void): void {
    if (!box.isOn || box.life !== life) return
    if (box.stalledUntilMs <= this.nowMs) task()
    else this.at(box.stalledUntilMs, () => this.#whenAwake(box, life, task))
  }

  #transmit(from: number, to: SimulatedBox, bytes: Uint8Array, port: 'event' | 'general'): void {
    const { loss, doubled } = this.#options.network
    if (this.random() < loss) return
    this.#deliver(from, to, bytes, port)
    if (this.random() < doubled) this.#deliver(from, to, bytes, port)
  }

  #deliver(from: number, to: SimulatedBox, bytes: Uint8Array, port: 'event' | 'general'): void {
    const extraMs = this.way(from, to.index)
    if (extraMs === null) return
    const { delayMs, jitterMs } = this.#options.network
    const atMs = this.nowMs + delayMs - jitterMs * Math.log(1 - this.random()) + extraMs
    const life = to.life
    this.at(atMs, () => {
      if (!to.isOn || !to.isLinked || to.life !== life) return
      this.messageCount++
      const packet = { bytes, at: this.#local(to), from: `10.0.0.${from + 1}`, port }
      this.#whenAwake(to, life, () => this.#carry(to, to.time.receive(packet)))
    })
  }
}

const addressOf = (box: SimulatedBox): string => `10.0.0.${box.index + 1}`

/** Binary heap by moment, then by order of request. */
class Heap {
  readonly #heap: Event[] = []

  add(event: Event): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(event)
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex]
      if (!parent || !isBefore(event, parent)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = event
  }

  takeUntil(untilMs: number): Event | null {
    const heap = this.#heap
    const first = heap[0]
    if (!first || first.atMs > untilMs) return null
    const last = heap.pop()
    if (last && last !== first) this.#sink(last)
    return first
  }

  #sink(event: Event): void {
    const heap = this.#heap
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [one, other] = [heap[left], heap[left + 1]]
      const childIndex = one && other && isBefore(other, one) ? left + 1 : left
      const child = heap[childIndex]
      if (!child || !isBefore(child, event)) break
      heap[index] = child
      index = childIndex
    }
    heap[index] = event
  }
}

const isBefore = (a: Event, b: Event): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
