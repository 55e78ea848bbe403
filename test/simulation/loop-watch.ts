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
  /** Of the turn that took longest by the clock: how long it was on a processor, and how long it waited for one. */
  readonly longestTurn: { readonly ms: number; readonly cpuMs: number; readonly waitedMs: number }
}

export function watchLoop(): { stop(): LoopTimes } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const usage = new ThreadUsage()
  let before = usage.read()
  let beforeMs = performance.now()
  let turnCpuMsMax = 0
  let longestTurn = { ms: 0, cpuMs: 0, waitedMs: 0 }
  // Each time the timer comes up, one turn of the loop or a few have gone by.
  const timer = setInterval(() => {
    const [now, nowMs] = [usage.read(), performance.now()]
    const ms = nowMs - beforeMs
    const [cpuMs, waitedMs] = [now.cpuMs - before.cpuMs, now.waitedMs - before.waitedMs]
    turnCpuMsMax = Math.max(turnCpuMsMax, cpuMs)
    if (ms > longestTurn.ms) longestTurn = { ms, cpuMs, waitedMs }
    before = now
    beforeMs = nowMs
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
        longestTurn,
      }
    },
  }
}

/** How long the main thread has been on a processor, and has waited for one: its schedstat, proc(5). */
class ThreadUsage {
  readonly #fd = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
  readonly #bytes = Buffer.alloc(64)

  read(): { readonly cpuMs: number; readonly waitedMs: number } {
    const count = readSync(this.#fd, this.#bytes, 0, this.#bytes.length, 0)
    const [cpu, waited] = this.#bytes.toString('latin1', 0, count).split(' ')
    return { cpuMs: Number(cpu) / NANOSECONDS, waitedMs: Number(waited) / NANOSECONDS }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
