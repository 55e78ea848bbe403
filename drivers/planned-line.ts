/** A planned change of a line that is missed when it does not happen. */
import { DeviceError } from '../runtime/core/errors.js'
import { after, later } from '../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Fired, OutputLine } from '../runtime/ports/host.js'

export interface PlannedChange {
  readonly isActive: boolean
  readonly at: MonotonicMs
  fired(fired: Fired): void
  /** Nothing was heard of the change a second after its moment: the line or the thread that fires it is gone. */
  overdue(fault: DeviceError): void
}

const OVERDUE_MS = 1000
/** After a stall of the main thread its timers run before its messages: hear those first. */
export const graceMs = 100

/**
 * Hands the change to the line's `setAt`; exactly one of `fired` and `overdue` is called, or none when cancelled in
 * time. Throws what `setAt` throws.
 */
export function planChange(clock: Clock, line: OutputLine, change: PlannedChange): Cancel {
  let isSettled = false
  const settle = (report: () => void): void => {
    if (isSettled) return
    isSettled = true
    cancelWatch()
    report()
  }
  const missed = (): void =>
    settle(() =>
      change.overdue(new DeviceError('device.timeout', `line ${line.name} did not change in time`)),
    )
  const cancelChange = line.setAt(change.isActive, change.at, fired =>
    settle(() => change.fired(fired)),
  )
  let cancelWatch = clock.runAt(after(later(change.at, clock.monotonicMs()), OVERDUE_MS), () => {
    cancelWatch = clock.runAt(after(clock.monotonicMs(), graceMs), missed)
  })
  return () => {
    cancelChange()
    cancelWatch()
  }
}
