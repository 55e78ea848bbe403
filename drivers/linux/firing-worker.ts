/**
 * The firing thread. It never returns to its event loop: everything it needs to hear is in shared memory, so nothing
 * that the main thread does or fails to do delays a change that is due.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../runtime/core/errors.js'
import { PlannedChanges } from './firing-changes.js'
import { SharedLines } from './firing-lines.js'
import { FiringLoop } from './firing-loop.js'
import type { FiringSetup } from './firing-protocol.js'
import { FiringSignals } from './firing-signals.js'
import { FiringStage, firingThread } from './firing-stage.js'
import { lineWriter } from './line-writer.js'
import { becomeRealTime, openLibcOrNot } from './real-time.js'

/** Just below the kernel's own interrupt threads, which have 50: what we wait for may be their work. */
const PRIORITY = 49
const REHEARSED_CHANGES = 1000

assert(parentPort !== null, 'the firing thread is a worker')
const port = parentPort
const data: FiringSetup = workerData
const shared = {
  changes: new PlannedChanges(data.changes),
  lines: new SharedLines(data.lines),
  signals: new FiringSignals(data.signals),
}
/** Without the C library lines are files and the thread has ordinary priority. */
const libc = await openLibcOrNot()
const { nowMs, margin, wakefulness, collect, ready } = becomeRealTime(
  libc,
  PRIORITY,
  shared.signals,
)
const write = lineWriter(libc)
const stage = new FiringStage(nowMs, write, libc)
stage.rehearse(REHEARSED_CHANGES)

const loop = new FiringLoop(
  shared,
  firingThread({
    nowMs,
    write,
    report: report => port.postMessage(report),
    holdAwake: isHeld => wakefulness.hold(isHeld),
    warmUp: stage.warmUp,
    collect,
  }),
  margin,
  { heartbeatMs: data.heartbeatMs },
)
port.postMessage(ready)
while (!shared.signals.isStopping()) loop.turn()
wakefulness.close()
stage.close()
