/**
 * The line of a UPS HAT that tells whether power comes from outside. Which level means what is a fact of the HAT, and the
 * HATs contradict one another; which level the board calls active is a fact of the board, and of whatever else was meant
 * to sit on that pin. The two are brought together here and nowhere else, so that neither can turn the other round.
 */
import { Signal } from '../runtime/core/signal.js'
import type { Cancel, MonotonicMs } from '../runtime/ports/clock.js'
import type { InputLine } from '../runtime/ports/host.js'

export type Level = 'high' | 'low'

/** A plug that goes in sparks for some milliseconds. */
export const EXTERNAL_DEBOUNCE_MS = 10

export interface ExternalLevels {
  /** The level that the HAT drives while there is power from outside. */
  readonly external: Level
  /** The level that the board calls active. */
  readonly active: Level
}

export const isExternalWhen = (isActive: boolean, { external, active }: ExternalLevels): boolean =>
  isActive === (external === active)

export class ExternalLine {
  readonly #line: InputLine
  readonly #levels: ExternalLevels
  readonly #changes = new Signal<{ readonly isExternal: boolean; readonly at: MonotonicMs }>()
  #cancelEdges: Cancel = () => {}

  constructor(line: InputLine, levels: ExternalLevels) {
    this.#line = line
    this.#levels = levels
  }

  async open(): Promise<void> {
    await this.#line.open()
    this.#cancelEdges = this.#line.onEdge(({ isActive, at }) =>
      this.#changes.emit({ isExternal: isExternalWhen(isActive, this.#levels), at }),
    )
  }

  async close(): Promise<void> {
    this.#cancelEdges()
    await this.#line.close()
  }

  /** Throws DeviceError when the line is gone. */
  isExternal(): boolean {
    return isExternalWhen(this.#line.isActive(), this.#levels)
  }

  onExternal(listener: (isExternal: boolean, at: MonotonicMs) => void): Cancel {
    return this.#changes.listen(({ isExternal, at }) => listener(isExternal, at))
  }
}
