/**
 * Tells each output's state to whoever keeps states: at once when it changes, and then at most twice a second. A fade is
 * not worth ten messages a second to a dashboard; where it ends is, and is always told.
 */
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Payload } from '../../topics.js'
import { ON_LEVEL } from './channels.js'
import { type CheckedShow, type Output, ownOutputs } from './checked-show.js'
import type { Levels } from './levels.js'

type OutputState = Payload<'output/state'>

const EVERY_MS = 500
/** Finer than any dimmer: what differs less is the same. */
const STEPS = 10_000

interface Told {
  readonly parts: readonly number[]
  readonly at: MonotonicMs
}

export class OutputStates {
  readonly #clock: Clock
  readonly #outputs: readonly Output[]
  readonly #tell: (state: OutputState) => void
  readonly #told = new Map<Output, Told>()
  #cancel: Cancel | null = null

  constructor(clock: Clock, show: CheckedShow, box: string, tell: (state: OutputState) => void) {
    this.#clock = clock
    this.#outputs = ownOutputs(show, box)
    this.#tell = tell
  }

  /** These are the levels from now on. */
  note(levels: Levels): void {
    this.stop()
    const now = this.#clock.monotonicMs()
    let due = Number.POSITIVE_INFINITY
    for (const output of this.#outputs) {
      const told = this.#told.get(output)
      // Whether there is news is looked at when it may be told.
      if (told && now < told.at + EVERY_MS) due = Math.min(due, told.at + EVERY_MS)
      else if (!(told && isSame(output, told.parts, levels))) this.#say(output, levels, now)
    }
    if (due < Number.POSITIVE_INFINITY)
      this.#cancel = this.#clock.runAt(after(now, due - now), () => this.note(levels))
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #say(output: Output, levels: Levels, at: MonotonicMs): void {
    const { name, kind, offset, componentCount } = output
    const parts = Array.from({ length: componentCount }, (_, index) =>
      shown(output, levels[offset + index]),
    )
    this.#told.set(output, { parts, at })
    this.#tell({ output: name, kind, level: Math.max(...parts), parts })
  }
}

function isSame(output: Output, parts: readonly number[], levels: Levels): boolean {
  for (let index = 0; index < parts.length; index++)
    if (parts[index] !== shown(output, levels[output.offset + index])) return false
  return true
}

const shown = ({ kind }: Output, level = 0): number =>
  kind === 'switch' ? Number(level >= ON_LEVEL) : Math.round(level * STEPS) / STEPS
