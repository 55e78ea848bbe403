import { DeviceError } from '../../runtime/core/errors.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import { carryOutAll, carryOutFile } from './last-act.js'
import { type FileWord, type LastWord, type LastWords, WORDS_MAX } from './last-words.js'

/**
 * In the place of a guard, where koffi has no binary: PWM outputs are safe after a process that ends by itself, as lines
 * are by the firing thread's host. After a kill nothing is, while the main thread is silent no PWM output, and chips
 * only after a stop.
 */
export class Unguarded implements LastWords {
  readonly #log: Log
  readonly #words = new Set<FileWord>()

  constructor(log: Log) {
    this.#log = log
  }

  start(): void {
    process.once('exit', this.#onExit)
  }

  /** After `safeNow`, if that is wanted. Safe to call twice. */
  stop(): void {
    process.off('exit', this.#onExit)
  }

  async keep(word: LastWord): Promise<Cancel> {
    if (word.kind !== 'file') return () => {}
    if (this.#words.size >= WORDS_MAX)
      throw new DeviceError('device.limit', `${WORDS_MAX} outputs are kept safe already`)
    const own = { ...word }
    this.#words.add(own)
    return () => void this.#words.delete(own)
  }

  /** For the last moments of a process. Never throws. */
  safeNow(): void {
    const words = [...this.#words]
    const { failures } = carryOutAll(words, carryOutFile, () => false)
    for (const error of failures) this.#log.error('guard.not-safe', { error })
  }

  readonly #onExit = (): void => this.safeNow()
}
