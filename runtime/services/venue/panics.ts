/** Panic waits for no leader: whoever hears of it carries it out, and no more than once. */
import { forgetOldest } from '../../core/oldest.js'
import type { Clock } from '../../ports/clock.js'
import type { VenueCommand } from './messages.js'
import { Repeats } from './repeats.js'

const PANICS_MAX = 64

export class Panics {
  readonly #repeats: Repeats
  readonly #spread: (command: VenueCommand) => void
  /** By id. */
  readonly #known = new Map<string, VenueCommand>()

  /** @param spread says it to all */
  constructor(clock: Clock, spread: (command: VenueCommand) => void) {
    this.#repeats = new Repeats(clock)
    this.#spread = spread
  }

  /**
   * Asked here, or heard: who hears of it spreads it, too, so that it reaches whom only a third can hear.
   * @returns whether it is new
   */
  tell(command: VenueCommand): boolean {
    if (command.action !== 'panic' || this.#known.has(command.id)) return false
    this.#known.set(command.id, command)
    forgetOldest(this.#known, PANICS_MAX)
    this.#repeats.panic(() => this.#spread(command))
    return true
  }

  stop(): void {
    this.#repeats.stop()
  }
}
