/**
 * A good release in the other slot that is to be tried anew, as nothing has to be fetched for it. Until its trial begins it is
 * what it was, the way back: whoever ordered it may think better of it, and a person may go back to it at once.
 */
import type { MendWishes } from './mending.js'
import type { SlotCare } from './slot-care.js'
import {
  lyingGood,
  otherSlot,
  type Release,
  type SlotName,
  type State,
  takeUp,
  withdraw,
  withSlot,
} from './slot-state.js'

export class TakingUp {
  readonly #care: Pick<SlotCare, 'audit'>
  readonly #read: () => Promise<State>
  readonly #running: SlotName | null
  /** As it is ordered now. Known to this process only: the next one reads it as a whole anew. */
  #release: Release | null = null

  constructor(care: Pick<SlotCare, 'audit'>, read: () => Promise<State>, running: SlotName | null) {
    this.#care = care
    this.#read = read
    this.#running = running
  }

  /**
   * Reads it as a whole, and mends it. From then on `activate` tries it from where it lies.
   * @returns where; null: it is to be installed
   * @throws as `SlotCare.audit`
   */
  async take(release: Release, wishes: MendWishes): Promise<SlotName | null> {
    const target = lyingGood(await this.#read(), this.#running, release)
    if (target === null) return null
    if ((await this.#care.audit(target, wishes.pause, wishes)) !== null) return null
    this.#release = release
    return this.place(await this.#read())
  }

  forget(): void {
    this.#release = null
  }

  /** Where it lies, and may be tried. */
  place(state: State): SlotName | null {
    return this.#release && lyingGood(state, this.#running, this.#release)
  }

  /** The state in which it is ready. */
  begin(state: State): State {
    const place = this.place(state)
    return this.#release && place ? takeUp(state, place, this.#release) : state
  }

  /** Its trial is not to be: it is good, as before. */
  end(state: State): State {
    const next = withdraw(state)
    if (next === state || this.#running === null) return next
    const other = otherSlot(this.#running)
    const slot = next.slots[other]
    if (slot.kind !== 'ready' || slot.release.digest !== this.#release?.digest) return next
    return withSlot(next, other, { kind: 'good', release: slot.release })
  }
}
