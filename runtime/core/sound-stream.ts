/**
 * A stream of sound, written ahead of a card by the card's own pace. Whoever makes it is told when each sample is heard, in
 * show time. A card that is missing, or lost, is asked for again.
 */

import type { Cancel, Clock, MonotonicMs } from '../ports/clock.js'
import type { SoundOut } from '../ports/sound.js'
import { Door } from './door.js'
import { repeat } from './repeat.js'
import { SoundClock } from './sound-clock.js'
import { after } from './time.js'

/** So often the stream is filled up: no part of what cards take at a time, or their lumps would always look alike. */
const EVERY_MS = 7
const BLOCK = 480
/** More than a card asks for in one turn. */
const BLOCKS_MAX = 64
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 30_000

/** A block of the stream that is to be filled. */
export interface Passage {
  /** Silence, at first. */
  readonly samples: Float32Array
  /** The number of its first sample since the stream began. */
  readonly from: number
  /** When they are heard: the first, and the one behind the last. */
  readonly fromShowMs: number
  readonly untilShowMs: number
}

export interface SoundMaker {
  /** Not called while nobody knows when it would be heard: that is silence. */
  fill(passage: Passage): void
  /** What comes next does not follow what was. @param isNew the stream is another one, and counts from 0 */
  restart(isNew: boolean): void
  /** It plays. @param rate samples a second */
  began(rate: number): void
  /** It does not, or not any more. Said once for each reason, until it played for a while. */
  failed(why: string): void
}

export class SoundStream {
  readonly #clock: Clock
  readonly #sound: SoundOut
  readonly #maker: SoundMaker
  readonly #latencyMs: number
  readonly #heard: SoundClock
  #beganMs: MonotonicMs
  #written = 0
  /** Made, and not taken yet. */
  #rest: Float32Array = new Float32Array(0)
  readonly #door: Door
  #cancels: Cancel[] = []

  /** @param latencyMs what the way from the card to the ear takes besides, and the player does not know of */
  constructor(clock: Clock, sound: SoundOut, maker: SoundMaker, latencyMs: number) {
    this.#clock = clock
    this.#sound = sound
    this.#maker = maker
    this.#latencyMs = latencyMs
    this.#heard = new SoundClock(sound)
    this.#beganMs = clock.monotonicMs()
    const card = { open: () => sound.start(), close: () => sound.stop() }
    this.#door = new Door(clock, card, {
      retryMsMin: RETRY_MS_MIN,
      retryMsMax: RETRY_MS_MAX,
      opened: () => this.#begin(),
      failed: why => maker.failed(why),
    })
  }

  /** Why it does not play; null when it does. */
  get trouble(): string | null {
    return this.#door.trouble
  }

  /** Does not wait for the sound: a box without a card has a show to run. */
  start(): void {
    this.#cancels = [
      this.#sound.onLost(why => this.#door.lose(why)),
      repeat(this.#clock, EVERY_MS, async () => this.#fill()),
    ]
    this.#door.open()
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#door.close()
  }

  #begin(): void {
    this.#beganMs = this.#clock.monotonicMs()
    this.#written = 0
    this.#rest = new Float32Array(0)
    this.#heard.forget()
    this.#maker.restart(true)
    this.#maker.began(this.#sound.rate)
  }

  #fill(): void {
    const now = this.#clock.monotonicMs()
    const writtenMax = this.#heard.takenMax(now - this.#beganMs)
    for (let block = 0; block < BLOCKS_MAX && this.#door.isOpen; block++) {
      if (this.#rest.length === 0) this.#rest = this.#nextBlock()
      const taken = this.#written < writtenMax ? this.#sound.write(this.#rest) : 0
      this.#written += taken
      this.#rest = this.#rest.subarray(taken)
      if (this.#rest.length === 0) continue
      const isSteady = this.#heard.look(this.#written, now)
      if (!isSteady) this.#maker.restart(false)
      return
    }
  }

  #nextBlock(): Float32Array {
    const from = this.#written
    const samples = new Float32Array(BLOCK)
    if (!this.#heard.isSure) return samples
    const [fromShowMs, untilShowMs] = [this.#showMsOf(from), this.#showMsOf(from + BLOCK)]
    this.#maker.fill({ samples, from, fromShowMs, untilShowMs })
    return samples
  }

  #showMsOf(sample: number): number {
    return this.#clock.monotonicToShow(after(this.#heard.heardAt(sample), this.#latencyMs))
  }
}
