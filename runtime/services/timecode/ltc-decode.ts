/**
 * Reads linear timecode from sound, block by block: at any level, either polarity, forward and backward, from an eighth of
 * the nominal speed to four times of it at 48 kHz. What is no timecode is nothing.
 */
import { EdgeFinder } from './edge-finder.js'
import { LTC_BITS, type LtcLabel, readLtcWord, SYNC_WORD } from './ltc-word.js'

export interface LtcFrame {
  readonly label: LtcLabel
  readonly isReverse: boolean
  /** When it was heard from and to, in samples since the beginning; a part of a sample counts. */
  readonly fromSample: number
  readonly toSample: number
}

const SYNC = SYNC_WORD.length
const DATA = LTC_BITS - SYNC
/** A whole bit is longer than this share of one, half a one shorter. */
const WHOLE_MIN = 0.75
/** What is longer is a gap in the signal. */
const WHOLE_MAX = 1.6
/** How quickly the speed is followed. */
const FOLLOW = 1 / 8
/** Without a frame for so many edges the speed is found anew, by the longest of the last ones. */
const SEARCH_EDGES = 200
const LONG_SHARE = 0.95

export class LtcDecoder {
  readonly #edges = new EdgeFinder()
  readonly #bits = new Uint8Array(LTC_BITS)
  /** When each of them began, and in the end when the last one ended. */
  readonly #begins = new Float64Array(LTC_BITS)
  #count = 0
  #bitLength: number
  #lastEdge = 0
  /** The beginning of a bit whose first half was heard; null between bits. */
  #half: number | null = null
  #intervals: number[] = []

  /** @param sampleRate samples a second */
  constructor(sampleRate: number) {
    // 25 frames a second, to begin with.
    this.#bitLength = sampleRate / (25 * LTC_BITS)
  }

  /** The frames that end in this block. */
  read(samples: Int16Array): LtcFrame[] {
    const frames: LtcFrame[] = []
    for (const edge of this.#edges.find(samples)) {
      const frame = this.#hear(edge)
      if (frame !== null) frames.push(frame)
    }
    return frames
  }

  #hear(edge: number): LtcFrame | null {
    const interval = edge - this.#lastEdge
    const from = this.#lastEdge
    this.#lastEdge = edge
    this.#search(interval)
    if (interval > WHOLE_MAX * this.#bitLength) {
      this.#forget()
      return null
    }
    if (interval > WHOLE_MIN * this.#bitLength) {
      // Half a bit is missing: whatever was, was no bit.
      if (this.#half !== null) this.#forget()
      return this.#push(0, from, edge)
    }
    if (this.#half === null) {
      this.#half = from
      return null
    }
    const begin = this.#half
    this.#half = null
    return this.#push(1, begin, edge)
  }

  #push(bit: 0 | 1, begin: number, end: number): LtcFrame | null {
    this.#bitLength += (end - begin - this.#bitLength) * FOLLOW
    this.#bits.copyWithin(0, 1)
    this.#begins.copyWithin(0, 1)
    this.#bits[LTC_BITS - 1] = bit
    this.#begins[LTC_BITS - 1] = begin
    this.#count++
    if (this.#count < LTC_BITS) return null
    const isForward = this.#isSync(DATA, false)
    if (!isForward && !this.#isSync(0, true)) return null
    const data = isForward ? this.#bits.slice(0, DATA) : this.#bits.slice(SYNC).reverse()
    const label = readLtcWord(data)
    if (label === null) return null
    this.#intervals = []
    return { label, isReverse: !isForward, fromSample: this.#begins[0] ?? 0, toSample: end }
  }

  #isSync(at: number, isReverse: boolean): boolean {
    return SYNC_WORD.every(
      (bit, index) => this.#bits[at + (isReverse ? SYNC - 1 - index : index)] === bit,
    )
  }

  /** Two bits that end a half bit apart cannot be told from two others: the sync word tells which they were. */
  #forget(): void {
    this.#half = null
    this.#count = 0
  }

  #search(interval: number): void {
    this.#intervals.push(interval)
    if (this.#intervals.length < SEARCH_EDGES) return
    const sorted = this.#intervals.sort((a, b) => a - b)
    this.#bitLength = sorted[Math.floor(LONG_SHARE * sorted.length)] ?? this.#bitLength
    this.#intervals = []
    this.#forget()
  }
}
