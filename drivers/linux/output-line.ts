import { DeviceError } from '../../runtime/core/errors.js'
import type { Cancel, MonotonicMs } from '../../runtime/ports/clock.js'
import type { Fired, OutputLine } from '../../runtime/ports/host.js'
import type { FiringLine } from './firing-line.js'
import { type LinePlace, placeKey, type TakenOutput } from './gpio-backend.js'
import type { LineServices } from './line-services.js'

interface OpenOutput {
  readonly taken: TakenOutput
  readonly line: FiringLine
  readonly forgetLastWord: Cancel
  readonly free: Cancel
}

/** A backend takes the line, the firing thread and the main thread write to it. */
export class LinuxOutputLine implements OutputLine {
  readonly name: string
  readonly #services: LineServices
  readonly #place: LinePlace
  readonly #isSafeActive: boolean
  #open: OpenOutput | null = null

  constructor(
    services: LineServices,
    place: LinePlace,
    options: { readonly isSafeActive: boolean },
  ) {
    this.#services = services
    this.name = place.name
    this.#place = place
    this.#isSafeActive = options.isSafeActive
  }

  async open(isActive: boolean): Promise<void> {
    const free = this.#services.claims.claim(placeKey(this.#place), this.name)
    try {
      const taken = await this.#services.backend().takeOutput(this.#place, isActive)
      const { fd, method } = taken
      const isSafeActive = this.#isSafeActive
      const forgetLastWord = await this.#keepLastWord(taken)
      const line = this.#services.firing().takeLine(this.name, { fd, method, isSafeActive })
      this.#open = { taken, line, forgetLastWord, free }
    } catch (error) {
      free()
      throw error
    }
    // A file is ours only by now: until then the guard of a box that died may have written its last word to it.
    if (this.#open.taken.method === 'file') this.set(isActive)
  }

  set(isActive: boolean): void {
    this.#line().set(isActive)
  }

  setAt(isActive: boolean, at: MonotonicMs, done: (fired: Fired) => void): Cancel {
    return this.#line().setAt(isActive, at, done)
  }

  async close(): Promise<void> {
    const open = this.#open
    if (open === null) return
    this.#open = null
    try {
      this.#services.firing().releaseLine(open.line)
    } finally {
      open.forgetLastWord()
      open.taken.release()
      open.free()
    }
  }

  async #keepLastWord(taken: TakenOutput): Promise<Cancel> {
    try {
      return await this.#services.lastWords().keep(taken.lastWord(this.#isSafeActive))
    } catch (error) {
      taken.release()
      throw error
    }
  }

  #line(): FiringLine {
    if (this.#open === null) throw new DeviceError('device.absent', `${this.name} is not open`)
    return this.#open.line
  }
}
