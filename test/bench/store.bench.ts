/**
 * How fast the store acknowledges, and what that costs the main thread: `node dist/test/bench/store.bench.js [folder]`.
 * The folder should be on the card that is to be judged; without one it is the system's folder for temporary files.
 */
import { mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { SqliteStore } from '../../drivers/linux/sqlite.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'

const CONCURRENCIES = [1, 8, 64] as const
const RUN_MS = 3_000
const VALUE_BYTES = 200
const DELAY_RESOLUTION_MS = 1

interface Result {
  readonly commits: number
  readonly durationMs: number
  readonly latenciesMs: readonly number[]
  /** How late the main thread's timers were. */
  readonly delayMsP50: number
  readonly delayMsP99: number
  readonly delayMsMax: number
}

async function measure(store: SqliteStore, concurrency: number): Promise<Result> {
  const latenciesMs: number[] = []
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  const begunMs = performance.now()
  delay.enable()
  const client = async (id: number): Promise<void> => {
    for (let count = 0; performance.now() - begunMs < RUN_MS; count++) {
      const key = `${concurrency}/${id}/${count}`
      const sentMs = performance.now()
      const value = new Uint8Array(VALUE_BYTES)
      await store.commit([{ kind: 'insert', table: 'bench', key, value }])
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, id) => client(id)))
  delay.disable()
  const lateMs = (nanoseconds: number): number => nanoseconds / 1e6 - DELAY_RESOLUTION_MS
  return {
    commits: latenciesMs.length,
    durationMs: performance.now() - begunMs,
    latenciesMs: latenciesMs.sort((a, b) => a - b),
    delayMsP50: lateMs(delay.percentile(50)),
    delayMsP99: lateMs(delay.percentile(99)),
    delayMsMax: lateMs(delay.max),
  }
}

function row(cells: readonly (string | number)[]): void {
  const texts = cells.map(cell => (typeof cell === 'number' ? cell.toFixed(2) : cell))
  writeSync(1, `${texts.map(text => text.padStart(14)).join('')}\n`)
}

const share = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'roadcase-bench-'))
const store = new SqliteStore(join(folder, 'box.db'), new SimulatedLog())
await store.open()
row(['at once', 'commits/s', 'p50 ms', 'p99 ms', 'loop p50 ms', 'loop p99 ms', 'loop max ms'])
for (const concurrency of CONCURRENCIES) {
  const { commits, durationMs, latenciesMs, ...delay } = await measure(store, concurrency)
  row([
    `${concurrency}`,
    (commits / durationMs) * 1000,
    share(latenciesMs, 0.5),
    share(latenciesMs, 0.99),
    delay.delayMsP50,
    delay.delayMsP99,
    delay.delayMsMax,
  ])
}
await store.close()
rmSync(folder, { recursive: true })
