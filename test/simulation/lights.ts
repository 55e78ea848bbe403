/** Holds what hangs on the wires against what the show says: every channel, at every moment that is looked at. */
import { dutyOf, GAMMA_USUAL } from '../../drivers/gamma.js'
import { type Binding, bind, channelsOf } from '../../runtime/services/show/channels.js'
import type { CheckedShow } from '../../runtime/services/show/checked-show.js'
import type { Payload } from '../../runtime/topics.js'
import type { Model } from './model.js'
import { panicDuties } from './storm-show.js'
import type { World } from './world.js'

/** A frame of 25 ms, what the bus takes, and the moments between. */
const BEHIND_MS = 60
/** How far a bus that was slow lately may shift a frame, either way. */
const SLOW_BUS_MS = 180
const STEP_MS = 5
const GRACE_MS = 200
/** Between two moments that are looked at, a fade goes on. */
const MOVING = 0.05
const STEP_OF_DIMMER = 1.01 / 4096

/** Which device a line or an output of the board stands for. */
const lines: Readonly<Record<string, string>> = { 'lamp-left': 'light-1', 'lamp-right': 'light-2' }

export class Lights {
  readonly #world: World
  readonly #show: CheckedShow
  readonly #model: Model
  readonly #broken: (problem: string) => void
  #bindings: readonly Binding[] = []
  /** By device: its state, and since when. */
  readonly #states = new Map<string, { readonly state: string; readonly sinceMs: number }>()
  /** By device: how much is wrong with it, and until when it is no wonder that it shows something else. */
  readonly #troubles = new Map<string, { readonly count: number; readonly backMs: number }>()
  /** How often a light was held against the show, at rest and moving, and how often it was in trouble. */
  readonly checked = { atRest: 0, moving: 0, dark: 0, panic: 0 }

  constructor(world: World, show: CheckedShow, model: Model, broken: (problem: string) => void) {
    this.#world = world
    this.#show = show
    this.#model = model
    this.#broken = broken
    world.hear('device/state', state => this.#note(state))
    world.ending.listen(() => {
      this.#states.clear()
      this.#troubles.clear()
    })
  }

  begin(): void {
    const { fitted } = this.#world.box
    const lights = new Map(
      fitted.flatMap(part => (part.kind === 'light' ? [[part.device.name, part.device]] : [])),
    )
    this.#bindings = bind(this.#show, 'box-1', lights).bindings
    for (const { light } of this.#bindings) this.#excuse(light.name, GRACE_MS)
  }

  /** Something is wrong with the device from now on. */
  spoil(device: string): void {
    const known = this.#troubles.get(device)
    this.#troubles.set(device, { count: (known?.count ?? 0) + 1, backMs: known?.backMs ?? 0 })
  }

  /** It is well again, and comes back within so long. */
  heal(device: string, comesBackMs: number): void {
    const count = (this.#troubles.get(device)?.count ?? 0) - 1
    this.#troubles.set(device, { count: Math.max(0, count), backMs: this.#backMs(device) })
    this.#excuse(device, comesBackMs)
  }

  #excuse(device: string, forMs: number): void {
    const count = this.#troubles.get(device)?.count ?? 0
    const untilMs = this.#world.clock.monotonicMs() + forMs
    this.#troubles.set(device, { count, backMs: Math.max(untilMs, this.#backMs(device)) })
  }

  #backMs(device: string): number {
    return this.#troubles.get(device)?.backMs ?? 0
  }

  stateOf(device: string): string {
    return this.#states.get(device)?.state ?? 'unknown'
  }

  check(): void {
    for (const binding of this.#bindings) {
      if (this.#isWell(binding.light.name)) {
        this.#checkLevels(binding)
        this.#checkPanic(binding)
      } else this.#checkDark(binding)
    }
    const violations = this.#world.dimmer?.violations ?? 0
    if (violations > 0) this.#broken(`the data sheet was broken ${violations} times`)
  }

  #note({ device, state, code }: Payload<'device/state'>): void {
    const nowMs = this.#world.clock.monotonicMs()
    this.#states.set(device, { state, sinceMs: nowMs })
    const isSpoilt = (this.#troubles.get(device)?.count ?? 0) > 0
    if (state === 'faulty' && !this.isTroubled(device))
      this.#broken(`${device} is faulty with ${code}, and nothing was done to it`)
    // Coming back it is told anew what to show.
    if (state === 'ready' && !isSpoilt)
      this.#troubles.set(device, { count: 0, backMs: nowMs + GRACE_MS })
  }

  isTroubled(device: string): boolean {
    const { count, backMs } = this.#troubles.get(device) ?? { count: 0, backMs: 0 }
    return count > 0 || this.#world.clock.monotonicMs() <= backMs
  }

  #isWell(device: string): boolean {
    return this.stateOf(device) === 'ready' && !this.isTroubled(device)
  }

