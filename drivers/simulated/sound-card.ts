import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { SoundOut } from '../../runtime/ports/sound.js'

export interface SimulatedSoundCardOptions {
  readonly rate: number
  /** What it holds between the program and the loudspeaker. */
  readonly heldCount: number
  /** So many samples are taken from the program at a time. */
  readonly periodCount: number
  /** How much faster its oscillator runs than it says. */
  readonly ppm: number
}

const QUIET = 0.01
/** So long without a sound, and what comes next is another one. */
const PAUSE_MS = 50

/** A sound card that remembers when it began to sound. */
export class SimulatedSoundCard implements SoundOut {
  readonly rate: number
  readonly heldCount: number
  readonly #clock: Clock
  readonly #options: SimulatedSoundCardOptions
  readonly #lost = new Signal<Error>()
  readonly #onsets: { readonly at: MonotonicMs; readonly peak: number }[] = []
  #beganAt: MonotonicMs | null = null
  #taken = 0
  #lastLoud = Number.NEGATIVE_INFINITY
  isMissing = false
  /** Hears each sample that is taken once it plays, and when it comes out. */
  onSample: (sample: number, at: MonotonicMs) => void = () => {}

  constructor(clock: Clock, options: SimulatedSoundCardOptions) {
    this.#clock = clock
    this.#options = options
    this.rate = options.rate
    this.heldCount = options.heldCount
  }

  /** When each sound that followed on silence was heard. */
  get onsets(): readonly { readonly at: MonotonicMs; readonly peak: number }[] {
    return this.#onsets
  }

  async start(): Promise<void> {
    if (this.isMissing) throw new DeviceError('device.absent', 'there is no sound card')
    this.#beganAt = null
    this.#taken = 0
    this.#lastLoud = Number.NEGATIVE_INFINITY
  }

  async stop(): Promise<void> {
    this.#beganAt = null
  }

  write(samples: Float32Array): number {
    const count = Math.min(samples.length, this.#room())
    for (let index = 0; index < count; index++) this.#take(samples[index] ?? 0)
    // It begins to play when it is full for the first time.
    if (this.#beganAt === null && this.#taken >= this.heldCount)
      this.#beganAt = this.#clock.monotonicMs()
    return count
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  /** Somebody pulls the plug. */
  lose(): void {
    this.#beganAt = null
    this.#lost.emit(new DeviceError('device.absent', 'the sound card is gone'))
  }

  /** It ran dry for so long: what comes then is heard so much later. */
  stall(ms: number): void {
    if (this.#beganAt !== null) this.#beganAt = after(this.#beganAt, ms)
  }

  #perMs(): number {
    return (this.rate * (1 + this.#options.ppm / 1e6)) / 1_000
  }

  #room(): number {
    const { periodCount } = this.#options
    const playedMs = this.#beganAt === null ? 0 : this.#clock.monotonicMs() - this.#beganAt
    const periods = Math.floor((playedMs * this.#perMs()) / periodCount)
    return Math.max(0, Math.floor(periods * periodCount + this.heldCount - this.#taken))
  }

  /** A sample is heard when all before it were, at the card's own pace. */
  #take(sample: number): void {
    const number = this.#taken++
    if (this.#beganAt !== null) this.onSample(sample, after(this.#beganAt, number / this.#perMs()))
    if (Math.abs(sample) < QUIET) return
    const isNew = number - this.#lastLoud > PAUSE_MS * this.#perMs()
    this.#lastLoud = number
    if (!isNew || this.#beganAt === null) return
    this.#onsets.push({ at: after(this.#beganAt, number / this.#perMs()), peak: Math.abs(sample) })
  }
}
