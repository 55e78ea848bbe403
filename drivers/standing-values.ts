/** The watch for stuck values, for boards whose firmware tells finished readings. */
import type { GaugeReading } from '../runtime/ports/gauge.js'
import { nothingWatched, stuckOf, type Watched, watch } from './gauge-watch.js'

export class StandingValues {
  readonly #loadedMilliamps: number
  #watched: Watched = nothingWatched

  /** @param loadedMilliamps from so much on a current cannot stand still; infinite where none is measured */
  constructor(loadedMilliamps: number) {
    this.#loadedMilliamps = loadedMilliamps
  }

  /** The reading, without what is stuck. To be shown each one. */
  judge(reading: GaugeReading): GaugeReading {
    this.#watched = watch(this.#watched, reading)
    const stuck = stuckOf(this.#watched, reading, this.#loadedMilliamps)
    if (!(stuck.millivolts || stuck.milliamps || stuck.percent)) return reading
    return {
      ...reading,
      millivolts: stuck.millivolts ? null : reading.millivolts,
      milliamps: stuck.milliamps ? null : reading.milliamps,
      percent: stuck.percent ? null : reading.percent,
      // Whatever the firmware works out of a stuck value is wrong with it.
      secondsToEmpty: null,
      troubles: [...reading.troubles, 'stuck'],
    }
  }
}
