import type { LogLine } from './log-line.js'

/** The last lines of the log, for the page and for `roadcase logs`: the newest `capacity` of them. */
export class LogRing {
  readonly #capacity: number
  readonly #lines: LogLine[] = []
  /** Where the oldest line is, once the ring is full. */
  #oldest = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(line: LogLine): void {
    if (this.#lines.length < this.#capacity) {
      this.#lines.push(line)
      return
    }
    this.#lines[this.#oldest] = line
    this.#oldest = (this.#oldest + 1) % this.#capacity
  }

  /** Oldest first. */
  recent(): readonly LogLine[] {
    return [...this.#lines.slice(this.#oldest), ...this.#lines.slice(0, this.#oldest)]
  }
}
