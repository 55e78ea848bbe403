import type { Bus } from '../../core/bus.js'
import type { Service } from '../../core/lifecycle.js'
import { after, publishedMs, showTimeMs } from '../../core/time.js'
import { ulid } from '../../core/ulid.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { CaptureTrigger, Light } from '../../ports/devices.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { Network } from '../../ports/network.js'
import type { Store } from '../../ports/store.js'
import type { Messages, Payload, ShowCommand } from '../../topics.js'
import { bind } from './channels.js'
import type { CheckedShow } from './checked-show.js'
import { ClockWatch } from './clock-watch.js'
import { type Decision, decide } from './decide.js'
import { Desk } from './desk.js'
import { type Done, fold, takenBack } from './fold.js'
import { Foresight } from './foresight.js'
import { Journal } from './journal.js'
import { Lateness } from './lateness.js'
import { LightPlan } from './light-plan.js'
import { OutputStates } from './output-states.js'
import { Performer } from './performer.js'
import { Planner } from './planner.js'
import { nextTurnMs, report } from './report.js'
import { pickUp } from './resume.js'
import { Sampler, sampleOf } from './sampler.js'
import { initialState, type ShowEvent, type ShowState } from './state.js'
import { Timeline } from './timeline.js'
import { Triggers } from './triggers.js'

/** While something waits for its moment, the clocks are looked at so often. */
const REST_MS_MAX = 1000
/** A moment that a rounded clock has not quite reached is waited for, not spun for. */
const REST_MS_MIN = 0.05
/** While something waits, the state is kept so often, so that a restart knows how long the box was away. */
const KEEP_MS = 600_000

export interface ShowPorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly store: Store
  readonly keys: Keys
  readonly network: Network
}

export interface ShowDevices {
  readonly lights: ReadonlyMap<string, Light>
  readonly captures: ReadonlyMap<string, CaptureTrigger>
}

export interface ShowOptions {
  readonly box: string
  /** How far ahead lights are told what to show. 10..5000 */
  readonly planAheadMs: number
  readonly framesPerSecond: number
  /** How far ahead a GO is planned; the show may say otherwise. */
  readonly leadMs: number
}

/**
 * Runs the show: takes commands and buttons, keeps what happened, and tells the lights ahead of time. What it does comes
 * first, then the disk, then the answer; so a full disk never stops a light, and an accepted command survives a power cut.
 */
export class Show implements Service {
  readonly name = 'show'
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #keys: Keys
  readonly #show: CheckedShow
  readonly #options: ShowOptions
  readonly #absent: readonly string[]
  readonly #foresight: Foresight
  readonly #plans: readonly LightPlan[]
  readonly #planner: Planner
  readonly #lateness: Lateness
  readonly #performer: Performer
  readonly #sampler: Sampler
  readonly #outputStates: OutputStates
  readonly #journal: Journal
  readonly #desk: Desk
  readonly #triggers: Triggers
  readonly #timeline: Timeline
  readonly #clockWatch: ClockWatch
  #state: ShowState
  #isRunning = false
  #lastReport = ''
  #keptMs = 0
  #cancelTurn: Cancel = () => {}
  #cancels: Cancel[] = []

