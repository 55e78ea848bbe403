/**
 * Waveshare UPS HATs (B), (C), (D) and the UPS Module 3S: an INA219 in the battery's lead, and nothing else that tells.
 * Addresses, shunts and cells from the vendor's sample of each board (INA219.py): calibrations 4096 for 0.1 ohm, 26868
 * for 0.01 ohm. The way the current counts: (B) and 3S negative while discharging, from the vendor's wiki and programs
 * in use; (C) the same, from programs in use alone; (D) positive while discharging, from the vendor's sample, which
 * negates it, and odya/hass-ina219-ups-hat#30.
 *
 * The vendor's percent, a straight line from 3.0 to 4.2 V a cell, is not told: at 3.32 V it says 27 % of a cell that has
 * 5 %. The one on the (D) and its 0x2D controller, which is not described, are left alone.
 */
import type { Cancel } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'

export interface WaveshareBoard {
  readonly address: number
  readonly shuntMilliohms: number
  /** In series. */
  readonly cells: number
  /** Whether the chip counts what leaves the battery as positive. */
  readonly isReversed: boolean
}

export const waveshareBoards = {
  b: { address: 0x42, shuntMilliohms: 100, cells: 2, isReversed: false },
  c: { address: 0x43, shuntMilliohms: 10, cells: 1, isReversed: false },
  d: { address: 0x43, shuntMilliohms: 10, cells: 1, isReversed: true },
  '3s': { address: 0x41, shuntMilliohms: 100, cells: 3, isReversed: false },
} as const satisfies Readonly<Record<string, WaveshareBoard>>

export type WaveshareModel = keyof typeof waveshareBoards

/** A computer draws several times as much: with less the battery does not feed it, so something else does. */
const FEEDING_MILLIAMPS = 100
/** Less is the chip's offset, or what a full battery trickles. */
const CHARGING_MILLIAMPS = 50

/** @param milliamps into the battery is positive */
export const externalOf = (milliamps: number | null): boolean | null =>
  milliamps === null ? null : milliamps > -FEEDING_MILLIAMPS

export const chargingOf = (milliamps: number | null): boolean | null =>
  milliamps === null ? null : milliamps >= CHARGING_MILLIAMPS

export class WaveshareUps implements Gauge {
  readonly name: string
  readonly packCount = 1
  readonly #gauge: Gauge

  /** @param gauge the board's INA219, with its shunt and the way round that it has it */
  constructor(gauge: Gauge) {
    this.name = gauge.name
    this.#gauge = gauge
  }

  start(): Promise<void> {
    return this.#gauge.start()
  }

  stop(): Promise<void> {
    return this.#gauge.stop()
  }

  async read(): Promise<readonly GaugeReading[]> {
    const readings = await this.#gauge.read()
    return readings.map(reading => {
      const { milliamps } = reading
      return {
        ...reading,
        isExternal: externalOf(milliamps),
        isCharging: chargingOf(milliamps),
      }
    })
  }

  /** No line tells it: it follows from the current. */
  onExternal(): Cancel {
    return () => {}
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#gauge.onFault(listener)
  }

  async cutPower(): Promise<boolean> {
    return false
  }
}
