/**
 * Less light when the battery must last longer. It stands between the show and the dimmers: what the show says stays as
 * it is, and so do cues, levels by hand and the page; only what reaches the lamps is less bright. Lamps that are only on
 * or off are left alone: half of them is none.
 */
import type { Bus } from '../core/bus.js'
import type { Service } from '../core/lifecycle.js'
import { after, later } from '../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../ports/clock.js'
import type { Light } from '../ports/devices.js'
import type { Log } from '../ports/log.js'
import type { Messages } from '../topics.js'

/** A step in brightness that nobody takes for a cue. */
const STEP = 0.02
const STEP_MS = 100
/** As many changes as one light may be told ahead. */
const TOLD_MAX = 256

export class LightCap implements Service {
  readonly name = 'light-cap'
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #lights: CappedLight[] = []
  #goal = 1
  #cap = 1
  #cancelHearing: Cancel = () => {}
  #cancelStep: Cancel = () => {}

  constructor(clock: Clock, log: Log, bus: Bus<Messages>) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
  }

  /** The light as the show sees it. */
  over(light: Light): Light {
    if (!light.isDimmable) return light
    const capped = new CappedLight(this.#clock, light)
    this.#lights.push(capped)
    return capped
  }

  async start(): Promise<void> {
    this.#cancelHearing = this.#bus.subscribe('power/state', ({ lightCap }) =>
      this.#aimAt(lightCap),
    )
  }

  async stop(): Promise<void> {
    this.#cancelHearing()
    this.#cancelStep()
  }

  #aimAt(goal: number): void {
    if (goal === this.#goal) return
    this.#goal = goal
    this.#log.info('light-cap.set', { share: goal })
    this.#step()
  }

  #step(): void {
    this.#cancelStep()
    if (this.#cap === this.#goal) return
    const away = this.#goal - this.#cap
    this.#cap = Math.abs(away) <= STEP ? this.#goal : this.#cap + Math.sign(away) * STEP
    for (const light of this.#lights) light.setCap(this.#cap)
    const next = after(this.#clock.monotonicMs(), STEP_MS)
    this.#cancelStep = this.#clock.runAt(next, () => this.#step())
  }
}

interface Told {
  readonly levels: readonly number[]
  readonly at: MonotonicMs
}

/** Hands everything through, and less light where there is a cap. */
class CappedLight implements Light {
  readonly name: string
  readonly channelCount: number
  readonly isDimmable = true
  readonly #clock: Clock
  readonly #light: Light
  #cap = 1
  /** What the light shows, and what it has been told for later. */
  #told: readonly Told[] = []

  constructor(clock: Clock, light: Light) {
    this.#clock = clock
    this.#light = light
    this.name = light.name
    this.channelCount = light.channelCount
  }

  get leadMs(): number {
    return this.#light.leadMs
  }

  apply(levels: readonly number[], at: MonotonicMs): void {
    const now = this.#clock.monotonicMs()
    const shown = this.#told.findLastIndex(told => told.at <= now)
    this.#told = [...this.#told.slice(Math.max(0, shown)).slice(-TOLD_MAX), { levels, at }]
    this.#light.apply(this.#capped(levels), at)
  }

  /** What was handed over already stays as it is; after it comes the same once more, with the new cap. */
  setCap(cap: number): void {
    this.#cap = cap
    const last = this.#told.at(-1)
    if (last === undefined) return
    const { levels, at } = last
    this.#light.apply(this.#capped(levels), later(at, this.#clock.monotonicMs()))
  }

  #capped(levels: readonly number[]): readonly number[] {
    return this.#cap === 1 ? levels : levels.map(level => level * this.#cap)
  }

  cancelPlanned(): void {
    const now = this.#clock.monotonicMs()
    this.#told = this.#told.filter(({ at }) => at <= now)
    this.#light.cancelPlanned()
  }

  start(): Promise<void> {
    return this.#light.start()
  }

  stop(): Promise<void> {
    return this.#light.stop()
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#light.onFault(listener)
  }

  onApplied(listener: Parameters<Light['onApplied']>[0]): Cancel {
    return this.#light.onApplied(listener)
  }

  blackout(): void {
    this.#light.blackout()
  }

  restore(): void {
    this.#light.restore()
  }
}
