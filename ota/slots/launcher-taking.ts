import { messageOf } from '../../runtime/core/errors.js'
import { type LauncherUpdate, type LauncherUpdatePorts, takeLauncher } from './launcher-update.js'
import type { SlotName } from './slot-state.js'

/** One take of a launcher after the other, with what came of the last one. */
export class LauncherTaking {
  readonly #ports: LauncherUpdatePorts
  readonly #isPreviousRunning: boolean
  #last: Promise<unknown> = Promise.resolve()
  #update: LauncherUpdate | null = null
  #trouble: string | null = null

  constructor(ports: LauncherUpdatePorts, isPreviousRunning: boolean) {
    this.#ports = ports
    this.#isPreviousRunning = isPreviousRunning
  }

  /** For people; null: the launcher in place is the one that it should be, as far as anybody has looked. */
  get trouble(): string | null {
    return this.#trouble
  }

  /**
   * @param slot whose release, of this version, was found good
   * @throws BoxError `storage.io`, `storage.full`, `slot.rotten`
   */
  take(slot: SlotName, version: string): Promise<LauncherUpdate['kind']> {
    const done = this.#last.then(() => this.#take(slot, version))
    this.#last = done.catch(() => {})
    return done
  }

  async #take(slot: SlotName, version: string): Promise<LauncherUpdate['kind']> {
    const launcher = `the launcher that ${version} brings`
    try {
      this.#update = await takeLauncher(this.#ports, slot, {
        last: this.#update,
        isPreviousRunning: this.#isPreviousRunning,
      })
    } catch (error) {
      this.#trouble = `${launcher} could not take its place: ${messageOf(error)}`
      throw error
    }
    const { kind } = this.#update
    this.#trouble =
      this.#update.kind === 'refused'
        ? `${launcher} failed its test, and the one before it goes on: ${this.#update.said}`
        : null
    return kind
  }
}
