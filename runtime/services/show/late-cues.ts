/** How late each cue was whenever it was fired, since the box started: a histogram for each. */
import { Histogram } from '../../core/histogram.js'
import { lateBoundsMs } from '../../core/late-bounds.js'
import { publishedMs } from '../../core/time.js'
import type { Payload } from '../../topics.js'

interface LateCue {
  readonly histogram: Histogram
  /** Fires that were late by at most the bound of the same place, and by more than the one before. */
  readonly counts: number[]
  sumMs: number
}

export class LateCues {
  readonly #cues = new Map<string, LateCue>()

  /** @returns what is known of the cue, this fire included */
  add(cue: string, lateMs: number): Payload<'cue/lateness'> {
    const known = this.#cues.get(cue) ?? newCue()
    this.#cues.set(cue, known)
    // Early is not late.
    const ms = Math.max(0, lateMs)
    known.histogram.add(ms)
    known.sumMs += ms
    const place = lateBoundsMs.findIndex(bound => ms <= bound)
    if (place >= 0) known.counts[place] = (known.counts[place] ?? 0) + 1
    return reading(cue, known, ms)
  }
}

const newCue = (): LateCue => ({
  histogram: new Histogram(),
  counts: lateBoundsMs.map(() => 0),
  sumMs: 0,
})

function reading(
  cue: string,
  { histogram, counts, sumMs }: LateCue,
  lastMs: number,
): Payload<'cue/lateness'> {
  const { count, p50, p95, p99, max } = histogram.read()
  let soFar = 0
  return {
    cue,
    count,
    p50: publishedMs(p50),
    p95: publishedMs(p95),
    p99: publishedMs(p99),
    max: publishedMs(max),
    last: publishedMs(lastMs),
    sum: publishedMs(sumMs),
    within: counts.map(found => {
      soFar += found
      return soFar
    }),
  }
}
