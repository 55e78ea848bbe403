/**
 * How well the charge of a pack is known, and what knowing it costs: `node dist/test/bench/power.bench.js [seeds]`.
 * Each pack is charged and emptied once, then charged, emptied again, charged to the middle and emptied from there. The
 * last table is of packs by the textbook, which the box has never seen, over a day.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { SqliteStore } from '../../drivers/linux/sqlite.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { wallTimeMs } from '../../runtime/core/time.js'
import { History } from '../../runtime/services/power/history.js'
import {
  learnt,
  type Outcome,
  PackTrial,
  type Trial,
  usualTrial,
} from '../simulation/power-packs.js'
import { printTable } from './table.js'
import { textbookTable } from './textbook-table.js'

const SEEDS = Number(process.argv[2] ?? 2)
const HOURS = 2

const worst = (outcomes: readonly Outcome[]): Record<string, number> => ({
  'error max': Math.max(...outcomes.map(({ errorMax }) => errorMax)),
  'error mean': outcomes.reduce((sum, { errorMean }) => sum + errorMean, 0) / outcomes.length,
  'inside, least': Math.min(...outcomes.map(({ honest }) => honest)),
})

interface Place {
  readonly chemistry: Trial['chemistry']
  readonly celsius: number
  readonly health: number
}

const places: readonly Place[] = (['li-ion', 'lifepo4', 'lead-acid'] as const).flatMap(chemistry =>
  [0, 20, 40].flatMap(celsius => [0.7, 0.85, 1].map(health => ({ chemistry, celsius, health }))),
)

function chargeRow(place: Place): Record<string, string | number> {
  const first: Outcome[] = []
  const later: Outcome[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    const noise = seed % 2 === 0 ? 3 : 1
    const trial = { ...usualTrial, ...place, seed, noise, isWarmthKnown: seed % 3 !== 0 }
    first.push(new PackTrial(trial).discharge())
    const running = learnt(trial)
    running.chargeFor(9)
    later.push(running.discharge())
    running.chargeTo(0.4 + 0.1 * (seed % 4))
    later.push(running.discharge())
  }
  return {
    chemistry: place.chemistry,
    '°C': place.celsius,
    health: place.health,
    packs: SEEDS,
    'first time: error max': worst(first)['error max'] ?? 0,
    ...worst(later),
  }
}

function dayTable(): void {
  const begunMs = performance.now()
  const cpu = process.cpuUsage()
  const { hours } = new PackTrial({ ...usualTrial, rate: 1 / 24 }).discharge()
  const { user, system } = process.cpuUsage(cpu)
  printTable([
    {
      'hours of discharge': hours,
      'readings a second': 1,
      'took s': (performance.now() - begunMs) / 1000,
      'CPU s': (user + system) / 1e6,
    },
  ])
}

const writtenBytes = (): number =>
  Number(/write_bytes: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)

/** Hours of seconds, written as the service writes them. */
async function historyRow(packs: number): Promise<Record<string, string | number>> {
  const folder = mkdtempSync(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'roadcase-bench-'))
  const store = new SqliteStore(join(folder, 'box.db'), new SimulatedLog())
  await store.open()
  const history = new History(store)
  const sample = { percent: 50, millivolts: 12_000, milliwatts: -9_000, stageRank: 1 }
  const names = ['all', 'one', 'two', 'three', 'four'].slice(0, packs === 1 ? 1 : packs + 1)
  const samples = new Map(names.map(name => [name, sample]))
  const before = writtenBytes()
  let commits = 0
  let rowBytes = 0
  for (let second = 0; second < HOURS * 3600; second++) {
    const changes = history.add(wallTimeMs(1.8e12 + second * 1000), samples)
    if (changes.length === 0) continue
    commits++
    for (const change of changes) rowBytes += 'value' in change ? change.value.length : 0
    await store.commit(changes)
  }
  await store.close()
  rmSync(folder, { recursive: true })
  return {
    packs,
    'commits an hour': commits / HOURS,
    'bytes of rows an hour': rowBytes / HOURS,
    'bytes to the disk an hour': (writtenBytes() - before) / HOURS,
  }
}

dayTable()
printTable([await historyRow(1), await historyRow(4)])
printTable(places.map(chargeRow))
textbookTable(3 * SEEDS)
