/** How late each cue's first change was, as the devices tell it. */
import { Histogram } from '../../core/histogram.js'
import { after, publishedMs } from '../../core/time.js'
import type { Cancel, Clock, ShowTimeMs } from '../../ports/clock.js'
import type { Percentiles } from '../../ports/percentiles.js'
import type { Payload } from '../../topics.js'
import type { CheckedShow, Cue } from './checked-show.js'
import { LateCues } from './late-cues.js'
import type { LightPlan } from './light-plan.js'
import type { FireDeed } from './state.js'

/** A cue whose first change is not heard of by then has none, or a lamp that does not tell. */
const PATIENCE_MS = 500
const OPEN_MAX = 64

/** A fire whose lateness is not known yet. */
interface Open {
  readonly deed: FireDeed
  readonly cue: Cue
  readonly t0: ShowTimeMs
  readonly cancel: Cancel
}

/** A fire and how late its first change was, as it is published; null where nothing changed. */
export type Measured = (
  deed: FireDeed,
  t0: ShowTimeMs,
  late: {
    readonly ms: number
    readonly ofCue: Payload<'cue/lateness'>
    readonly ofAll: Percentiles
  } | null,
) => void

export class Lateness {
  readonly #clock: Clock
  readonly #show: CheckedShow
  readonly #plans: readonly LightPlan[]
  readonly #measured: Measured
  readonly #histogram = new Histogram()
  readonly #cues = new LateCues()
  #open: Open[] = []

  constructor(clock: Clock, show: CheckedShow, plans: readonly LightPlan[], measured: Measured) {
    this.#clock = clock
    this.#show = show
    this.#plans = plans
    this.#measured = measured
  }

  stop(): void {
    for (const { cancel } of this.#open.splice(0)) cancel()
  }

  /** As it is published. */
  #read(): Percentiles {
    const { count, p50, p95, p99, max } = this.#histogram.read()
    return {
      count,
      p50: publishedMs(p50),
      p95: publishedMs(p95),
      p99: publishedMs(p99),
      max: publishedMs(max),
    }
  }

  /** A cue takes effect: its first change may have happened, or may still come. */
  watch(deed: FireDeed, t0: ShowTimeMs): void {
    const cue = this.#show.cuesById.get(deed.cue)
    if (!cue) return
    const patience = after(this.#clock.monotonicMs(), PATIENCE_MS)
    const open: Open = {
      deed,
      cue,
      t0,
      cancel: this.#clock.runAt(patience, () => this.#close(open, null)),
    }
    this.#open.push(open)
    const oldest = this.#open.length > OPEN_MAX ? this.#open[0] : undefined
    if (oldest) this.#close(oldest, null)
    if (cue.aims.length === 0) this.#close(open, null)
    else this.look()
  }

  /** A light has changed: perhaps one that was waited for. */
  look(): void {
    if (this.#open.length === 0) return
    for (const open of [...this.#open]) {
      const firsts = this.#plans.flatMap(plan => plan.lateMs(open.cue, open.t0) ?? [])
      const first = firsts.reduce<(typeof firsts)[number] | null>(
        (best, one) => (best === null || one.atMs < best.atMs ? one : best),
        null,
      )
      if (first) this.#close(open, first.lateMs)
    }
  }

  #close(open: Open, lateMs: number | null): void {
    if (!this.#open.includes(open)) return
    this.#open = this.#open.filter(other => other !== open)
    open.cancel()
    if (lateMs === null) {
      this.#measured(open.deed, open.t0, null)
      return
    }
    this.#histogram.add(lateMs)
    const ofCue = this.#cues.add(open.deed.cue, lateMs)
    const late = { ms: publishedMs(lateMs), ofCue, ofAll: this.#read() }
    this.#measured(open.deed, open.t0, late)
  }
}
