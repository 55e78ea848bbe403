/** Sound that a test plays. */
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { SoundBlock, SoundInput } from '../../runtime/ports/timecode-links.js'

export class SimulatedSound implements SoundInput {
  /** Unplugged: it cannot be opened. */
  isAbsent = false
  readonly #blocks = new Signal<SoundBlock>()
  readonly #lost = new Signal<Error>()
  #isOpen = false

  async open(): Promise<void> {
    if (this.isAbsent) throw new DeviceError('device.absent', 'there is no such sound card')
    this.#isOpen = true
  }

  hear(block: SoundBlock): void {
    if (this.#isOpen) this.#blocks.emit(block)
  }

  unplug(): void {
    this.isAbsent = true
    this.#isOpen = false
    this.#lost.emit(new DeviceError('device.absent', 'the sound card is gone'))
  }

  onBlock(listener: (block: SoundBlock) => void): Cancel {
    return this.#blocks.listen(listener)
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  async close(): Promise<void> {
    this.#isOpen = false
  }
}
