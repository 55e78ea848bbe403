/** A simulated venue box and its clock, as most driver tests begin with. */
import { simulated } from '../../boards/simulated.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedHost, wellBehaved } from '../../drivers/simulated/host.js'
import type { Pca9685Chip } from '../../drivers/simulated/pca9685-chip.js'
import { plugVenueDimmer } from '../../drivers/simulated/venue.js'
import { monotonicMs } from '../../runtime/core/time.js'

export interface Bench {
  readonly clock: SimulatedClock
  readonly host: SimulatedHost
  readonly dimmer: Pca9685Chip
}

export function makeBench(options: { isI2cTimed: boolean } = { isI2cTimed: false }): Bench {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const host = new SimulatedHost(simulated, clock, { ...wellBehaved, ...options })
  const dimmer = plugVenueDimmer(host, simulated, clock)
  if (dimmer === null) throw new Error('the simulated board has a bus')
  return { clock, host, dimmer }
}

/** Lets time pass until the work is done, which it must be within `limitMs`. */
export async function during<T>(
  clock: SimulatedClock,
  work: Promise<T>,
  limitMs = 1000,
): Promise<T> {
  let isDone = false
  const note = (): void => {
    isDone = true
  }
  work.then(note, note)
  for (let passedMs = 0; passedMs <= limitMs && !isDone; passedMs++) await clock.advance(1)
  if (!isDone) throw new Error(`not done within ${limitMs} ms of simulated time`)
  return work
}

/** Each change of a wire so far: `17 high`. */
export const changesOf = (host: SimulatedHost, line: string): string[] =>
  host.wire(line).history.map(({ at, isHigh }) => `${at} ${isHigh ? 'high' : 'low'}`)

export const at = monotonicMs
