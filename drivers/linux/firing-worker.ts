/**
 * The firing thread. It never returns to its event loop: everything it needs to hear is in shared memory, so nothing
 * that the main thread does or fails to do delays a change that is due.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { assert, BoxError, messageOf } from '../../runtime/core/errors.js'
import { monotonicMs } from '../../runtime/core/time.js'
import { changesBuffer, PlannedChanges } from './firing-changes.js'
import { linesBuffer, SharedLines } from './firing-lines.js'
import { FiringLoop } from './firing-loop.js'
import type { FiringReady, FiringSetup } from './firing-protocol.js'
import { FiringSignals, signalsBuffer } from './firing-signals.js'
import { type Libc, openLibc } from './libc.js'
import { lineWriter } from './line-writer.js'
import { SpinMargin } from './spin-margin.js'

/** Just below the kernel's own interrupt threads, which have 50: what we wait for may be their work. */
const PRIORITY = 49
const CPU_LATENCY_FILE = '/dev/cpu_dma_latency'
/** Microseconds; the second is the kernel's own "no wish" (PM_QOS_CPU_LATENCY_DEFAULT_VALUE). */
const LATENCY_NONE = Int32Array.of(0)
const LATENCY_ANY = Int32Array.of(2_000_000_000)
const REHEARSED_SLEEPS = 20
const REHEARSED_CHANGES = 3000

assert(parentPort !== null, 'the firing thread is a worker')
const port = parentPort
const data: FiringSetup = workerData
const shared = {
  changes: new PlannedChanges(data.changes),
  lines: new SharedLines(data.lines),
  signals: new FiringSignals(data.signals),
}
const libc = await openLibcOrNot()
const priority = raisePriority(libc)
const latency = openLatency()
const offsetMs = monotonicOffsetMs()
const nowMs = (): number => performance.now() + offsetMs
const margin = learnMargin()
rehearse()

const loop = new FiringLoop(
  shared,
  {
    nowMs,
    write: lineWriter(libc),
    report: report => port.postMessage(report),
    holdAwake: isHeld => {
      if (latency.fd !== null) writeSync(latency.fd, isHeld ? LATENCY_NONE : LATENCY_ANY)
    },
  },
  margin,
  { heartbeatMs: data.heartbeatMs },
)
const ready: FiringReady = {
  kind: 'ready',
  priority,
  latency: latency.fd === null ? latency.reason : 'held at 0 while something is due',
  spinMs: margin.ms,
}
port.postMessage(ready)
while (!shared.signals.isStopping()) loop.turn()
if (latency.fd !== null) closeSync(latency.fd)

/** Without the C library lines are files and the thread has ordinary priority. */
async function openLibcOrNot(): Promise<Libc | null> {
  try {
    return await openLibc()
  } catch (error) {
    if (error instanceof BoxError && error.code === 'native.missing') return null
    throw error
  }
}

/** Real-time where the system lets us (CAP_SYS_NICE or LimitRTPRIO); else at least without timer slack. */
function raisePriority(library: Libc | null): FiringReady['priority'] {
  if (library === null) return { policy: 'other', reason: 'koffi is missing' }
  try {
    library.becomeRealTime(PRIORITY)
    return { policy: 'fifo', reason: `priority ${PRIORITY}` }
  } catch (error) {
    library.setTimerSlack(1)
    return { policy: 'other', reason: messageOf(error) }
  }
}

function openLatency(): { readonly fd: number | null; readonly reason: string } {
  try {
    return { fd: openSync(CPU_LATENCY_FILE, 'r+'), reason: '' }
  } catch (error) {
    // A kernel without power management, or a user who may not: wake-ups take a little longer.
    return { fd: null, reason: messageOf(error) }
  }
}

/** From this thread's own zero to CLOCK_MONOTONIC, by the tightest of several looks. */
function monotonicOffsetMs(): number {
  let best = 0
  let width = Number.POSITIVE_INFINITY
  for (let look = 0; look < 100; look++) {
    const before = performance.now()
    const monotonic = Number(process.hrtime.bigint()) / 1e6
    const afterwards = performance.now()
    if (afterwards - before >= width) continue
    width = afterwards - before
    best = monotonic - (before + afterwards) / 2
  }
  return best
}

/** Learns how late this machine wakes the thread. */
function learnMargin(): SpinMargin {
  const learned = new SpinMargin()
  for (let sleep = 0; sleep < REHEARSED_SLEEPS; sleep++) {
    const before = nowMs()
    if (shared.signals.sleep(shared.signals.version(), 1)) learned.learn(nowMs() - before - 1)
  }
  return learned
}

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
