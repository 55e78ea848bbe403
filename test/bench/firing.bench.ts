/**
 * How late planned changes are, in microseconds: by the firing thread, by the clock's timers and by bare setTimeout,
 * taking turns so that all meet the same machine. Prints a table and judges nothing. On the lab machine, frames of a
 * PCA9685 too, by the bus's thread and by the main thread's timers and queue.
 *
 *     node dist/test/bench/firing.bench.js [changes per way, default 500]
 *     test/lab/hil-run node dist/test/bench/firing.bench.js
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { Firing } from '../../drivers/linux/firing.js'
import type { FiringLine } from '../../drivers/linux/firing-line.js'
import { lineWriter } from '../../drivers/linux/line-writer.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { randomFrom } from '../../runtime/core/random.js'
import { after } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import { measureFrames } from './frames.js'

const NAME_WIDTH = 36
const clock = new LinuxClock(ownAnchor())

type Way = (at: MonotonicMs) => Promise<MonotonicMs>

const waysOf = (line: FiringLine): Readonly<Record<string, Way>> => ({
  'firing thread': at =>
    new Promise(resolve => void line.setAt(true, at, ({ firedMs }) => resolve(firedMs))),
  'clock.runAt': at =>
    new Promise(resolve => {
      clock.runAt(at, () => {
        line.set(true)
        resolve(clock.monotonicMs())
      })
    }),
  setTimeout: at =>
    new Promise(resolve => {
      setTimeout(() => {
        line.set(true)
        resolve(clock.monotonicMs())
      }, at - clock.monotonicMs())
    }),
})

function row(name: string, lateMs: readonly number[]): string {
  const sorted = [...lateMs].sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
  const early = sorted.filter(ms => ms < 0).length
  const microseconds = [at(0.5), at(0.99), at(1)].map(ms => Math.round(ms * 1000))
  const cells = [sorted.length, ...microseconds, early].map(cell => String(cell).padStart(8))
  return `${name.padEnd(NAME_WIDTH)}${cells.join('')}`
}

const rounds = Number(process.argv[2] ?? 500)
const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
const log = new SimulatedLog()
const firing = new Firing(clock, log, lineWriter(null), { lineCount: 1, heartbeatMs: 60_000 })
await firing.start()
const fd = openSync(join(folder, 'lamp'), 'w')
const line = firing.takeLine('lamp', { fd, method: 'file', isSafeActive: false })
const random = randomFrom(1)
const late = new Map<string, number[]>()
for (let round = 0; round < rounds; round++)
  for (const [name, way] of Object.entries(waysOf(line))) {
    const at = after(clock.monotonicMs(), 6 + 8 * random())
    const firedMs = await way(at)
    late.set(name, [...(late.get(name) ?? []), firedMs - at])
  }
firing.releaseLine(line)
await firing.stop()
closeSync(fd)
rmSync(folder, { recursive: true })

const head = ['n', 'p50', 'p99', 'max', 'early'].map(title => title.padStart(8)).join('')
const load = loadavg().map(value => value.toFixed(1))
const rows = [...late].map(([name, lateMs]) => row(name, lateMs))
const priority = log.lines.find(({ event }) => event === 'firing.priority')?.facts
const lines = [
  `lateness in microseconds; load average ${load.join(' ')}; ${JSON.stringify(priority)}`,
  `${''.padEnd(NAME_WIDTH)}${head}`,
  ...rows,
]
process.stdout.write(`${lines.join('\n')}\n`)
if (process.env['LAB_I2C_BUS'] !== undefined) {
  process.stdout.write('\nframes of a PCA9685: how late they began\n')
  for (const { name, lateMs, cpuPercent } of await measureFrames(clock))
    process.stdout.write(`${row(name, lateMs)}  ${cpuPercent.toFixed(1)} % of the processor\n`)
}
