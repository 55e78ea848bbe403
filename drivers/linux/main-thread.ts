/**
 * The main thread decides what the lights do: where processors are short it goes before the threads of Node that
 * compile and collect garbage beside it, and before other programs. Not before what is real-time: the firing thread.
 */
import { getPriority, setPriority } from 'node:os'
import { messageOf } from '../../runtime/core/errors.js'
import type { Log } from '../../runtime/ports/log.js'

/** A nice value, -20..19: about nine times the share of an ordinary thread (sched(7)). */
const NICE = -10
/** setpriority(2): on Linux, the calling thread alone, and the threads and processes that it starts from now on. */
const THIS_THREAD = 0

/** To be called by the main thread before it builds the box. Who may not do so goes on as before. */
export function preferMainThread(log: Log): void {
  try {
    setPriority(THIS_THREAD, NICE)
    log.info('main.priority', { nice: NICE })
  } catch (error) {
    log.warn('main.priority', { nice: getPriority(THIS_THREAD), reason: messageOf(error) })
  }
}