  #checkLevels(binding: Binding): void {
    const { name, leadMs } = binding.light
    const nowMs = this.#world.ownClock.showTimeMs()
    const isBusSlow = this.isTroubled('bus')
    const behindMs = BEHIND_MS + leadMs * 2 + (isBusSlow ? SLOW_BUS_MS : 0)
    // A line changes its lead early; a dimmer when its transfer ends, or before while it takes its bus for a slow one.
    const aheadMs = (name in lines ? leadMs : 0) + (isBusSlow ? SLOW_BUS_MS : 1)
    const [low, high] = this.#range(binding, nowMs - behindMs, nowMs, aheadMs)
    const isAtRest = low.every((duty, channel) => duty === high[channel])
    const slack = isAtRest ? STEP_OF_DIMMER : MOVING
    this.checked[isAtRest ? 'atRest' : 'moving']++
    for (const [channel, duty] of this.#seen(name).entries()) {
      const [least = 0, most = 0] = [low[channel], high[channel]]
      if (duty < least - slack || duty > most + slack)
        this.#broken(
          `${name}#${channel} shows ${duty.toFixed(4)}, not ${least.toFixed(4)} to ${most.toFixed(4)}`,
        )
    }
  }

  #range(binding: Binding, fromMs: number, nowMs: number, aheadMs: number): [number[], number[]] {
    const { channelCount, name } = binding.light
    const low = new Array<number>(channelCount).fill(1)
    const high = new Array<number>(channelCount).fill(0)
    const gamma = name in lines ? 1 : GAMMA_USUAL
    const found = this.#model.levelsBetween(fromMs, nowMs + aheadMs, { stepMs: STEP_MS, aheadMs })
    for (const levels of found)
      for (const [channel, level] of channelsOf(binding, levels).entries()) {
        const duty = dutyOf(level, gamma)
        low[channel] = Math.min(low[channel] ?? 1, duty)
        high[channel] = Math.max(high[channel] ?? 0, duty)
      }
    return [low, high]
  }

  #seen(device: string): readonly number[] {
    const line = lines[device]
    if (line !== undefined) return [Number(this.#world.host.wire(line).isActive)]
    return device === 'spot' ? [this.#world.host.pwm('pwm-1').duty] : this.#world.seen().dimmer
  }

  /** Without asking the model: what the show's document says of panic. */
  #checkPanic({ light: { name } }: Binding): void {
    const { panic } = this.#model.state
    const onMs = this.#world.ownClock.showTimeMs() - panic.startMs
    const slowMs = this.isTroubled('bus') ? SLOW_BUS_MS : 0
    if (!panic.isOn || onMs < 200 + BEHIND_MS + slowMs) return
    this.checked.panic++
    const wanted = name === 'wash' ? panicDuties : [0]
    for (const [channel, duty] of this.#seen(name).entries())
      if (Math.abs(duty - (wanted[channel] ?? 0)) > STEP_OF_DIMMER)
        this.#broken(`${name}#${channel} shows ${duty} after ${onMs} ms of panic`)
  }

  /** A dimmer that does not answer is switched off by its other wire. */
  #checkDark({ light: { name } }: Binding): void {
    const known = this.#states.get(name)
    if (name !== 'wash' || known?.state !== 'faulty') return
    this.checked.dark++
    if (this.#seen(name).some(duty => duty > 0)) this.#broken(`${name} is faulty, and shines`)
  }
}
