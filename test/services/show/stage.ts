/** What the tests of the show have in common: a small show, lights that remember, and a box of simulated parts. */
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedNetwork } from '../../../drivers/simulated/network.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { Bus } from '../../../runtime/core/bus.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { Signal } from '../../../runtime/core/signal.js'
import { after, showTimeMs } from '../../../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../../runtime/ports/clock.js'
import type { Capture, CaptureTrigger, Light } from '../../../runtime/ports/devices.js'
import type { Fired } from '../../../runtime/ports/host.js'
import type { Store } from '../../../runtime/ports/store.js'
import { checkShow } from '../../../runtime/services/show/check-show.js'
import type { CheckedShow } from '../../../runtime/services/show/checked-show.js'
import { fold } from '../../../runtime/services/show/fold.js'
import { levels } from '../../../runtime/services/show/levels.js'
import { Show } from '../../../runtime/services/show/show.js'
import type { ShowOptions } from '../../../runtime/services/show/show-ports.js'
import {
  type Deed,
  type FireDeed,
  initialState,
  type ShowState,
} from '../../../runtime/services/show/state.js'
import type { Messages, ShowCommand, Topic } from '../../../runtime/topics.js'

const keys = new SimulatedKeys(randomFrom(1))

export const readShow = (text: string, box: string | null = 'box-1'): CheckedShow =>
  checkShow(text, { keys, box, devices: null, templates: null })

/** One number per output, rounded so that tables read well: its brightest component. */
export function shown(show: CheckedShow, state: ShowState, tMs: number): Record<string, number> {
  const found = levels(show, state, showTimeMs(tMs))
  return Object.fromEntries(
    show.outputs.map(({ name, offset, componentCount }) => [
      name,
      Math.round(Math.max(...found.subarray(offset, offset + componentCount)) * 1000) / 1000,
    ]),
  )
}

/** A light that shows what it is told when it is told to, and remembers each change. */
export class RecordingLight implements Light {
  readonly name: string
  readonly channelCount: number
  readonly isDimmable: boolean
  readonly leadMs: number
  readonly applied: { readonly atMs: number; readonly levels: readonly number[] }[] = []
  readonly calls: string[] = []
  /** How many levels the lamp can tell apart; it does not tell of what makes no difference. Null for all. */
  steps: number | null = null
  appliedCount = 0
  isRemembering = true
  /** How much later than asked it shows. */
  lateMs = 0
  isDark = false
  #shown: readonly number[]
  readonly #clock: Clock
  readonly #planned = new Set<Cancel>()
  readonly #signal = new Signal<Fired>()

  constructor(
    clock: Clock,
    name: string,
    options: { channelCount: number; isDimmable?: boolean; leadMs?: number },
  ) {
    this.#clock = clock
    this.name = name
    this.channelCount = options.channelCount
    this.isDimmable = options.isDimmable ?? true
    this.leadMs = options.leadMs ?? 0
    this.#shown = new Array<number>(options.channelCount).fill(0)
  }

  /** What the audience sees. */
  get shown(): readonly number[] {
    return this.isDark ? this.#shown.map(() => 0) : this.#shown
  }

  #count(level: number): number {
    return this.steps === null ? level : Math.round(level * this.steps)
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  onFault(): Cancel {
    return () => {}
  }

