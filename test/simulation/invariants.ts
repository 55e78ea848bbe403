/**
 * What must always hold, whatever happens to a box:
 * - a cue is announced once, not before its moment, and never without being asked for
 * - a command is answered once and for all; one that was acknowledged is never lost over a power cut
 * - after a restart the show stands where its events say, and lights show the levels of now
 * - a light that is well shows what the show says, at the moment it says; one that is faulty shows nothing
 * - panic always works, and nothing is photographed while it is on
 * - a box that was stopped leaves everything safe
 * Broken ones are collected, so that a seed tells all that it found.
 */

import { showTimeMs } from '../../runtime/core/time.js'
import type { CheckedShow } from '../../runtime/services/show/checked-show.js'
import { stateAt } from '../../runtime/services/show/fold.js'
import { levels } from '../../runtime/services/show/levels.js'
import type { ShowState } from '../../runtime/services/show/state.js'
import type { Payload, ShowCommand } from '../../runtime/topics.js'
import type { KeptShow } from './kept-show.js'
import { Lights } from './lights.js'
import { Model } from './model.js'
import type { World } from './world.js'

const ANSWER_MS_MAX = 6_000
/** The show waits half a second for a first change to be heard of. */
const ANNOUNCED_MS_MAX = 700
/** Of as many commands the box remembers the answers. */
const REMEMBERED_MAX = 1_000
const SAME = 1e-9
const ROUNDING_MS = 1e-3
const BUS_MS_MAX = 80

export class Invariants {
  readonly broken: string[] = []
  readonly model: Model
  readonly lights: Lights
  readonly #world: World
  readonly #show: CheckedShow
  /** When each command that waits for its answer was asked. */
  readonly #waiting = new Map<string, { readonly askedMs: number; readonly isDiskBad: boolean }>()
  /** Answers of this life. */
  readonly #answers = new Map<string, Payload<'command/answered'>>()
  readonly #acknowledged = new Set<string>()
  #kept: KeptShow | null = null
  /** The show of this life has taken up where it was. */
  #hasBegun = false
  #traced = 0

