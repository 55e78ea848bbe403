/**
 * Beats that can be heard: a stream of silence and clicks. Where a click stands in it is worked out from the grid, show time
 * and the card's own time, for each click anew, so nothing adds up.
 */
import type { Bus } from '../../core/bus.js'
import type { Service } from '../../core/lifecycle.js'
import { type Passage, SoundStream } from '../../core/sound-stream.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { SoundOut } from '../../ports/sound.js'
import type { Messages } from '../../topics.js'
import { beatsBetween, type Pieces } from './beats.js'

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
  readonly #bus: Bus<Messages>
  readonly #sound: SoundOut
  readonly #options: ClickOptions
  readonly #stream: SoundStream
  #pieces: Pieces = []
  /** Up to where beats were looked for, in show time. */
  #soughtMs: number | null = null
  #voices: Voice[] = []
  #cancels: Cancel[] = []

  constructor(clock: Clock, log: Log, bus: Bus<Messages>, sound: SoundOut, options: ClickOptions) {
    this.#bus = bus
    this.#sound = sound
    this.#options = options
    const maker = {
      fill: (passage: Passage) => this.#fill(passage),
      restart: (isNew: boolean) => this.#restart(isNew),
      began: (rate: number) => log.info('tempo.sound', { rate }),
      failed: (error: string) => log.warn('tempo.no-sound', { error }),
    }
    this.#stream = new SoundStream(clock, sound, maker, options.latencyMs)
  }

  async start(): Promise<void> {
    this.#cancels = [
      this.#bus.subscribe('tempo/state', ({ pieces }) => {
        this.#pieces = pieces
      }),
      this.#bus.subscribe('clock/stepped', () => this.#restart(false)),
    ]
    this.#stream.start()
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#stream.stop()
  }

  #restart(isNew: boolean): void {
    this.#soughtMs = null
    if (isNew) this.#voices = []
  }

  #fill(passage: Passage): void {
    this.#seek(passage)
    for (const voice of this.#voices) this.#mix(passage, voice)
    const clickSamples = (CLICK_MS / 1_000) * this.#sound.rate
    const end = passage.from + passage.samples.length
    this.#voices = this.#voices.filter(voice => voice.from + clickSamples > end)
  }

  /** Finds the beats that are heard within it. */
  #seek({ from, samples, fromShowMs, untilShowMs }: Passage): void {
    const since = this.#soughtMs ?? fromShowMs
    for (const { atShowMs, beat, beatsPerBar } of beatsBetween(this.#pieces, since, untilShowMs)) {
      const share = (atShowMs - fromShowMs) / (untilShowMs - fromShowMs)
      const hertz = beat === 1 && beatsPerBar > 1 ? ACCENT_HZ : BEAT_HZ
      this.#voices.push({ from: from + Math.max(0, Math.round(share * samples.length)), hertz })
    }
    // Where the card was found to be a little slower, a beat was sought already.
    this.#soughtMs = Math.max(since, untilShowMs)
  }

  #mix({ samples, from }: Passage, voice: Voice): void {
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
