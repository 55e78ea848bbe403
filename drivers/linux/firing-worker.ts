/**
 * The firing thread. It never returns to its event loop: everything it needs to hear is in shared memory, so nothing
 * that the main thread does or fails to do delays a change that is due.
 */
import { closeSync, openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../runtime/core/errors.js'
import { monotonicMs } from '../../runtime/core/time.js'
import { changesBuffer, PlannedChanges } from './firing-changes.js'
import { linesBuffer, SharedLines } from './firing-lines.js'
import { FiringLoop } from './firing-loop.js'
import type { FiringReady, FiringSetup } from './firing-protocol.js'
import { FiringSignals, signalsBuffer } from './firing-signals.js'
import { lineWriter } from './line-writer.js'
import {
  learnMargin,
  monotonicReader,
  openLibcOrNot,
  openWakefulness,
  raisePriority,
} from './real-time.js'
import { SpinMargin } from './spin-margin.js'

/** Just below the kernel's own interrupt threads, which have 50: what we wait for may be their work. */
const PRIORITY = 49
const REHEARSED_CHANGES = 3000

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
const priority = raisePriority(libc, PRIORITY)
const wakefulness = openWakefulness()
const nowMs = monotonicReader()
const margin = learnMargin(shared.signals, nowMs)
rehearse()

const loop = new FiringLoop(
  shared,
  {
    nowMs,
    write: lineWriter(libc),
    report: report => port.postMessage(report),
    holdAwake: isHeld => wakefulness.hold(isHeld),
  },
  margin,
  { heartbeatMs: data.heartbeatMs },
)
const ready: FiringReady = {
  kind: 'ready',
  priority,
  latency: wakefulness.reason,
  spinMs: margin.ms,
}
port.postMessage(ready)
while (!shared.signals.isStopping()) loop.turn()
wakefulness.close()

/** Fires changes of a line that leads nowhere, so that no cue of the evening meets code that was never compiled. */
function rehearse(): void {
  const stage = {
    changes: new PlannedChanges(changesBuffer(1)),
    lines: new SharedLines(linesBuffer(1)),
    signals: new FiringSignals(signalsBuffer()),
  }
  const fd = openSync('/dev/null', 'w')
  stage.lines.open(0, { fd, method: 'file', isSafeActive: false })
  const rehearsal = new FiringLoop(
    stage,
    { nowMs, write: lineWriter(null), report: () => {}, holdAwake: () => {} },
    new SpinMargin(),
    // Nobody beats for it, and on a slow machine it takes longer than a main thread may be silent.
    { heartbeatMs: Number.POSITIVE_INFINITY },
  )
  for (let order = 0; order < REHEARSED_CHANGES; order++) {
    const change = { line: 0, isActive: true, at: monotonicMs(nowMs() + 0.002) }
    const ticket = stage.changes.plan(0, change, order)
    while (!stage.changes.isOver(ticket)) rehearsal.turn()
    stage.changes.collect(ticket)
  }
  closeSync(fd)
}
