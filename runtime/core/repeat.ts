import type { Cancel, Clock } from '../ports/clock.js'
import { after } from './time.js'

/** Runs `task` again `everyMs` after the last run ended. Once cancelled it never runs again; a run in flight ends. */
export function repeat(clock: Clock, everyMs: number, task: () => Promise<void>): Cancel {
  let isCancelled = false
  let cancelNext: Cancel = () => {}
  const arm = (): void => {
    if (isCancelled) return
    cancelNext = clock.runAt(after(clock.monotonicMs(), everyMs), () => void task().finally(arm))
  }
  arm()
  return () => {
    isCancelled = true
    cancelNext()
  }
}
