/** Linear timecode does not say its rate: it is found by how long frames last, and for sure by the last one of a second. */
import { labelsPerSecond, type TimecodeRate } from '../../core/timecode.js'
import type { LtcLabel } from './ltc-word.js'

const candidates = ['24', '25', '30'] as const

export class RateFinder {
  readonly #sampleRate: number
  #last: LtcLabel | null = null
  /** By a change of seconds that was heard. */
  #proven: TimecodeRate | null = null
  #guessed: TimecodeRate | null = null

  /** @param sampleRate samples a second */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate
  }

  /** @param samples how long the frame lasted */
  rateOf(label: LtcLabel, samples: number): TimecodeRate {
    const before = this.#last
    this.#last = label
    if (label.isDropFrame) return '29.97df'
    if (before !== null) this.#prove(before, label)
    const known = this.#proven ?? this.#guessed
    if (known !== null && labelsPerSecond(known) > label.frames) return known
    this.#proven = null
    this.#guessed = nearest(this.#sampleRate / samples, label.frames)
    return this.#guessed
  }

  /** The second changed, one way or the other: the higher of both numbers is the last of a second. */
  #prove(before: LtcLabel, label: LtcLabel): void {
    const [low, high] = before.frames < label.frames ? [before, label] : [label, before]
    if (low.frames !== 0 || Math.abs(low.seconds - high.seconds) % 58 !== 1) return
    this.#proven = candidates.find(rate => labelsPerSecond(rate) === high.frames + 1) ?? null
  }
}

/** The rate whose frames last about so long, of those that have this number. */
function nearest(perSecond: number, frames: number): TimecodeRate {
  const off = (rate: TimecodeRate): number => Math.abs(labelsPerSecond(rate) - perSecond)
  return candidates
    .filter(rate => labelsPerSecond(rate) > frames)
    .reduce<TimecodeRate>((best, rate) => (off(rate) < off(best) ? rate : best), '30')
}
