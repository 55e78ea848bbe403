/**
 * Linear timecode that follows a position which somebody else steers: where that runs a little faster or slower so does it,
 * without a bit that is too short to be read; where it leaps it is cut, and goes on there. Pure but for where it stands.
 */
import { NS_PER_MS } from '../../core/time.js'
import {
  frameMs,
  frameOfDay,
  frameOfNs,
  framesPerDay,
  nsOfFrame,
  type TimecodeRate,
} from '../../core/timecode.js'
import { LTC_BITS, ltcWord } from './ltc-word.js'

const HALVES = 2 * LTC_BITS
/** What is off by more is not made up for: it is cut. */
const CUT_FRAMES = 0.5
/** What is off is made up for in about so long, and never by more than that share of the speed. */
const SETTLE_MS = 200
const STEER_SHARE_MAX = 0.01

export class LtcWave {
  readonly #rate: TimecodeRate
  readonly #dayNs: number
  /** Since 00:00:00:00; null where nothing came before. */
  #atNs: number | null = null
  #frame = Number.NaN
  #halves: Int8Array = new Int8Array(HALVES)

  constructor(rate: TimecodeRate) {
    this.#rate = rate
    this.#dayNs = nsOfFrame(framesPerDay(rate), rate)
  }

  /** What comes next does not follow what was. */
  cut(): void {
    this.#atNs = null
  }

  /**
   * @param samples each becomes the mean of the signal over its time, -`volume` to `volume`; a half bit must be longer
   * @param fromNs where timecode should be at the first of them
   * @param lengthNs how far it should come over all
   */
  fill(samples: Float32Array, fromNs: number, lengthNs: number, volume: number): void {
    const begin = this.#follow(fromNs)
    const off = fromNs - begin
    const steer = (off * lengthNs) / (SETTLE_MS * NS_PER_MS)
    const limit = STEER_SHARE_MAX * lengthNs
    const perSample = (lengthNs + Math.min(limit, Math.max(-limit, steer))) / samples.length
    for (let index = 0; index < samples.length; index++)
      samples[index] = volume * this.#mean(begin + index * perSample, perSample)
    this.#atNs = begin + samples.length * perSample
  }

  /** Where it really goes on. */
  #follow(fromNs: number): number {
    if (this.#atNs === null) return fromNs
    // At midnight one of them may be in the new day already.
    const days = Math.round((this.#atNs - fromNs) / this.#dayNs)
    const at = this.#atNs - days * this.#dayNs
    const isNear = Math.abs(at - fromNs) <= CUT_FRAMES * frameMs(this.#rate) * NS_PER_MS
    return isNear ? at : fromNs
  }

  #mean(fromNs: number, lengthNs: number): number {
    const [first, share, rest] = this.#halfAt(fromNs, lengthNs)
    return rest >= share
      ? first
      : (first * rest + this.#halfAt(fromNs + lengthNs, 1)[0] * (share - rest)) / share
  }

  /** Which side the half bit is on, the length in half bits, and how much of it is left. */
  #halfAt(ns: number, lengthNs: number): readonly [side: number, length: number, left: number] {
    const frame = frameOfNs(ns, this.#rate)
    const begin = nsOfFrame(frame, this.#rate)
    const halfNs = (nsOfFrame(frame + 1, this.#rate) - begin) / HALVES
    const at = Math.max(0, (ns - begin) / halfNs)
    const half = Math.min(HALVES - 1, Math.floor(at))
    if (frame !== this.#frame) this.#load(frame)
    return [this.#halves[half] ?? 0, lengthNs / halfNs, half + 1 - at]
  }

  /** Each bit begins with a change, a one has another in its middle; each word begins on the upper side. */
  #load(frame: number): void {
    this.#frame = frame
    const halves = new Int8Array(HALVES)
    let side = -1
    for (const [index, bit] of ltcWord(frameOfDay(frame, this.#rate), this.#rate).entries()) {
      side = -side
      halves[2 * index] = side
      if (bit === 1) side = -side
      halves[2 * index + 1] = side
    }
    this.#halves = halves
  }
}
