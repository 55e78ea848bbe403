/**
 * What the clock of the box shows, as well as this page can know. The box tells it every few seconds, and the word takes
 * its time to come: so what is known here lies behind, never ahead.
 */

/** Two clocks drift apart by much less than this; so an old word is worth less and less. */
const DRIFT = 0.001

export class BoxTime {
  /** The box less the page, in milliseconds; null before the first word. */
  #aheadMs = null
  #heardMs = 0

  /** The box may have been started again, and its clock with it. */
  forget() {
    this.#aheadMs = null
  }

  /** The word that came fastest is nearest to the truth. */
  hear(boxMs, nowMs) {
    const ahead = boxMs - nowMs
    const known = this.#aheadMs === null ? ahead : this.#aheadMs - DRIFT * (nowMs - this.#heardMs)
    this.#aheadMs = Math.max(ahead, known)
    this.#heardMs = nowMs
  }

  /** @returns null when the box has not said it yet */
  read(nowMs) {
    return this.#aheadMs === null ? null : nowMs + this.#aheadMs
  }
}
