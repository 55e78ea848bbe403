import type { WallTimeMs } from '../../runtime/ports/clock.js'
import type { DateKeepers } from '../../runtime/ports/date-keepers.js'

/** A machine whose date nobody keeps and that has no battery, until a test says otherwise. */
export class SimulatedDateKeepers implements DateKeepers {
  errorMs: number | null = null
  rtc: WallTimeMs | null = null

  async systemErrorMs(): Promise<number | null> {
    return this.errorMs
  }

  async rtcMs(): Promise<WallTimeMs | null> {
    return this.rtc
  }
}
