/**
 * Geekworm X728: a gauge of the MAX17040 family at 0x36, GPIO6 that tells whether the adapter's power is lost, and a line
 * that cuts the power: GPIO13 on V1.2 to V2.0, GPIO26 from V2.1 on.
 * From the vendor's scripts (geekworm-com/x728-script: sample/x728-v1.x-pld.py, x728-v2.x-pld.py, x728-v2.x-bat.py). A
 * kernel driver that treats all boards of the family alike has GPIO6 the other way round; its author has no X728.
 */
import { closeAll } from '../runtime/core/close-all.js'
import { after } from '../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { OutputLine } from '../runtime/ports/host.js'
import type { ExternalLine, Level } from './external-line.js'
import { LinedUps } from './lined-ups.js'

/** GPIO6 high: "AC Power Loss OR Power Adapter Failure". */
export const X728_EXTERNAL_LEVEL: Level = 'low'
/** The line that cuts the power is driven high for so long. */
export const X728_CUT_LEVEL: Level = 'high'
const CUT_MS = 3_000

export class X728 implements Gauge {
  readonly name: string
  readonly packCount = 1
  readonly #ups: LinedUps
  readonly #cutLine: OutputLine | null
  readonly #clock: Clock
  #cancelPulse: Cancel = () => {}

  /** @param gauge the chip's; @param cutLine null: it is not wired */
  constructor(gauge: Gauge, external: ExternalLine, cutLine: OutputLine | null, clock: Clock) {
    this.name = gauge.name
    this.#ups = new LinedUps(gauge, external)
    this.#cutLine = cutLine
    this.#clock = clock
  }

  async start(): Promise<void> {
    try {
      // First of all: the last process may have died while it cut the power.
      await this.#cutLine?.open(false)
      await this.#ups.start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#cancelPulse()
    await closeAll([() => this.#ups.stop(), async () => this.#cutLine?.close()])
  }

  read(): Promise<readonly GaugeReading[]> {
    return this.#ups.read()
  }

  onExternal(listener: (isExternal: boolean, at: MonotonicMs) => void): Cancel {
    return this.#ups.onExternal(listener)
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#ups.onFault(listener)
  }

  /**
   * Resolves when the pulse has ended, three seconds later: a shorter one cuts nothing. The board then waits for the
   * machine to be down; how it knows (GPIO12, which the vendor's script holds up) is between the board and the machine.
   */
  async cutPower(): Promise<boolean> {
    const line = this.#cutLine
    if (line === null) return false
    line.set(true)
    const isWhole = await this.#pulse()
    if (isWhole) line.set(false)
    return isWhole
  }

  /** False when it was cut short by `stop`, which leaves the line in its safe state. */
  #pulse(): Promise<boolean> {
    this.#cancelPulse()
    return new Promise(resolve => {
      const cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), CUT_MS), () => {
        this.#cancelPulse = () => {}
        resolve(true)
      })
      this.#cancelPulse = () => {
        cancel()
        resolve(false)
      }
    })
  }
}
