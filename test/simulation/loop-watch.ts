/** How the main loop of this process fares: how late it is, and how long one turn of it keeps a processor. */
import { closeSync, openSync, readSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 1
const NANOSECONDS = 1e6

export interface LoopTimes {
  /** Of the main thread, beyond its time; what other processes take from it included. */
  readonly loopLagMs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** The longest turn of the main thread, in time on a processor: what others take from it left out. */
  readonly turnCpuMsMax: number
}

export function watchLoop(): { stop(): LoopTimes } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const usage = new ThreadUsage()
  let before = usage.cpuMs()
  let turnCpuMsMax = 0
  // Each time the timer comes up, one turn of the loop or a few have gone by.
  const timer = setInterval(() => {
    const now = usage.cpuMs()
    turnCpuMsMax = Math.max(turnCpuMsMax, now - before)
    before = now
  }, RESOLUTION_MS)
  delay.enable()
  return {
    stop: () => {
      clearInterval(timer)
      usage.close()
      delay.disable()
      const lagMs = (nanoseconds: number): number =>
        Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS)
      const { max } = delay
      const [p50, p99] = [delay.percentile(50), delay.percentile(99)]
      return {
        loopLagMs: { p50: lagMs(p50), p99: lagMs(p99), max: lagMs(max) },
        turnCpuMsMax,
      }
    },
  }
}

/** How long the main thread has been on a processor: the first number of its schedstat, proc(5). */
class ThreadUsage {
  readonly #fd = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
  readonly #bytes = Buffer.alloc(64)

  cpuMs(): number {
    const count = readSync(this.#fd, this.#bytes, 0, this.#bytes.length, 0)
    return Number(this.#bytes.toString('latin1', 0, count).split(' ')[0]) / NANOSECONDS
  }

  close(): void {
    closeSync(this.#fd)
  }
}