  constructor(world: World, show: CheckedShow) {
    this.#world = world
    this.#show = show
    this.model = new Model(show, world.ownClock)
    this.lights = new Lights(world, show, this.model, problem => this.#break(problem))
    world.hear('show/state', () => this.#begin())
    world.hear('command/received', command => this.#asked(command))
    world.hear('input/changed', press => {
      if (this.#hasBegun) this.model.press(press)
    })
    world.hear('command/answered', answer => this.#answered(answer))
    world.hear('cue/fired', fired => this.#fired(fired))
    world.ending.listen(() => {
      this.#waiting.clear()
      this.#answers.clear()
    })
  }

  get unansweredCount(): number {
    return this.#waiting.size
  }

  /** Everything that can be seen from outside, at a moment at which all is at rest. */
  check(): void {
    if (!this.#hasBegun || !this.#world.isOn) return
    this.model.goOn()
    const nowMs = this.#world.clock.monotonicMs()
    for (const [id, { askedMs }] of this.#waiting)
      if (nowMs - askedMs > ANSWER_MS_MAX) {
        this.#waiting.delete(id)
        this.#break(`${id} was not answered`)
      }
    const showMs = this.#world.ownClock.showTimeMs()
    for (const due of this.model.due)
      if (showMs - Math.max(due.t0Ms, due.notedMs) > ANNOUNCED_MS_MAX) {
        this.model.takeDue(due.cue, due.t0Ms)
        this.#break(`cue ${due.cue} of ${due.t0Ms} was not announced`)
      }
    this.lights.check()
    this.#checkShutter()
  }

  /** Between two lives: nothing that was acknowledged is missing, and what is kept is what happened. */
  checkKept(kept: KeptShow): void {
    for (const id of [...this.#acknowledged].slice(-REMEMBERED_MAX)) {
      if (kept.answers.get(id) !== true) this.#break(`${id} was acknowledged, and is forgotten`)
      const sequence = this.#hasBegun ? this.model.sequenceOf(id) : null
      if (sequence !== null && sequence > kept.sequence)
        this.#break(`${id} was acknowledged, and what it did is lost`)
    }
    const isNews = kept.mark !== (this.#kept?.mark ?? '')
    if (isNews && kept.state !== null) this.#checkState(kept.state, kept.sequence)
    this.#kept = kept
    this.#hasBegun = false
  }

  #checkState(kept: ShowState, sequence: number): void {
    const expected = this.#hasBegun ? this.model.stateAfter(sequence) : null
    if (expected === null) {
      this.#break(`${sequence} events are kept, and ${this.model.eventCount} happened`)
      return
    }
    const tMs = Math.max(expected.atMs, kept.atMs)
    for (const aheadMs of [0, 150, 1_000, 8_000]) {
      const [one, other] = [expected, kept].map(state => this.#pictureOf(state, tMs + aheadMs))
      if (one === undefined || other === undefined || !isSame(one, other))
        this.#break(`the kept show differs after ${sequence} events: ${one} is not ${other}`)
    }
  }

  #pictureOf(state: ShowState, tMs: number): (number | string)[] {
    const at = stateAt(this.#show, state, tMs)
    const { current, next, isNextChosen, epoch, panic, blackout, armedWallMs, waiting } = at
    const words = [
      ...[current, next, isNextChosen, epoch, panic.isOn, blackout.isOn, armedWallMs],
      waiting.length,
    ]
    return [...levels(this.#show, at, showTimeMs(tMs)), words.join(' ')]
  }

  /** A box that was stopped in order. */
  checkSafe(): void {
    const { dimmer, lines } = this.#world.seen()
    if (dimmer.some(duty => duty > 0)) this.#break('the dimmer shines after the end')
    for (const [line, isActive] of Object.entries(lines))
      if (isActive) this.#break(`${line} is on after the end`)
    if (this.#world.host.pwm('pwm-1').duty > 0) this.#break('the spot shines after the end')
  }

  #begin(): void {
    if (this.#hasBegun || this.#kept === null) return
    this.#hasBegun = true
    const clock = this.#world.ownClock
    this.model.begin(this.#kept, clock, clock.showTimeMs())
    this.lights.begin()
  }

  #asked(command: ShowCommand): void {
    const isDiskBad = this.#world.store.fault !== null
    this.#waiting.set(command.id, { askedMs: this.#world.clock.monotonicMs(), isDiskBad })
    this.model.receive(command, false)
  }

  #answered(answer: Payload<'command/answered'>): void {
    const { id, isAccepted, code } = answer
    const verdict = this.model.verdict(id)
    // What buttons ask has names that nobody else knows.
    if (verdict === undefined) return
    const before = this.#answers.get(id)
    if (before && (before.isAccepted !== isAccepted || before.code !== code))
      this.#break(`${id} was answered ${before.code} first, and then ${code}`)
    this.#answers.set(id, answer)
    if (this.#acknowledged.has(id) && !isAccepted)
      this.#break(`${id} was acknowledged, and is refused with ${code}`)
    this.#checkVerdict(answer, verdict, before !== undefined)
    this.#waiting.delete(id)
    if (isAccepted) this.#acknowledged.add(id)
  }

  #checkVerdict(
    { id, isAccepted, code }: Payload<'command/answered'>,
    verdict: true | string,
    isRepeated: boolean,
  ): void {
    if (isAccepted && verdict !== true) this.#break(`${id} was accepted, not ${verdict}`)
    if (isAccepted || isRepeated || verdict === 'kept') return
    const isDiskBad = this.#world.store.fault !== null || this.#waiting.get(id)?.isDiskBad === true
    const isAllowed =
      verdict === true ? isDiskBad && code?.startsWith('storage.') === true : code === verdict
    if (!isAllowed) this.#break(`${id} was refused with ${code}, not ${verdict}`)
  }

  #fired({ cue, atShowMs, lateMs }: Payload<'cue/fired'>): void {
    if (!this.#hasBegun) return
    const nowMs = this.#world.ownClock.showTimeMs()
    if (this.model.takeDue(cue, atShowMs) === undefined)
      this.#break(`cue ${cue} of ${atShowMs} was announced twice, or nobody asked for it`)
    const earlyMs = Math.max(atShowMs - nowMs, -(lateMs ?? 0))
    // Until a dimmer has noticed that its bus is fast again, its frames are early by what they no longer take.
    if (earlyMs > (this.lights.isTroubled('bus') ? BUS_MS_MAX : ROUNDING_MS))
      this.#break(`cue ${cue} came ${earlyMs} ms early`)
  }

  #checkShutter(): void {
    const { panic } = this.model.state
    const sinceMs =
      this.#world.clock.monotonicMs() - (this.#world.ownClock.showTimeMs() - panic.startMs)
    for (const line of this.#world.trace.slice(this.#traced)) {
      const [atMs, name, isActive] = line.split(' ')
      if (panic.isOn && name === 'shutter' && isActive === 'true' && Number(atMs) > sinceMs + 1)
        this.#break(`a picture was taken at ${atMs}, in a panic since ${sinceMs}`)
    }
    this.#traced = this.#world.trace.length
  }

  #break(problem: string): void {
    const atMs = this.#world.clock.monotonicMs().toFixed(1)
    if (this.broken.length < 20) this.broken.push(`boot ${this.#world.boot} at ${atMs}: ${problem}`)
  }
}

const isSame = (a: readonly (number | string)[], b: readonly (number | string)[]): boolean =>
  a.every((part, index) => {
    const other = b[index]
    if (typeof part === 'string' || typeof other !== 'number') return part === other
    return Math.abs(part - other) < SAME
  })
