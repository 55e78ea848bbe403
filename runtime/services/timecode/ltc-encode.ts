/**
 * Linear timecode as sound: each bit begins with a change of polarity, and a one has another in its middle (biphase mark,
 * SMPTE ST 12-1 section 8). Each sample is the mean of the signal over its time, so edges between samples are where they
 * belong. Streaming, and exact however long it goes on.
 */
import { nsOfFrame, type TimecodeRate } from '../../core/timecode.js'
import { LTC_BITS, ltcWord } from './ltc-word.js'

/** Half of full scale, which is 6 dB below what clips. */
const AMPLITUDE = 16_384
const NS_PER_SECOND = 1e9

export interface LtcForm {
  readonly rate: TimecodeRate
  /** 44100, 48000, 96000, … samples a second. */
  readonly sampleRate: number
}

/** Where a frame begins, in samples from 00:00:00:00; a part of a sample counts. */
export const sampleOfFrame = (frame: number, { rate, sampleRate }: LtcForm): number =>
  (nsOfFrame(frame, rate) * sampleRate) / NS_PER_SECOND

/**
 * The samples from the first that begins in `frame` to the last that does: so many frames one after the other are the
 * whole signal.
 */
export function ltcSamples(frame: number, form: LtcForm): Int16Array {
  const begin = sampleOfFrame(frame, form)
  const end = sampleOfFrame(frame + 1, form)
  const first = Math.ceil(begin)
  const samples = new Int16Array(Math.ceil(end) - first)
  const edges = edgesOf(frame, form.rate, begin, end)
  // Each frame begins with a change to the upper side: the number of changes in a frame is even.
  let next = 0
  for (let index = 0; index < samples.length; index++) {
    const from = first + index
    const to = from + 1
    let at = from
    let area = 0
    while (next < edges.length && (edges[next] ?? 0) < to) {
      const edge = Math.max(from, edges[next] ?? 0)
      area += (edge - at) * side(next)
      at = edge
      next++
    }
    // The last sample reaches into the next frame, which begins on the upper side.
    const rest = Math.min(to, end) - at
    area += rest * side(next) + Math.max(0, to - Math.max(end, at))
    samples[index] = Math.round(area * AMPLITUDE)
  }
  return samples
}

/** Before the first edge the signal is where the frame before ended: on the lower side. */
const side = (edgeCount: number): number => (edgeCount % 2 === 1 ? 1 : -1)

function edgesOf(frame: number, rate: TimecodeRate, begin: number, end: number): number[] {
  const bitLength = (end - begin) / LTC_BITS
  const edges: number[] = []
  for (const [index, bit] of ltcWord(frame, rate).entries()) {
    edges.push(begin + index * bitLength)
    if (bit === 1) edges.push(begin + (index + 0.5) * bitLength)
  }
  return edges
}