  constructor(ports: ShowPorts, devices: ShowDevices, show: CheckedShow, options: ShowOptions) {
    const { clock, log, bus, store, keys, network } = ports
    const { planAheadMs, framesPerSecond, box } = options
    const newId = (): string => this.#newId()
    const { bindings, absent } = bind(show, box, devices.lights)
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#keys = keys
    this.#show = show
    this.#options = options
    this.#absent = absent.map(({ name }) => name)
    this.#state = initialState(show, 0)
    this.#foresight = new Foresight(show)
    this.#plans = bindings.map(
      binding =>
        new LightPlan(clock, log, show, this.#foresight, binding, {
          frameMs: 1000 / framesPerSecond,
        }),
    )
    this.#timeline = new Timeline(clock)
    this.#clockWatch = new ClockWatch(clock, log, show, { newId })
    this.#planner = new Planner(clock, show, this.#plans, {
      planAheadMs,
      hasMoved: () => this.#hasMoved(),
    })
    this.#lateness = new Lateness(clock, show, this.#plans, (deed, t0, lateMs) => {
      const { id: fire, cue, epoch, origin } = deed
      log.info('cue.fired', { cue, fire, origin, lateMs })
      bus.publish('cue/fired', { fire, cue, epoch, atShowMs: publishedMs(t0), origin, lateMs })
      if (lateMs !== null) bus.publish('cue/late', this.#lateness.read())
    })
    this.#performer = new Performer(clock, log, bus, store, network, devices.captures, show, {
      box,
      planAheadMs,
      newId,
    })
    this.#outputStates = new OutputStates(clock, show, box, state =>
      bus.publish('output/state', state),
    )
    this.#sampler = new Sampler(clock, show, levels => {
      if (bus.isHeard('levels/sampled')) bus.publish('levels/sampled', sampleOf(show, levels))
      this.#outputStates.note(levels)
    })
    this.#journal = new Journal(clock, log, store, {
      digest: show.digest,
      state: () => this.#state,
    })
    this.#desk = new Desk(log, bus, this.#journal, {
      decide: command => this.#decide(command),
      carryOut: events => this.#happen(events),
    })
    this.#triggers = new Triggers(clock, show, {
      box,
      newId,
      isBlackout: () => this.#state.blackout.isOn,
      ask: (command, isForeseen) => {
        const leadMs = isForeseen ? 0 : this.#leadMs()
        const atShowMs = command.atShowMs + leadMs
        this.#desk.receive({ command: { ...command, atShowMs }, isOwn: true })
      },
    })
  }

  /** Levels are what they would be had nothing happened; they are on the lights when this resolves. */
  async start(): Promise<void> {
    for (const output of this.#absent) this.#log.warn('show.output-absent', { output })
    const [kept] = await Promise.all([this.#journal.open(), this.#performer.open()])
    this.#isRunning = true
    const now = { showMs: this.#clock.showTimeMs(), wallMs: this.#clock.wallTimeMs() }
    this.#state = pickUp(this.#log, this.#show, kept, now)
    this.#clockWatch.begin(this.#state, kept?.times.showMs ?? null)
    this.#timeline.look()
    for (const plan of this.#plans) plan.start(() => this.#lateness.look())
    this.#planner.replan(this.#state)
    this.#performer.start(this.#state.open)
    this.#cancels = [
      this.#bus.subscribe('command/received', command =>
        this.#desk.receive({ command, isOwn: false }),
      ),
      this.#bus.subscribe('input/changed', press => this.#triggers.press(press)),
      this.#bus.subscribe('message/heard', message => this.#triggers.hear(message)),
      this.#bus.subscribe('timecode/passed', passed => this.#triggers.pass(passed)),
      this.#bus.subscribe('device/state', state => this.#noteDevice(state)),
    ]
    this.#keepState()
    this.#tell()
    this.#rest()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancelTurn()
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#planner.stop()
    this.#lateness.stop()
    this.#sampler.stop()
    this.#outputStates.stop()
    for (const plan of this.#plans) plan.stop()
    await this.#performer.stop()
    await this.#journal.close()
  }

  /** The leading box is gone, or back: outputs go where the patch says, and return. */
  noteLeader(isLost: boolean): void {
    if (this.#isRunning) this.#happenKept([this.#now({ kind: 'lost', isLost })])
  }

  #decide(command: ShowCommand): Decision {
    this.#goOn()
    return decide(this.#show, this.#state, command, {
      nowMs: this.#clock.showTimeMs(),
      wallMs: this.#clock.wallTimeMs(),
      leadMs: this.#leadMs(),
      newId: () => this.#newId(),
    })
  }

  #noteDevice({ device, kind, state }: Payload<'device/state'>): void {
    if (kind === 'light') this.#planner.setReady(device, state === 'ready')
  }

  #now(deed: ShowEvent['deed']): ShowEvent {
    const nowMs = this.#clock.showTimeMs()
    return { atMs: nowMs, t0Ms: nowMs, deed }
  }

  /** Lights first; whoever listens hears of it afterwards. */
  #happen(events: readonly ShowEvent[]): void {
    if (events.length === 0) return
    const done: Done[] = []
    for (const event of events) {
      const before = this.#state
      const step = fold(this.#show, before, event)
      this.#state = step.state
      if (step.state.epoch > before.epoch)
        this.#log.info('show.leader-new', { epoch: step.state.epoch, ...takenBack(before, step) })
      done.push(...step.done)
    }
    this.#planner.replan(this.#state)
    this.#announce(done)
    this.#tell()
    this.#rest()
  }

  /** What the box does by itself, and nobody waits for. */
  #happenKept(events: readonly ShowEvent[]): void {
    if (events.length === 0) return
    this.#happen(events)
    const answer = { isAccepted: true, code: null, message: null }
    this.#journal.keep({ events, commandId: null, answer, done: () => {} })
  }

  #announce(done: readonly Done[]): void {
    for (const { deed, t0Ms } of done) {
      if (deed.kind === 'panic') this.#performer.takeBack()
      if (deed.kind !== 'fire') continue
      this.#lateness.watch(deed, showTimeMs(t0Ms))
      if (deed.way !== 'back') this.#performer.perform(deed, showTimeMs(t0Ms))
    }
  }

  /** Time has passed: what was due by itself is taken in. */
  #goOn(): void {
    this.#hasMoved()
    const { state, done } = this.#foresight.advance(this.#state, this.#clock.showTimeMs())
    this.#state = state
    this.#planner.goOn(state)
    this.#announce(done)
  }

  #turn(): void {
    this.#goOn()
    this.#happenKept(this.#clockWatch.look(this.#state))
    if (this.#clock.monotonicMs() - this.#keptMs > KEEP_MS) this.#keepState()
    this.#tell()
    this.#rest()
  }

  #keepState(): void {
    this.#keptMs = this.#clock.monotonicMs()
    this.#journal.keepState()
  }

  #rest(): void {
    this.#cancelTurn()
    if (!this.#isRunning) return
    const now = this.#clock.monotonicMs()
    const next = nextTurnMs(this.#show, this.#state, this.#clock.showTimeMs())
    const restMs = Math.min(
      next === null
        ? Number.POSITIVE_INFINITY
        : this.#clock.showToMonotonic(showTimeMs(next)) - now,
      this.#clockWatch.restMs(this.#state) ?? Number.POSITIVE_INFINITY,
    )
    if (restMs === Number.POSITIVE_INFINITY) return
    const due = after(now, Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, restMs)))
    this.#cancelTurn = this.#clock.runAt(due, () => this.#turn())
  }

  /** True when the timeline has moved, and everything was planned anew on it. */
  #hasMoved(): boolean {
    const moved = this.#timeline.look()
    if (moved.kind === 'same') return false
    if (moved.kind === 'steered') this.#planner.replan(this.#state)
    else {
      this.#log.warn('show.timeline-set', { byMs: moved.byMs })
      this.#happenKept([this.#now({ kind: 'rebase', byMs: moved.byMs })])
    }
    return true
  }

  #tell(): void {
    this.#sampler.note(this.#state)
    const found = report(this.#show, this.#state, this.#clock.showTimeMs())
    const text = JSON.stringify(found)
    if (text === this.#lastReport) return
    this.#lastReport = text
    this.#bus.publish('show/state', found)
  }

  #leadMs(): number {
    return this.#show.leadMs ?? this.#options.leadMs
  }

  #newId(): string {
    return ulid(this.#clock.wallTimeMs(), this.#keys.randomBytes(10))
  }
}
