/** Tells the others ten times a second that this box is there, and how far it is. */
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Beat } from './messages.js'

const BEAT_MS = 100

export interface HeartbeatOptions {
  readonly make: (count: number) => Beat
  readonly send: (beat: Beat) => void
  /** Before each that comes by itself: whoever stood still is told so first. */
  readonly before: () => void
}

export class Heartbeat {
  readonly #clock: Clock
  readonly #options: HeartbeatOptions
  #spokeAt: MonotonicMs
  #count = 0
  #cancel: Cancel = () => {}
  #isStopped = false

  constructor(clock: Clock, options: HeartbeatOptions) {
    this.#clock = clock
    this.#options = options
    this.#spokeAt = clock.monotonicMs()
  }

  /** When the others could last hear of this box. */
  get spokeAt(): MonotonicMs {
    return this.#spokeAt
  }

  /** At once, and from then on. */
  beat(): void {
    if (this.#isStopped) return
    const { make, send, before } = this.#options
    this.#spokeAt = this.#clock.monotonicMs()
    this.#cancel()
    this.#cancel = this.#clock.runAt(after(this.#spokeAt, BEAT_MS), () => {
      before()
      this.beat()
    })
    send(make(++this.#count))
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }
}
