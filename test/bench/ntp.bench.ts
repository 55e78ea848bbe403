/**
 * The box's time server beside chronyd's: `node dist/test/bench/ntp.bench.js [seconds]`, as root, with chrony and gcc. How
 * many questions a second each answers, from one load generator, in turns; and how far chronyd finds itself from each when
 * it asks sixteen times a second. Client and server are processes in namespaces that a bridge joins and read one clock, so
 * what is found is the error. The clock is never set (`-x`).
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChronyd, whyNoChrony } from '../peers/chrony.js'
import { makeNamespaces, type Namespaces } from '../peers/namespaces.js'
import { type Follow, follow } from '../peers/ptp4l.js'
import { percentiles, printTable } from './table.js'

const SECONDS = Number(process.argv[2] ?? 20)
const LOAD_SECONDS = 3
const TURNS = 3
const IN_FLIGHT = [1, 16, 64] as const
const SERVER = fileURLToPath(new URL('../fixtures/time-server.js', import.meta.url))
const OTHERS_SECOND_LINE = ['local stratum 2', 'allow']

const folder = mkdtempSync(join(tmpdir(), 'roadcase-ntp-bench-'))

const pause = (seconds: number): Promise<void> =>
  new Promise(resolve => setTimeout(resolve, seconds * 1_000))

interface Kind {
  readonly name: string
  readonly start: (namespaces: Namespaces, number: number) => Promise<Follow>
  /** More of what the client is told of it. */
  readonly options: string
}

const chronyd: Kind = {
  name: 'chronyd',
  start: async (namespaces, number) => {
    const started = startChronyd(namespaces, number, OTHERS_SECOND_LINE)
    await started.until(async () => (await started.ask('tracking')).length > 0, 'chronyd')
    return started
  },
  options: '',
}

const roadcase: Kind = {
  name: 'Roadcase',
  start: async (namespaces, number) => {
    const settings = {
      port: 123,
      aheadMs: 0,
      stratum: 2,
      allow: ['0.0.0.0/0'],
      questionsPerSecond: 1e9,
    }
    const args = [SERVER, JSON.stringify(settings)]
    const started = follow(...namespaces.within(number, process.execPath, args))
    await started.until(() => started.output().includes('port'), 'a server')
    return started
  },
  options: '',
}

/** Questions a second, and those that were lost. */
async function answered(
  namespaces: Namespaces,
  number: number,
  load: string,
  inFlight: number,
): Promise<{ readonly perSecond: number; readonly lost: number }> {
  const words = ['123', String(LOAD_SECONDS), String(inFlight)]
  const run = follow(...namespaces.within(number, load, words))
  await run.ended
  const [, perSecond = 0, lost = 0] = run.output().trim().split(' ').map(Number)
  return { perSecond, lost }
}

async function throughput(): Promise<void> {
  const load = join(folder, 'ntp-load')
  execFileSync('gcc', ['-O2', '-o', load, 'test/bench/ntp-load.c'])
  const namespaces = makeNamespaces(2)
  const kinds = [chronyd, roadcase]
  const servers = await Promise.all(kinds.map((kind, number) => kind.start(namespaces, number)))
  const found = kinds.map(() => IN_FLIGHT.map(() => ({ all: [] as number[], lost: 0 })))
  for (let turn = 0; turn < TURNS; turn++)
    for (const [column, inFlight] of IN_FLIGHT.entries())
      for (const number of kinds.keys()) {
        const cell = found[number]?.[column]
        const { perSecond, lost } = await answered(namespaces, number, load, inFlight)
        cell?.all.push(perSecond)
        if (cell) cell.lost += lost
      }
  for (const server of servers) await server.stop()
  namespaces.remove()
  printTable(
    kinds.map(({ name }, number) => ({
      server: name,
      ...Object.fromEntries(
        IN_FLIGHT.map((inFlight, column) => {
          const { all = [], lost = 0 } = found[number]?.[column] ?? {}
          return [`${inFlight} in flight`, `${percentiles(all).p50} (${lost} lost)`]
        }),
      ),
    })),
  )
}

/** Microseconds by which chronyd found itself off, at each answer. */
async function errorsOf(kind: Kind): Promise<readonly number[]> {
  const namespaces = makeNamespaces(2)
  const server = await kind.start(namespaces, 0)
  const log = mkdtempSync(join(folder, 'log-'))
  const client = startChronyd(namespaces, 1, [
    `server 10.77.0.1 iburst minpoll -4 maxpoll -4 ${kind.options}`,
    'port 0',
    `logdir ${log}`,
    'log rawmeasurements',
  ])
  await pause(SECONDS)
  await client.stop()
  await server.stop()
  namespaces.remove()
  // Date, time, address, leap, stratum, three columns of tests, local and remote poll, score, offset.
  return readFileSync(join(log, 'measurements.log'), 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([, , address]) => address === '10.77.0.1')
    .map(fields => 1e6 * Math.abs(Number(fields[11])))
}

async function accuracy(): Promise<void> {
  const rows = []
  for (const kind of [
    chronyd,
    { ...chronyd, name: 'chronyd, interleaved', options: 'xleave' },
    roadcase,
  ]) {
    const load = (loadavg()[0] ?? 0).toFixed(1)
    const { n, p50, p99, max } = percentiles(await errorsOf(kind))
    const microseconds = (value: number): string => value.toFixed(1)
    rows.push({
      'followed by chronyd': kind.name,
      n,
      'p50 µs': microseconds(p50),
      'p99 µs': microseconds(p99),
      'max µs': microseconds(max),
      load,
    })
  }
  printTable(rows)
}

const whyNot = whyNoChrony()
if (whyNot !== null) process.stdout.write(`not measured: ${whyNot}\n`)
else {
  process.stdout.write(`questions a second, median of ${TURNS} turns of ${LOAD_SECONDS} s\n`)
  await throughput()
  process.stdout.write(`\nerror of a follower, ${SECONDS} s at 16 Hz\n`)
  await accuracy()
}
rmSync(folder, { recursive: true, force: true })
