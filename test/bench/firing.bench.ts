/**
 * How late planned changes are, in microseconds: by the firing thread, with a main thread that is free and one that is
 * blocked for half a second at a time, by the clock's timers and by bare setTimeout; and the machine's own limit, which
 * cyclictest tells, a C thread of the same priority. They take turns, so that all meet the same machine. Prints a table and
 * judges nothing. On the lab machine, frames of a PCA9685 too, by the bus's thread and by the main thread's timers and
 * queue.
 *
 *     node dist/test/bench/firing.bench.js [changes per way, default 500]
 *     test/lab/hil-run node dist/test/bench/firing.bench.js
 */
import { closeSync, openSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { Firing } from '../../drivers/linux/firing.js'
import type { FiringLine } from '../../drivers/linux/firing-line.js'
import { lineWriter } from '../../drivers/linux/line-writer.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { randomFrom } from '../../runtime/core/random.js'
import { after } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import { cyclictest } from './cyclictest.js'
import { measureFrames } from './frames.js'
import { stealPercent, ticksOf } from './steal.js'

const NAME_WIDTH = 36
/** Changes after which the next way has its turn. */
const BLOCK = 50
const PATIENCE_MS = 5_000
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

/** All changes are planned, then the main thread does nothing else than being busy until the last is over. */
async function blocked(line: FiringLine, count: number): Promise<readonly number[]> {
  const lateMs: number[] = []
  let at = after(clock.monotonicMs(), 20)
  for (let change = 0; change < count; change++) {
    const due = at
    line.setAt(change % 2 === 0, due, ({ firedMs }) => lateMs.push(firedMs - due))
    at = after(at, 6 + 8 * random())
  }
  while (clock.monotonicMs() < at);
  const patience = after(at, PATIENCE_MS)
  while (lateMs.length < count && clock.monotonicMs() < patience)
    await new Promise<void>(resolve => void clock.runAt(after(clock.monotonicMs(), 5), resolve))
  return lateMs
}

const rounds = Number(process.argv[2] ?? 500)
const log = new SimulatedLog()
const firing = new Firing(clock, log, lineWriter(null), { lineCount: 1, heartbeatMs: 60_000 })
await firing.start()
// Not a file system, which takes its time: a line is a call that comes back at once.
const fd = openSync('/dev/null', 'w')
const line = firing.takeLine('lamp', { fd, method: 'file', isSafeActive: false })
const random = randomFrom(1)
const late = new Map<string, number[]>()
const note = (name: string, lateMs: readonly number[]): void =>
  void late.set(name, [...(late.get(name) ?? []), ...lateMs])
const ticks = (): ReturnType<typeof ticksOf> => ticksOf(readFileSync('/proc/stat', 'utf8'))
const ticksBefore = ticks()
let isPeerThere = true
for (let round = 0; round < rounds; round++) {
  for (const [name, way] of Object.entries(waysOf(line))) {
    const at = after(clock.monotonicMs(), 6 + 8 * random())
    const firedMs = await way(at)
    note(name, [firedMs - at])
  }
  if ((round + 1) % BLOCK !== 0) continue
  note('firing thread, main thread blocked', await blocked(line, BLOCK))
  const wakeUps: readonly number[] | null = isPeerThere ? await cyclictest(BLOCK) : null
  isPeerThere = wakeUps !== null
  note('cyclictest, FIFO 49', wakeUps ?? [])
}
const steal = stealPercent(ticksBefore, ticks()).toFixed(1)
firing.releaseLine(line)
await firing.stop()
closeSync(fd)

const head = ['n', 'p50', 'p99', 'max', 'early'].map(title => title.padStart(8)).join('')
const load = loadavg().map(value => value.toFixed(1))
const rows = [...late]
  .filter(([, lateMs]) => lateMs.length > 0)
  .map(([name, lateMs]) => row(name, lateMs))
const priority = log.lines.find(({ event }) => event === 'firing.priority')?.facts
const lines = [
  `lateness in microseconds; load average ${load.join(' ')}; steal ${steal} %; ${JSON.stringify(priority)}`,
  `${''.padEnd(NAME_WIDTH)}${head}`,
  ...rows,
]
process.stdout.write(`${lines.join('\n')}\n`)
if (!isPeerThere)
  process.stdout.write(
    'cyclictest is missing (apt install rt-tests), or may not have its priority (run as root, or ulimit -r 49)\n',
  )
if (process.env['LAB_I2C_BUS'] !== undefined) {
  process.stdout.write('\nframes of a PCA9685: how late they began\n')
  for (const { name, lateMs, cpuPercent } of await measureFrames(clock))
    process.stdout.write(`${row(name, lateMs)}  ${cpuPercent.toFixed(1)} % of the processor\n`)
}
