/** Where timecode that the box sends is: by the time of day on the venue's timeline, or since the show was armed. */
import { frameOfDay, frameOfLabel, readLabel, timecodeText } from '../../core/timecode.js'
import type { TimecodeOutputConfig } from '../../core/timecode-config.js'
import type { ShowTimeMs } from '../../ports/clock.js'
import type { Payload } from '../../topics.js'
import { frameOnAt, type Running, timeOfDay } from './generate.js'

export class OutputRun {
  readonly #config: TimecodeOutputConfig
  readonly #offsetFrame: number
  /** Where it began when the show was armed; null while it is not. */
  #armed: Running | null = null

  constructor(config: TimecodeOutputConfig) {
    this.#config = config
    const label = readLabel(config.offset)
    this.#offsetFrame = (label && frameOfLabel(label, config.rate)) ?? 0
  }

  /** @param startShowMs null: it is not, or not any more */
  setArmed(startShowMs: number | null): void {
    this.#armed = startShowMs === null ? null : { startFrame: this.#offsetFrame, startShowMs }
  }

  at(show: ShowTimeMs): Running | null {
    if (this.#config.runs === 'armed') return this.#armed
    return timeOfDay(show, this.#offsetFrame)
  }

  read(show: ShowTimeMs, trouble: string | null): Payload<'timecode/state'>['outputs'][number] {
    const { kind, rate } = this.#config
    const running = this.at(show)
    const frame = running && frameOnAt(running, rate, show, 1)
    return {
      kind,
      rate,
      position: frame === null ? null : timecodeText(frameOfDay(frame, rate), rate),
      trouble: trouble?.slice(0, 256) ?? null,
    }
  }
}
