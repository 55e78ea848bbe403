/** The door at which `roadcase ota` asks. A disk that has no room for it keeps no box from its updates. */
import type { ControlDoor } from '../../drivers/linux/control-door.js'
import { BoxError } from '../../runtime/core/errors.js'
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'

const AGAIN_MS = 10_000

export interface AskingParts {
  readonly clock: Clock
  readonly log: Log
  readonly door: Pick<ControlDoor, 'open' | 'close'>
  readonly answer: (line: string) => Promise<string>
}

export class Asking implements Service {
  readonly name = 'asking'
  readonly #parts: AskingParts
  #cancel: Cancel = () => {}
  #isOpen = false

  constructor(parts: AskingParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    const problem = await this.#tryToOpen()
    if (problem === null) return
    this.#parts.log.error('ota.unasked', { error: problem })
    this.#cancel = repeat(this.#parts.clock, AGAIN_MS, async () => {
      if (!this.#isOpen) await this.#tryToOpen()
    })
  }

  async stop(): Promise<void> {
    this.#cancel()
    await this.#parts.door.close()
  }

  async #tryToOpen(): Promise<BoxError | null> {
    try {
      await this.#parts.door.open(this.#parts.answer)
      this.#isOpen = true
      return null
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      return error
    }
  }
}
