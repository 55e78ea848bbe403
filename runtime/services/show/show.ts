import type { Bus } from '../../core/bus.js'
import type { Service } from '../../core/lifecycle.js'
import { after, showTimeMs } from '../../core/time.js'
import { ulid } from '../../core/ulid.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Company } from '../../ports/company.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { Messages, Payload, ShowCommand } from '../../topics.js'
import { bind } from './channels.js'
import type { CheckedShow } from './checked-show.js'
import { ClockWatch } from './clock-watch.js'
import { type Decision, decide } from './decide.js'
import { Desk } from './desk.js'
import { type Done, fold, takenBack } from './fold.js'
import { Foresight } from './foresight.js'
import { ACCEPTED, Journal } from './journal.js'
import { Lateness } from './lateness.js'
import { LightPlan } from './light-plan.js'
import { Performer } from './performer.js'
import { Planner } from './planner.js'
import { nextTurnMs } from './report.js'
import { pickUp } from './resume.js'
import { Seat } from './seat.js'
import type { ShowDevices, ShowOptions, ShowPorts } from './show-ports.js'
import { initialState, type ShowEvent, type ShowState } from './state.js'
import { Tidings } from './tidings.js'
import { Timeline } from './timeline.js'
import { Triggers } from './triggers.js'

/** While something waits for its moment, the clocks are looked at so often. */
const REST_MS_MAX = 1000
/** A moment that a rounded clock has not quite reached is waited for, not spun for. */
const REST_MS_MIN = 0.05
/** While something waits, the state is kept so often, so that a restart knows how long the box was away. */
const KEEP_MS = 600_000

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
  readonly #tidings: Tidings
  readonly #journal: Journal
  readonly #company: Company<ShowCommand> | null
  readonly #desk: Desk
  readonly #seat: Seat
  readonly #triggers: Triggers
  readonly #timeline: Timeline
  readonly #clockWatch: ClockWatch
  #state: ShowState
  #isRunning = false
  #keptMs = 0
  #cancelTurn: Cancel = () => {}
  #cancels: Cancel[] = []

  constructor(ports: ShowPorts, devices: ShowDevices, show: CheckedShow, options: ShowOptions) {
    const { clock, log, bus, store, keys, network, company } = ports
    const { planAheadMs, framesPerSecond, box } = options
    const newId = (): string => this.#newId()
    const { bindings, absent } = bind(show, box, devices.lights)
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#keys = keys
    this.#company = company
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
    this.#clockWatch = new ClockWatch(clock, log, show, {
      newId,
      leadMs: () => company?.leadMs() ?? null,
    })
    this.#planner = new Planner(clock, show, this.#plans, {
      planAheadMs,
      hasMoved: () => this.#hasMoved(),
    })
    this.#tidings = new Tidings(clock, log, bus, show, box)
    this.#lateness = new Lateness(clock, show, this.#plans, this.#tidings.fired)
    this.#performer = new Performer(clock, log, bus, store, network, devices.captures, show, {
      box,
      planAheadMs,
      newId,
      actsForAll: () => this.#leads(),
    })
    this.#journal = new Journal(clock, log, store, {
      digest: show.digest,
      state: () => this.#state,
    })
    this.#desk = new Desk(log, bus, this.#journal, {
      decide: command => this.#decide(command),
      carryOut: events => this.#happen(events),
      company,
    })
    this.#seat = new Seat(show, this.#journal, {
      nowMs: () => clock.showTimeMs(),
      state: () => this.#state,
      obey: command => this.#desk.receive({ command, isOwn: false }),
      carryOut: events => this.#happen(events),
      takeOn: state => this.#takeOn(state),
      happen: events => this.#happenKept(events, true),
      takeOver: sinceMs => this.#takeOver(sinceMs),
      standDown: () => this.#clockWatch.rest(),
      noteLost: isLost => this.noteLeader(isLost),
    })
    this.#triggers = new Triggers(clock, show, {
      box,
      newId,
      isBlackout: () => this.#state.blackout.isOn,
      ask: (command, isForeseen) => {
        const { atShowMs, ...now } = command
        // In company it counts from when the box that leads hears of it.
        const planned = company ? now : { ...now, atShowMs: atShowMs + this.#leadMs() }
        this.#desk.receive({ command: isForeseen ? command : planned, isOwn: true })
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
    this.#seat.begin(this.#state)
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
      this.#bus.subscribe('clock/stepped', () => this.#turn()),
    ]
    this.#keepState()
    this.#tidings.tell(this.#state)
    this.#rest()
    this.#company?.join(this.#seat)
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#company?.leave()
    this.#cancelTurn()
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#planner.stop()
    this.#lateness.stop()
    this.#tidings.stop()
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
    this.#tidings.tell(this.#state)
    this.#rest()
  }

  /** What the box does by itself, and nobody waits for. */
  #happenKept(events: readonly ShowEvent[], isShared = false): void {
    if (events.length === 0) return
    const place = isShared ? this.#desk.share(this.#newId(), events) : null
    this.#happen(events)
    this.#journal.keep({ events, commandId: null, answer: ACCEPTED, place, done: () => {} })
  }

  /** Where the venue's show stands, as the box that leads says. */
  #takeOn(state: ShowState): void {
    this.#state = state
    this.#planner.replan(state)
    this.#performer.join(state.open)
    this.#tidings.tell(this.#state)
    this.#rest()
  }

  #takeOver(sinceMs: number): void {
    this.#performer.takeOver(sinceMs)
    this.#rest()
  }

  /** Whether this box does what one box does for all. */
  #leads(): boolean {
    return this.#company === null || this.#seat.isLeading
  }

  #announce(done: readonly Done[]): void {
    for (const { deed, t0Ms } of done) {
      if (deed.kind === 'panic') this.#performer.takeBack()
      if (deed.kind !== 'fire' || !this.#seat.isFirst(deed.id)) continue
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
    if (this.#leads()) this.#happenKept(this.#clockWatch.look(this.#state), true)
    if (this.#clock.monotonicMs() - this.#keptMs > KEEP_MS) this.#keepState()
    this.#tidings.tell(this.#state)
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
      (this.#leads() ? this.#clockWatch.restMs(this.#state) : null) ?? Number.POSITIVE_INFINITY,
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

  #leadMs(): number {
    const ownMs = this.#show.leadMs ?? this.#options.leadMs
    return Math.max(ownMs, this.#company?.leadMs() ?? 0)
  }

  #newId(): string {
    return ulid(this.#clock.wallTimeMs(), this.#keys.randomBytes(10))
  }
}
