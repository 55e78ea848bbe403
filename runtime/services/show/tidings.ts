/** Tells whoever listens where the show stands: its place in the list, its levels, each output, and the beats. */
import type { Bus } from '../../core/bus.js'
import { publishedMs } from '../../core/time.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Messages } from '../../topics.js'
import type { CheckedShow } from './checked-show.js'
import type { Measured } from './lateness.js'
import { OutputStates } from './output-states.js'
import { report } from './report.js'
import { Sampler, sampleOf } from './sampler.js'
import type { ShowState } from './state.js'
import { TempoReport } from './tempo-report.js'

export class Tidings {
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #show: CheckedShow
  readonly #sampler: Sampler
  readonly #outputStates: OutputStates
  readonly #tempo: TempoReport
  #lastReport = ''

  constructor(clock: Clock, log: Log, bus: Bus<Messages>, show: CheckedShow, box: string) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#show = show
    this.#outputStates = new OutputStates(clock, show, box, state =>
      bus.publish('output/state', state),
    )
    this.#sampler = new Sampler(clock, show, levels => {
      if (bus.isHeard('levels/sampled')) bus.publish('levels/sampled', sampleOf(show, levels))
      this.#outputStates.note(levels)
    })
    this.#tempo = new TempoReport(bus, show)
  }

  stop(): void {
    this.#sampler.stop()
    this.#outputStates.stop()
  }

  /** A cue was fired, and it is known how late its first change was. */
  readonly fired: Measured = ({ id: fire, cue, epoch, origin }, t0, late) => {
    const lateMs = late?.ms ?? null
    this.#log.info('cue.fired', { cue, fire, origin, lateMs })
    const atShowMs = publishedMs(t0)
    this.#bus.publish('cue/fired', { fire, cue, epoch, atShowMs, origin, lateMs })
    if (late === null) return
    this.#bus.publish('cue/late', late.ofAll)
    this.#bus.publish('cue/lateness', late.ofCue)
  }

  /** Something happened, or time has passed. */
  tell(state: ShowState): void {
    this.#sampler.note(state)
    this.#tempo.note(state)
    const found = report(this.#show, state, this.#clock.showTimeMs())
    const text = JSON.stringify(found)
    if (text === this.#lastReport) return
    this.#lastReport = text
    this.#bus.publish('show/state', found)
  }
}
