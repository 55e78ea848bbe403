import { Signal } from '../../../runtime/core/signal.js'
import { monotonicMs } from '../../../runtime/core/time.js'
import type { Cancel, MonotonicMs } from '../../../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../../../runtime/ports/gauge.js'

/** A reading in which nothing is known. */
export const reading = (
  at: number,
  known: Partial<Omit<GaugeReading, 'at'>> = {},
): GaugeReading => ({
  at: monotonicMs(at),
  millivolts: null,
  milliamps: null,
  percent: null,
  celsius: null,
  remainingMilliampHours: null,
  fullMilliampHours: null,
  isExternal: null,
  isCharging: null,
  secondsToEmpty: null,
  wasReset: false,
  troubles: [],
  ...known,
})

/** Says what the test tells it to, when it is asked. */
export class ScriptedGauge implements Gauge {
  readonly name: string
  readonly packCount: number
  readonly #external = new Signal<{ isExternal: boolean; at: MonotonicMs }>()
  answer: () => Promise<readonly GaugeReading[]>
  canCut = false
  cuts = 0
  reads = 0
  readsAtOnceMax = 0
  #readsNow = 0

  constructor(name: string, answer: () => Promise<readonly GaugeReading[]>, packCount = 1) {
    this.name = name
    this.packCount = packCount
    this.answer = answer
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  onFault(): Cancel {
    return () => {}
  }

  async read(): Promise<readonly GaugeReading[]> {
    this.reads++
    this.#readsNow++
    this.readsAtOnceMax = Math.max(this.readsAtOnceMax, this.#readsNow)
    try {
      return await this.answer()
    } finally {
      this.#readsNow--
    }
  }

  onExternal(listener: (isExternal: boolean, at: MonotonicMs) => void): Cancel {
    return this.#external.listen(({ isExternal, at }) => listener(isExternal, at))
  }

  /** The line for the mains changes. */
  tell(isExternal: boolean, at: MonotonicMs): void {
    this.#external.emit({ isExternal, at })
  }

  async cutPower(): Promise<boolean> {
    this.cuts++
    return this.canCut
  }
}
