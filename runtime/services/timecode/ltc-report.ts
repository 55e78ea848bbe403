/** What is on a recording of linear timecode: stretches that count on without a gap. Pure. */
import {
  frameMs,
  frameOfLabel,
  framesBetween,
  type TimecodeRate,
  timecodeText,
} from '../../core/timecode.js'
import { LtcDecoder, type LtcFrame } from './ltc-decode.js'
import { RateFinder } from './rate-finder.js'

export interface Stretch {
  readonly rate: TimecodeRate
  readonly isReverse: boolean
  readonly from: string
  readonly to: string
  readonly frameCount: number
  readonly fromMs: number
  readonly toMs: number
  /** Of its frames at the nominal speed; 1 is that. */
  readonly speed: number
}

interface Open {
  readonly rate: TimecodeRate
  readonly first: LtcFrame
  readonly firstFrame: number
  readonly last: LtcFrame
  readonly lastFrame: number
  readonly count: number
}

const MS_PER_SECOND = 1_000
export const STRETCHES_MAX = 1_000

export class LtcReport {
  readonly #sampleRate: number
  readonly #decoder: LtcDecoder
  readonly #rates: RateFinder
  readonly #stretches: Stretch[] = []
  #open: Open | null = null

  /** @param sampleRate samples a second */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate
    this.#decoder = new LtcDecoder(sampleRate)
    this.#rates = new RateFinder(sampleRate)
  }

  /** More than `STRETCHES_MAX` are not told. */
  read(samples: Int16Array): void {
    for (const frame of this.#decoder.read(samples)) this.#take(frame)
  }

  end(): readonly Stretch[] {
    this.#close()
    return this.#stretches
  }

  #take(heard: LtcFrame): void {
    const { label, isReverse, fromSample, toSample } = heard
    const rate = this.#rates.rateOf(label, toSample - fromSample)
    const frame = frameOfLabel(label, rate)
    if (frame === null) return
    const open = this.#open
    if (open !== null && open.first.isReverse === isReverse && open.rate === rate) {
      const step = framesBetween(open.lastFrame, frame, rate)
      if (step === (isReverse ? -1 : 1)) {
        this.#open = { ...open, last: heard, lastFrame: frame, count: open.count + 1 }
        return
      }
    }
    this.#close()
    this.#open = { rate, first: heard, firstFrame: frame, last: heard, lastFrame: frame, count: 1 }
  }

  #close(): void {
    const open = this.#open
    this.#open = null
    if (open === null || this.#stretches.length >= STRETCHES_MAX) return
    const { rate, first, last, firstFrame, lastFrame, count } = open
    const msOf = (sample: number): number =>
      (Math.max(0, sample) * MS_PER_SECOND) / this.#sampleRate
    const [fromMs, toMs] = [msOf(first.fromSample), msOf(last.toSample)]
    this.#stretches.push({
      rate,
      isReverse: first.isReverse,
      from: timecodeText(firstFrame, rate),
      to: timecodeText(lastFrame, rate),
      frameCount: count,
      fromMs,
      toMs,
      speed: (count * frameMs(rate)) / (toMs - fromMs),
    })
  }
}
