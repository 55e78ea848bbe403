/**
 * What the threads have in common whose work is due at moments: real-time priority, a processor that stays awake, the
 * clock, and how late this machine wakes a thread. Each call is about the thread that makes it.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import { machineMs } from './clock.js'
import type { FiringSignals } from './firing-signals.js'
import { type Libc, openLibc } from './libc.js'
import { SpinMargin } from './spin-margin.js'

export interface Priority {
  readonly policy: 'fifo' | 'other'
  /** What was got, or why there is no real-time priority. */
  readonly reason: string
}

/** What a thread says of itself when it is ready. */
export interface RealTimeReady {
  readonly kind: 'ready'
  readonly priority: Priority
  /** Whether the processor can be kept awake, or why not. */
  readonly latency: string
  /** How long before a moment the thread begins to spin. */
  readonly spinMs: number
  /** When garbage is collected. */
  readonly garbage: 'between moments' | 'when V8 wants, for want of --expose-gc'
}

/** What a thread has that serves moments. */
export interface RealTime {
  readonly nowMs: () => number
  readonly margin: SpinMargin
  readonly wakefulness: Wakefulness
  readonly collect: (() => void) | null
  readonly ready: RealTimeReady
}

const CPU_LATENCY_FILE = '/dev/cpu_dma_latency'
/** Microseconds; the second is the kernel's own "no wish" (PM_QOS_CPU_LATENCY_DEFAULT_VALUE). */
const LATENCY_NONE = new Uint8Array(Int32Array.of(0).buffer)
const LATENCY_ANY = new Uint8Array(Int32Array.of(2_000_000_000).buffer)
const REHEARSED_SLEEPS = 20

/** Null where koffi has no binary. */
export async function openLibcOrNot(): Promise<Libc | null> {
  try {
    return await openLibc()
  } catch (error) {
    if (error instanceof BoxError && error.code === 'native.missing') return null
    throw error
  }
}

/**
 * Makes the calling thread one that serves moments, and learns what this machine is like: some 20 ms.
 *
 * @param priority of SCHED_FIFO, 1 to 99
 */
export function becomeRealTime(
  libc: Libc | null,
  priority: number,
  signals: FiringSignals,
): RealTime {
  const got = raisePriority(libc, priority)
  const wakefulness = openWakefulness()
  const nowMs = machineMs
  const margin = learnMargin(signals, nowMs)
  const latency = wakefulness.reason
  const collect = collector()
  const garbage =
    collect === null ? 'when V8 wants, for want of --expose-gc' : ('between moments' as const)
  return {
    nowMs,
    margin,
    wakefulness,
    collect,
    ready: { kind: 'ready', priority: got, latency, spinMs: margin.ms, garbage },
  }
}

/** The young generation only: what a thread keeps is little. V8 gives it to whoever starts it with --expose-gc. */
function collector(): (() => void) | null {
  const { gc } = globalThis
  return gc === undefined ? null : () => gc({ type: 'minor' })
}

/** Real-time where the system lets us (CAP_SYS_NICE or LimitRTPRIO); else at least without timer slack. */
function raisePriority(library: Libc | null, priority: number): Priority {
  if (library === null) return { policy: 'other', reason: 'koffi is missing' }
  try {
    library.becomeRealTime(priority)
    return { policy: 'fifo', reason: `priority ${priority}` }
  } catch (error) {
    library.setTimerSlack(1)
    return { policy: 'other', reason: messageOf(error) }
  }
}

interface Wakefulness {
  /** Whether the processor can be kept awake, or why not. */
  readonly reason: string
  /** Keeps the processor from falling into sleep states that it takes long to leave. */
  hold(isHeld: boolean): void
  close(): void
}

function openWakefulness(): Wakefulness {
  try {
    const fd = openSync(CPU_LATENCY_FILE, 'r+')
    return {
      reason: 'held at 0 while something is due',
      // Called as lines call it: otherwise the code that was compiled for lines is thrown away.
      hold: isHeld => void writeSync(fd, isHeld ? LATENCY_NONE : LATENCY_ANY, 0, 4, 0),
      close: () => closeSync(fd),
    }
  } catch (error) {
    // A kernel without power management, or a user who may not: wake-ups take a little longer.
    return { reason: messageOf(error), hold: () => {}, close: () => {} }
  }
}

/** Learns how late this machine wakes the thread. */
function learnMargin(signals: FiringSignals, nowMs: () => number): SpinMargin {
  const learned = new SpinMargin()
  for (let sleep = 0; sleep < REHEARSED_SLEEPS; sleep++) {
    const before = nowMs()
    if (signals.sleep(signals.version(), 1)) learned.learn(nowMs() - before - 1)
  }
  return learned
}
