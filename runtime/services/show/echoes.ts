/**
 * Boxes of a venue that follow the same timecode ask for the same thing at the same moment. It happens once: whoever leads
 * takes the first of them, and answers the others as it was answered.
 */
import { forgetOldest } from '../../core/oldest.js'
import type { ShowCommand } from '../../topics.js'

/** Boxes that follow one source are a few milliseconds apart; the same position comes again after a rewind at the earliest. */
const TOGETHER_MS = 500
const KEPT_MAX = 256

export class Echoes {
  /** By what was asked, its position included. */
  readonly #accepted = new Map<string, { readonly id: string; readonly atShowMs: number }>()

  /** The request of another box for the same that was accepted; null where there is none. */
  firstOf(command: ShowCommand): string | null {
    const { atShowMs } = command
    const first = this.#accepted.get(keyOf(command))
    if (atShowMs === undefined || first === undefined) return null
    return Math.abs(atShowMs - first.atShowMs) < TOGETHER_MS ? first.id : null
  }

  noteAccepted(command: ShowCommand): void {
    const { id, atShowMs, origin } = command
    if (atShowMs === undefined || !origin.startsWith('timecode:')) return
    const key = keyOf(command)
    this.#accepted.delete(key)
    this.#accepted.set(key, { id, atShowMs })
    forgetOldest(this.#accepted, KEPT_MAX)
  }
}

/** Everything but which request it is, and when; in one order, whichever way it came. */
const keyOf = ({ id: _, atShowMs: __, ...asked }: ShowCommand): string =>
  JSON.stringify(Object.entries(asked).sort(([one], [other]) => (one < other ? -1 : 1)))
