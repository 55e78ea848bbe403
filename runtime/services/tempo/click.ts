/**
 * Beats that can be heard: a stream of silence and clicks, written ahead of a sound card by its own pace. Where a click
 * stands in it is worked out from the grid, show time and the card's own time, for each click anew, so nothing adds up.
 */
import type { Bus } from '../../core/bus.js'
import { BoxError, messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { SoundOut } from '../../ports/sound.js'
import type { Messages } from '../../topics.js'
import { beatsBetween, type Pieces } from './beats.js'
import { SoundClock } from './sound-clock.js'

/** So often the stream is filled up: no part of what cards take at a time, or their lumps would always look alike. */
const EVERY_MS = 7
const BLOCK = 480
/** More than a card asks for in one turn. */
const BLOCKS_MAX = 64
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 30_000
/** What played so long was there: it may be told of, and asked for soon, when it is gone. */
const LASTED_MS = 10_000
const CLICK_MS = 25
/** In hertz: the first of a bar, and the others. */
const ACCENT_HZ = 1_600
const BEAT_HZ = 1_000
const DECAY_MS = 6

export interface ClickOptions {
  /** 0..1 */
  readonly volume: number
  /** What the way from the card to the ear takes besides, and the player does not know of. -500..500 */
  readonly latencyMs: number
}

/** A click that is in the stream, or will be. */
interface Voice {
  /** The number of its first sample. */
  readonly from: number
  readonly hertz: number
}

export class Click implements Service {
  readonly name = 'click'
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #sound: SoundOut
  readonly #options: ClickOptions
  readonly #heard: SoundClock
  #pieces: Pieces = []
  #beganMs: MonotonicMs
  #written = 0
  /** Made, and not taken yet. */
  #rest: Float32Array = new Float32Array(0)
  /** Up to where beats were looked for, in show time. */
  #soughtMs: number | null = null
  #voices: Voice[] = []
  #isPlaying = false
  #isStopped = false
  #retryMs = RETRY_MS_MIN
  #trouble = ''
  #starting: Promise<void> = Promise.resolve()
  #cancelRetry: Cancel = () => {}
  #cancels: Cancel[] = []

  constructor(clock: Clock, log: Log, bus: Bus<Messages>, sound: SoundOut, options: ClickOptions) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#sound = sound
    this.#options = options
    this.#heard = new SoundClock(sound)
    this.#beganMs = clock.monotonicMs()
  }

  /** Does not wait for the sound: a box without a card has a show to run. */
  async start(): Promise<void> {
    this.#isStopped = false
    this.#cancels = [
      this.#bus.subscribe('tempo/state', ({ pieces }) => {
        this.#pieces = pieces
      }),
      this.#bus.subscribe('clock/stepped', () => {
        this.#soughtMs = null
      }),
      this.#sound.onLost(why => this.#lose(why)),
      repeat(this.#clock, EVERY_MS, async () => this.#fill()),
    ]
    this.#starting = this.#begin()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#cancelRetry()
    await this.#starting
    this.#isPlaying = false
    await this.#sound.stop()
  }

  async #begin(): Promise<void> {
    try {
      await this.#sound.start()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#later(error)
      return
    }
    this.#log.info('tempo.sound', { rate: this.#sound.rate })
    this.#beganMs = this.#clock.monotonicMs()
    this.#written = 0
    this.#rest = new Float32Array(0)
    this.#voices = []
    this.#soughtMs = null
    this.#heard.forget()
    this.#isPlaying = true
  }

  #lose(why: Error): void {
    if (!this.#isPlaying) return
    this.#isPlaying = false
    if (this.#clock.monotonicMs() - this.#beganMs >= LASTED_MS) {
      this.#trouble = ''
      this.#retryMs = RETRY_MS_MIN
    }
    this.#later(why)
  }

  /** Said once, tried again ever more rarely. */
  #later(why: Error): void {
    if (this.#isStopped) return
    const trouble = messageOf(why)
    if (trouble !== this.#trouble) this.#log.warn('tempo.no-sound', { error: trouble })
    this.#trouble = trouble
    this.#cancelRetry()
    const at = after(this.#clock.monotonicMs(), this.#retryMs)
    this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs)
    this.#cancelRetry = this.#clock.runAt(at, () => {
      this.#starting = this.#begin()
    })
  }

  #fill(): void {
    const now = this.#clock.monotonicMs()
    const writtenMax = this.#heard.takenMax(now - this.#beganMs)
    for (let block = 0; block < BLOCKS_MAX && this.#isPlaying; block++) {
      if (this.#rest.length === 0) this.#rest = this.#nextBlock()
      const taken = this.#written < writtenMax ? this.#sound.write(this.#rest) : 0
      this.#written += taken
      this.#rest = this.#rest.subarray(taken)
      if (this.#rest.length === 0) continue
      const isSteady = this.#heard.look(this.#written, now)
      if (!isSteady) this.#soughtMs = null
      return
    }
  }

  #nextBlock(): Float32Array {
    const from = this.#written
    const samples = new Float32Array(BLOCK)
    if (this.#heard.isSure) this.#seek(from)
    for (const voice of this.#voices) this.#mix(samples, from, voice)
    const clickSamples = (CLICK_MS / 1_000) * this.#sound.rate
    this.#voices = this.#voices.filter(voice => voice.from + clickSamples > from + BLOCK)
    return samples
  }

  /** Finds the beats that are heard within the next block. */
  #seek(from: number): void {
    const until = this.#showMsOf(from + BLOCK)
    const since = this.#soughtMs ?? this.#showMsOf(from)
    for (const { atShowMs, beat, beatsPerBar } of beatsBetween(this.#pieces, since, until)) {
      const share = (atShowMs - this.#showMsOf(from)) / (until - this.#showMsOf(from))
      const hertz = beat === 1 && beatsPerBar > 1 ? ACCENT_HZ : BEAT_HZ
      this.#voices.push({ from: from + Math.max(0, Math.round(share * BLOCK)), hertz })
    }
    // Where the card was found to be a little slower, a beat was sought already.
    this.#soughtMs = Math.max(since, until)
  }

  #showMsOf(sample: number): number {
    const heardAt = after(this.#heard.heardAt(sample), this.#options.latencyMs)
    return this.#clock.monotonicToShow(heardAt)
  }

  #mix(samples: Float32Array, from: number, voice: Voice): void {
    const { rate } = this.#sound
    const first = Math.max(0, voice.from - from)
    const end = Math.min(samples.length, voice.from - from + (CLICK_MS / 1_000) * rate)
    for (let index = first; index < end; index++) {
      const seconds = (from + index - voice.from) / rate
      const loud = this.#options.volume * Math.exp((-seconds * 1_000) / DECAY_MS)
      samples[index] = (samples[index] ?? 0) + loud * Math.cos(2 * Math.PI * voice.hertz * seconds)
    }
  }
}
