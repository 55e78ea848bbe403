import type { Clock } from '../ports/clock.js'
import { after } from './time.js'

/** Resolves `durationMs` from now. */
export const wait = (clock: Clock, durationMs: number): Promise<void> =>
  new Promise(resolve => {
    clock.runAt(after(clock.monotonicMs(), durationMs), resolve)
  })
