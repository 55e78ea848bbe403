import type { Percentiles } from '../ports/percentiles.js'

const BUCKETS_PER_DECADE = 20
const SMALLEST = 0.001
const DECADES = 9
/** One for each step, one for what is smaller than the smallest, and one for what is larger than the largest. */
const BUCKET_COUNT = BUCKETS_PER_DECADE * DECADES + 2

/** Percentiles in fixed memory: logarithmic buckets of 12 %, from 0.001 to 1e6 (milliseconds, say). */
export class Histogram {
  readonly #buckets = new Uint32Array(BUCKET_COUNT)
  #count = 0
  #max = 0

  /** Negative values count as zero: early is not late. What is not a number is not counted. */
  add(value: number): void {
    if (Number.isNaN(value)) return
    const steps = Math.ceil(Math.log10(Math.max(value, SMALLEST) / SMALLEST) * BUCKETS_PER_DECADE)
    const bucket = Math.min(BUCKET_COUNT - 1, steps)
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
    this.#count++
    this.#max = Math.max(this.#max, value)
  }

  read(): Percentiles {
    return {
      count: this.#count,
      p50: this.#at(0.5),
      p95: this.#at(0.95),
      p99: this.#at(0.99),
      max: this.#max,
    }
  }

  #at(share: number): number {
    const wanted = Math.ceil(this.#count * share)
    let seen = 0
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count
      if (count > 0 && seen >= wanted) return Math.min(this.#max, upperBound(bucket))
    }
    return 0
  }
}

/** What lies beyond the last step is told as the largest value seen, never as less. */
function upperBound(bucket: number): number {
  if (bucket === BUCKET_COUNT - 1) return Number.POSITIVE_INFINITY
  return SMALLEST * 10 ** (bucket / BUCKETS_PER_DECADE)
}
