/**
 * What the show must be, kept beside the box: it hears the same commands and presses at the same moments, decides by the
 * same pure functions, and has no disk, no drivers and no plans that could go wrong. What the box shows, announces and
 * answers is held against it.
 */
import { showTimeMs } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { CheckedShow } from '../../runtime/services/show/checked-show.js'
import { type Decision, decide } from '../../runtime/services/show/decide.js'
import { advance, type Done, fold, stateAt } from '../../runtime/services/show/fold.js'
import { type Levels, levels } from '../../runtime/services/show/levels.js'
import { resume } from '../../runtime/services/show/resume.js'
import { initialState, type ShowEvent, type ShowState } from '../../runtime/services/show/state.js'
import { Triggers } from '../../runtime/services/show/triggers.js'
import type { Payload, ShowCommand } from '../../runtime/topics.js'
import type { KeptShow } from './kept-show.js'

/** How far back what was to be seen is remembered. */
const PAST_MS = 1000

/** A cue that must be announced once, not before its moment. */
export interface DueFire {
  readonly cue: string
  readonly t0Ms: number
  readonly notedMs: number
}

export class Model {
  readonly #show: CheckedShow
  #clock: Clock
  #triggers: Triggers
  #state: ShowState
  /** From when on which state held, as long as somebody may ask. */
  #past: { readonly fromMs: number; readonly state: ShowState }[] = []
  /** Every event of this life, and by which command. */
  #events: { readonly event: ShowEvent; readonly commandId: string | null }[] = []
  /** The state at the start of this life, and how many events there had been. */
  #base: { readonly state: ShowState; readonly sequence: number }
  /** True for accepted, or the code of the refusal. */
  #known = new Map<string, true | string>()
  #ids = 0
  /** By state and moment: each is asked for by every light. */
  readonly #levels = new WeakMap<ShowState, Map<number, Levels>>()
  #due: DueFire[] = []

  constructor(show: CheckedShow, clock: Clock) {
    this.#show = show
    this.#clock = clock
    this.#triggers = this.#makeTriggers(show, clock)
    this.#state = initialState(show, clock.showTimeMs())
    this.#base = { state: this.#state, sequence: 0 }
  }

  get state(): ShowState {
    return this.#state
  }

  get eventCount(): number {
    return this.#base.sequence + this.#events.length
  }

  get due(): readonly DueFire[] {
    return this.#due
  }

  /** True when the command is known to have been accepted, or the code of its refusal; undefined before it came. */
  verdict(id: string): true | string | undefined {
    return this.#known.get(id)
  }

  /** The box begins a life: with what it has kept, at the moment at which it took it up. */
  begin(kept: KeptShow, clock: Clock, nowMs: number): void {
    this.#clock = clock
    this.#triggers = this.#makeTriggers(this.#show, clock)
    this.#state = kept.state
      ? resume(this.#show, kept.state, kept.times, { showMs: nowMs, wallMs: clock.wallTimeMs() })
      : initialState(this.#show, nowMs)
    this.#past = [{ fromMs: nowMs, state: this.#state }]
    this.#events = []
    this.#base = { state: this.#state, sequence: kept.sequence }
    this.#due = []
    this.#known = new Map([...kept.answers].map(([id, isAccepted]) => [id, isAccepted || 'kept']))
  }

  /** The state after the first so many events of all lives; null when that is before this life began. */
  stateAfter(sequence: number): ShowState | null {
    const count = sequence - this.#base.sequence
    if (count < 0 || count > this.#events.length) return null
    return this.#events
      .slice(0, count)
      .reduce((state, { event }) => fold(this.#show, state, event).state, this.#base.state)
  }

  /** How many events there were once the command's last one was in; null when it had none in this life. */
  sequenceOf(commandId: string): number | null {
    const index = this.#events.findLastIndex(entry => entry.commandId === commandId)
    return index < 0 ? null : this.#base.sequence + index + 1
  }

  receive(command: ShowCommand, isOwn: boolean): void {
    this.goOn()
    if (this.#known.has(command.id)) return
    const decision = this.#decide(command)
    this.#known.set(command.id, decision.kind === 'act' ? true : decision.code)
    if (decision.kind === 'refuse') return
    for (const event of decision.events) {
      const { state, done } = fold(this.#show, this.#state, event)
      this.#move(state)
      this.#note(done)
      this.#events.push({ event, commandId: isOwn ? null : command.id })
    }
  }

  press(press: Payload<'input/changed'>): void {
    this.#triggers.press(press)
  }

  #makeTriggers(show: CheckedShow, clock: Clock): Triggers {
    return new Triggers(clock, show, {
      box: 'box-1',
      isBlackout: () => this.#state.blackout.isOn,
      newId: () => this.#newId(),
      ask: command => this.receive(command, true),
    })
  }

  /** Time has passed. */
  goOn(): void {
    const { state, done } = advance(this.#show, this.#state, this.#clock.showTimeMs())
    if (state !== this.#state) this.#move(state)
    this.#note(done)
  }

  /** The announcement that waits for this cue and moment, taken off the list; undefined when none does. */
  takeDue(cue: string, t0Ms: number): DueFire | undefined {
    this.goOn()
    const index = this.#due.findIndex(due => due.cue === cue && Math.abs(due.t0Ms - t0Ms) < 1e-3)
    return index < 0 ? undefined : this.#due.splice(index, 1)[0]
  }

  /**
   * Every set of levels that was right at some moment between the two; several where it changed. What was to come when it
   * changed may have been shown so much ahead.
   */
  levelsBetween(
    fromMs: number,
    untilMs: number,
    { stepMs, aheadMs }: { readonly stepMs: number; readonly aheadMs: number },
  ): Levels[] {
    const found: Levels[] = []
    const add = (state: ShowState, tMs: number): void => void found.push(this.#levelsAt(state, tMs))
    for (const [index, { fromMs: begunMs, state }] of this.#past.entries()) {
      const endMs = (this.#past[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY) + aheadMs
      if (endMs < fromMs || begunMs > untilMs) continue
      const [first, last] = [Math.max(fromMs, begunMs), Math.min(untilMs, endMs)]
      add(state, first)
      // At moments that are the same for all lights, whatever each one's range is.
      for (let tMs = (Math.floor(first / stepMs) + 1) * stepMs; tMs < last; tMs += stepMs)
        add(state, tMs)
      add(state, last)
    }
    return found
  }

  #levelsAt(state: ShowState, tMs: number): Levels {
    const known = this.#levels.get(state) ?? new Map<number, Levels>()
    this.#levels.set(state, known)
    const found =
      known.get(tMs) ?? levels(this.#show, stateAt(this.#show, state, tMs), showTimeMs(tMs))
    known.set(tMs, found)
    return found
  }

  #decide(command: ShowCommand): Decision {
    return decide(this.#show, this.#state, command, {
      nowMs: this.#clock.showTimeMs(),
      wallMs: this.#clock.wallTimeMs(),
      leadMs: 0,
      newId: () => this.#newId(),
    })
  }

  #move(state: ShowState): void {
    const nowMs = this.#clock.showTimeMs()
    this.#state = state
    this.#past.push({ fromMs: nowMs, state })
    while ((this.#past[1]?.fromMs ?? nowMs) < nowMs - PAST_MS) this.#past.shift()
  }

  #note(done: readonly Done[]): void {
    const notedMs = this.#clock.showTimeMs()
    for (const { deed, t0Ms } of done)
      if (deed.kind === 'fire') this.#due.push({ cue: deed.cue, t0Ms, notedMs })
  }

  #newId(): string {
    return `model-${++this.#ids}`
  }
}
