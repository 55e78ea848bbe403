/** Where a signal changes sides, whatever its level and its direct current. Pure but for what it remembers. */

/** How quickly a level that has become lower is believed, by sample. */
const FALL = 1 / 4_000
/** Of the level: what changes sides by less is noise. */
const HYSTERESIS = 0.25
/** Of full scale: quieter is silence. */
const LEVEL_MIN = 100

export class EdgeFinder {
  #high = 0
  #low = 0
  #isHigh = false
  #before = 0
  /** Samples heard before this block. */
  #offset = 0
  /** Where the signal last crossed the middle on its way. */
  #crossing = 0

  /** The edges of one block, in samples since the beginning; a part of a sample counts. */
  find(samples: Int16Array): number[] {
    const edges: number[] = []
    for (let index = 0; index < samples.length; index++) {
      const sample = samples[index] ?? 0
      const middle = this.#follow(sample)
      const [was, is] = [this.#before - middle, sample - middle]
      this.#before = sample
      // Where it has crossed counts, not where that is beyond doubt.
      if (was < 0 !== is < 0) this.#crossing = this.#offset + index - is / (is - was)
      const level = (this.#high - this.#low) / 2
      if (level < LEVEL_MIN || Math.abs(is) < HYSTERESIS * level) continue
      const isHigh = is > 0
      if (isHigh === this.#isHigh) continue
      this.#isHigh = isHigh
      edges.push(this.#crossing)
    }
    this.#offset += samples.length
    return edges
  }

  /** Between the highest and the lowest it has been lately. */
  #follow(sample: number): number {
    const width = this.#high - this.#low
    this.#high = Math.max(sample, this.#high - width * FALL)
    this.#low = Math.min(sample, this.#low + width * FALL)
    return (this.#high + this.#low) / 2
  }
}
