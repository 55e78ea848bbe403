/**
 * SupTronics X1200 to X1209, sold by Geekworm as well: a gauge of the MAX1704x family at 0x36, GPIO6 that tells whether
 * there is power from outside, and GPIO16 that stops the charging while it is high.
 * From the vendor's scripts (suptronics/x120x: pld.py, merged.py) and the independent kernel driver x120x-dkms, which
 * agree. The vendor asks for a pull-up on GPIO6: without one it may float to "lost" while the board starts.
 *
 * It cannot cut its power by itself: a Pi 5 does when it halts, with POWER_OFF_ON_HALT=1 in its boot loader.
 */
import { closeAll } from '../runtime/core/close-all.js'
import type { Cancel, MonotonicMs } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { OutputLine } from '../runtime/ports/host.js'
import type { ExternalLine, Level } from './external-line.js'
import { LinedUps } from './lined-ups.js'

/** GPIO6 low: "AC Power Loss OR Power Adapter Failure". */
export const X120X_EXTERNAL_LEVEL: Level = 'high'
/** GPIO16 high: charging is disabled. */
export const X120X_NO_CHARGE_LEVEL: Level = 'high'

export class X120x implements Gauge {
  readonly name: string
  readonly packCount = 1
  readonly #ups: LinedUps
  readonly #noChargeLine: OutputLine | null

  /** @param gauge the chip's; @param noChargeLine null: it is not wired, and the board charges as it likes */
  constructor(gauge: Gauge, external: ExternalLine, noChargeLine: OutputLine | null) {
    this.name = gauge.name
    this.#ups = new LinedUps(gauge, external)
    this.#noChargeLine = noChargeLine
  }

  async start(): Promise<void> {
    try {
      // A battery that somebody else has stopped from charging would be empty in the evening.
      await this.#noChargeLine?.open(false)
      await this.#ups.start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await closeAll([() => this.#ups.stop(), async () => this.#noChargeLine?.close()])
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

  async cutPower(): Promise<boolean> {
    return false
  }
}
