/** Tells the command line of this machine where the box is, for as long as it runs. */
import { open, rm } from 'node:fs/promises'
import { isCardTrouble } from '../drivers/linux/card-trouble.js'
import { CONTROL_FILE, type Control, controlFileInMemory } from './cli/control.js'
import { BoxError } from './core/errors.js'
import type { Files } from './ports/files.js'
import type { Log } from './ports/log.js'

export class ControlNote {
  readonly #files: Files
  readonly #log: Log
  readonly #inMemory: string

  constructor(files: Files, log: Log, stateFolder: string) {
    this.#files = files
    this.#log = log
    this.#inMemory = controlFileInMemory(stateFolder)
  }

  /** @throws BoxError `storage.*`, but for a card that takes no writes: then it is in the machine's memory */
  async write(control: Control): Promise<void> {
    const text = JSON.stringify(control)
    // It would be believed before the card's, and may be of a start before this one.
    await rm(this.#inMemory, { force: true }).catch(this.#warn)
    try {
      await this.#files.replace(CONTROL_FILE, new TextEncoder().encode(text))
    } catch (error) {
      if (!(error instanceof BoxError && isCardTrouble(error.cause))) throw error
      this.#warn(error)
      await this.#writeToMemory(text).catch(this.#warn)
    }
  }

  /** Whatever became of the disk. */
  async remove(): Promise<void> {
    await rm(this.#inMemory, { force: true }).catch(this.#warn)
    await this.#files.remove(CONTROL_FILE).catch(this.#warn)
  }

  /** A file that is there already is somebody else's: it could not be removed. */
  async #writeToMemory(text: string): Promise<void> {
    const file = await open(this.#inMemory, 'wx', 0o600)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
  }

  readonly #warn = (error: unknown): void => this.#log.warn('control.not-kept', { error })
}
