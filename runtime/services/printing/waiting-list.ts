/**
 * The jobs of one printer that wait, in order of arrival: all that memory holds of them. Whoever takes a job out owns it
 * until he puts it back; nobody else may change it meanwhile.
 */
import { type Deadline, isOver, type Now } from './expiry.js'

export interface Waiting {
  readonly sequence: number
  readonly deadline: Deadline
}

export class WaitingList {
  readonly #jobs: Waiting[] = []

  get size(): number {
    return this.#jobs.length
  }

  /** Where its sequence belongs: what is printed again comes before what came later. */
  add(waiting: Waiting): void {
    const last = this.#jobs.at(-1)
    if (last === undefined || last.sequence < waiting.sequence) this.#jobs.push(waiting)
    else this.#jobs.splice(this.#placeOf(waiting.sequence), 0, waiting)
  }

  has(sequence: number): boolean {
    return this.#jobs[this.#placeOf(sequence)]?.sequence === sequence
  }

  takeFirst(): Waiting | undefined {
    return this.#jobs.shift()
  }

  take(sequence: number): Waiting | undefined {
    return this.has(sequence) ? this.#jobs.splice(this.#placeOf(sequence), 1)[0] : undefined
  }

  /** Takes those whose time is over, at most `max`. */
  takeOver(now: Now, max: number): readonly Waiting[] {
    const over: Waiting[] = []
    for (const waiting of this.#jobs) {
      if (over.length >= max) break
      if (isOver(waiting.deadline, now)) over.push(waiting)
    }
    if (over.length === 0) return over
    const taken = new Set(over)
    const left = this.#jobs.filter(waiting => !taken.has(waiting))
    this.#jobs.length = 0
    for (const waiting of left) this.#jobs.push(waiting)
    return over
  }

  /** The index of the first job that did not come before this one. */
  #placeOf(sequence: number): number {
    let [low, high] = [0, this.#jobs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#jobs[middle]?.sequence ?? sequence) < sequence) low = middle + 1
      else high = middle
    }
    return low
  }
}
