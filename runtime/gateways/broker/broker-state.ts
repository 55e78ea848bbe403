/** Tells the bus how a broker fares, whenever that has changed; who wants to see it now asks for a look. */
import type { Bus } from '../../core/bus.js'
import { repeat } from '../../core/repeat.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Messages, Payload } from '../../topics.js'

const EVERY_MS = 2_000
/** The two scales of time never agree to the millisecond: less than this is not news. */
const SAME_MS = 1_000

type Told = Payload<'broker/state'>

/** The same, with its moments on the scale on which they were measured. */
export interface BrokerState extends Omit<Told, 'sinceWallMs' | 'trouble'> {
  readonly since: MonotonicMs
  readonly trouble: { readonly at: MonotonicMs; readonly message: string } | null
}

export class StateTeller {
  readonly #clock: Clock
  readonly #bus: Bus<Messages>
  readonly #read: () => BrokerState | null
  #told: Told | null = null
  #cancel: Cancel = () => {}

  /** @param read null when there is nothing to tell */
  constructor(clock: Clock, bus: Bus<Messages>, read: () => BrokerState | null) {
    this.#clock = clock
    this.#bus = bus
    this.#read = read
  }

  start(): void {
    this.look()
    this.#cancel = repeat(this.#clock, EVERY_MS, async () => this.look())
  }

  stop(): void {
    this.#cancel()
  }

  look(): void {
    const state = this.#read()
    if (state === null) return
    const { since, trouble, ...figures } = state
    const next: Told = {
      ...figures,
      sinceWallMs: this.#wallOf(since, this.#told?.sinceWallMs),
      trouble: trouble && {
        wallMs: this.#wallOf(trouble.at, this.#told?.trouble?.wallMs),
        message: trouble.message,
      },
    }
    if (JSON.stringify(next) === JSON.stringify(this.#told)) return
    this.#told = next
    this.#bus.publish('broker/state', next)
  }

  /** What the wall clock, as it is set now, would have shown: a box without a battery finds the time late. */
  #wallOf(at: MonotonicMs, told: number | undefined): number {
    const wall = Math.round(after(this.#clock.wallTimeMs(), at - this.#clock.monotonicMs()))
    return told !== undefined && Math.abs(wall - told) < SAME_MS ? told : wall
  }
}
