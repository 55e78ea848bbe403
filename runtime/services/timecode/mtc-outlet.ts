import type { Door } from '../../core/door.js'
import { BoxError } from '../../core/errors.js'
import type { TimecodeRate } from '../../core/timecode.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { ByteStream } from '../../ports/host.js'
import type { Log } from '../../ports/log.js'
import { doorTo } from './door.js'
import { fullFrame, QUARTERS, quarterFrame } from './mtc.js'

/** Quarter frames on a MIDI port; where they do not follow each other, a full message tells first where they go on. */
export class MtcOutlet {
  readonly parts = QUARTERS
  readonly #stream: ByteStream
  readonly #door: Door
  readonly #rate: TimecodeRate
  #last: number | null = null
  #isBusy = false
  #cancelLost: Cancel = () => {}

  constructor(clock: Clock, log: Log, stream: ByteStream, rate: TimecodeRate) {
    this.#stream = stream
    this.#rate = rate
    this.#door = doorTo(clock, log, 'mtc', stream)
  }

  open(): void {
    this.#cancelLost = this.#stream.onLost(why => this.#door.lose(why))
    this.#door.open()
  }

  async close(): Promise<void> {
    this.#cancelLost()
    await this.#door.close()
  }

  send(frame: number): void {
    if (!this.#door.isOpen) {
      this.#last = null
      return
    }
    // What the port has not taken yet would come late: it is left out, and the next full message puts it right.
    if (this.#isBusy) return
    const isNext = this.#last !== null && frame === this.#last + 1 / QUARTERS
    this.#last = frame
    const piece = quarterFrame(frame, this.#rate)
    const full = isNext ? [] : fullFrame(Math.floor(frame), this.#rate)
    void this.#write(Uint8Array.of(...full, ...piece))
  }

  trouble(): string | null {
    return this.#door.trouble
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#isBusy = true
    try {
      await this.#stream.write(bytes)
    } catch (error) {
      // A port that is lost says so by itself, and is opened again.
      if (!(error instanceof BoxError)) throw error
      this.#last = null
    } finally {
      this.#isBusy = false
    }
  }
}
