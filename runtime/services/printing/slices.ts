/** Work that takes longer than the lights may wait, done a little at a time. */
import { after } from '../../core/time.js'
import type { Clock } from '../../ports/clock.js'

/** Work that can be left lying for a while between any two steps. */
export type Steps<T> = Generator<void, T, void>

/** Then everybody else has a turn. */
const SLICE_MS = 3

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** @throws what a step throws */
export async function inSlices<T>(clock: Clock, steps: Steps<T>): Promise<T> {
  let until = after(clock.monotonicMs(), SLICE_MS)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (clock.monotonicMs() < until) continue
    await new Promise<void>(resolve => clock.runAt(until, resolve))
    until = after(clock.monotonicMs(), SLICE_MS)
  }
}