  apply(levels: readonly number[], at: MonotonicMs): void {
    if (this.isRemembering) this.calls.push('apply')
    const soonest = after(this.#clock.monotonicMs(), this.leadMs)
    const due = after(at < soonest ? soonest : at, this.lateMs)
    const show = (): void => {
      this.#planned.delete(cancel)
      const isSame = levels.every(
        (level, channel) => this.#count(level) === this.#count(this.#shown[channel] ?? 0),
      )
      this.#shown = levels
      if (isSame && this.steps !== null) return
      const now = this.#clock.monotonicMs()
      this.appliedCount++
      if (this.isRemembering) this.applied.push({ atMs: now, levels })
      this.#signal.emit({ plannedMs: at, firedMs: now, source: 'firing' })
    }
    let cancel: Cancel = () => {}
    if (due <= this.#clock.monotonicMs()) show()
    else {
      cancel = this.#clock.runAt(due, show)
      this.#planned.add(cancel)
    }
  }

  cancelPlanned(): void {
    this.calls.push('cancelPlanned')
    for (const cancel of this.#planned) cancel()
    this.#planned.clear()
  }

  onApplied(listener: (fired: Fired) => void): Cancel {
    return this.#signal.listen(listener)
  }

  blackout(): void {
    this.calls.push('blackout')
    this.isDark = true
  }

  restore(): void {
    this.calls.push('restore')
    this.isDark = false
  }
}

export class RecordingCamera implements CaptureTrigger {
  readonly name = 'camera'
  readonly leadMs = 400
  readonly calls: { readonly calledMs: number; readonly atMs: number }[] = []
  readonly #clock: Clock
  readonly #signal = new Signal<Capture>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  onFault(): Cancel {
    return () => {}
  }

  capture(shotId: string, at: MonotonicMs): Cancel {
    this.calls.push({ calledMs: this.#clock.monotonicMs(), atMs: at })
    let isReported = false
    const report = (refused: Capture['refused']): void => {
      if (isReported) return
      isReported = true
      this.#signal.emit({
        shotId,
        plannedMs: at,
        closedMs: refused === null ? this.#clock.monotonicMs() : null,
        source: 'firing',
        uncertaintyMs: 0.1,
        syncMs: null,
        refused,
      })
    }
    const cancel = this.#clock.runAt(at, () => report(null))
    return () => {
      cancel()
      report('cancelled')
    }
  }

  onCapture(listener: (capture: Capture) => void): Cancel {
    return this.#signal.listen(listener)
  }
}

export interface StageOptions {
  readonly show: string
  readonly clock?: SimulatedClock
  readonly store?: Store
  readonly options?: Partial<ShowOptions>
  /** False for hours: what was said and shown is not remembered. */
  readonly isRemembering?: boolean
  readonly lights?: readonly {
    name: string
    channelCount: number
    isDimmable?: boolean
    leadMs?: number
  }[]
}

const OPTIONS: ShowOptions = { box: 'box-1', planAheadMs: 100, framesPerSecond: 40, leadMs: 0 }

/** A show service among simulated parts, and everything that it said. */
export class Stage {
  readonly clock: SimulatedClock
  readonly bus = new Bus<Messages>()
  readonly log = new SimulatedLog()
  readonly network: SimulatedNetwork
  readonly show: CheckedShow
  readonly lights: ReadonlyMap<string, RecordingLight>
  readonly camera: RecordingCamera
  readonly service: Show
  readonly said: {
    readonly topic: Topic
    readonly payload: Messages[Topic]
    readonly atMs: number
  }[] = []
  #ids = 0

  constructor({ show, clock, store, options, lights, isRemembering = true }: StageOptions) {
    this.clock = clock ?? new SimulatedClock({ showStartMs: 1_000_000, driftPpm: 0 })
    this.network = new SimulatedNetwork(this.clock)
    this.show = readShow(show)
    this.lights = new Map(
      (
        lights ?? [
          { name: 'dimmer', channelCount: 4 },
          { name: 'relay', channelCount: 1, isDimmable: false },
        ]
      ).map(light => [light.name, new RecordingLight(this.clock, light.name, light)]),
    )
    this.camera = new RecordingCamera(this.clock)
    const ports = {
      clock: this.clock,
      log: this.log,
      bus: this.bus,
      store: store ?? new SimulatedStore(),
      keys: new SimulatedKeys(randomFrom(7)),
      network: this.network,
      company: null,
    }
    const devices = { lights: this.lights, captures: new Map([['camera', this.camera]]) }
    this.service = new Show(ports, devices, this.show, { ...OPTIONS, ...options })
    for (const light of this.lights.values()) light.isRemembering = isRemembering
    for (const topic of isRemembering ? TOPICS : [])
      this.bus.subscribe(topic, payload =>
        this.said.push({ topic, payload, atMs: this.clock.monotonicMs() }),
      )
  }

  light(name: string): RecordingLight {
    const light = this.lights.get(name)
    if (!light) throw new Error(`no light ${name}`)
    return light
  }

  /** Asks the show for something and lets it answer. */
  async ask(command: Omit<ShowCommand, 'id' | 'origin'> & { id?: string }): Promise<string> {
    const id = command.id ?? `command-${++this.#ids}`
    this.bus.publish('command/received', { ...command, id, origin: 'test' })
    await this.clock.advance(0)
    return id
  }

  press(input: string, event: 'press' | 'release' | 'long-press' = 'press', agoMs = 0): void {
    const atShowMs = this.clock.showTimeMs() - agoMs
    this.bus.publish('input/changed', { input, event, atShowMs, source: 'kernel' })
  }

  heard<T extends Topic>(topic: T): Messages[T][] {
    return this.said
      .filter(line => line.topic === topic)
      .map(({ payload }) => payload as Messages[T])
  }

  answer(id: string): Messages['command/answered'] | undefined {
    return this.heard('command/answered').find(answer => answer.id === id)
  }
}

const TOPICS = [
  'show/state',
  'cue/fired',
  'cue/late',
  'cue/lateness',
  'capture/taken',
  'command/answered',
  'message/requested',
  'print/requested',
  'levels/sampled',
  'tempo/state',
  'output/state',
] as const

/** The state after these deeds, each accepted at its own moment unless it says when it takes effect. */
export function stateAfter(
  show: CheckedShow,
  deeds: readonly { atMs: number; t0Ms?: number; deed: Deed }[],
): ShowState {
  return deeds.reduce(
    (state, { atMs, t0Ms = atMs, deed }) => fold(show, state, { atMs, t0Ms, deed }).state,
    initialState(show, 0),
  )
}

/** A fire of a cue. */
export const fireOf = (cue: string, id = `fire-${cue}`, epoch = 0): FireDeed => ({
  kind: 'fire',
  id,
  cue,
  epoch,
  origin: 'test',
  way: 'go',
})
