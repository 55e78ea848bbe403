/** From the start of the process to "ready to fire" on the simulated board, and the memory it then takes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { percentiles, printTable } from './table.js'

const RUNS = 7
const READY_MS_MAX = 30_000
const EXAMPLE = 'docs/examples/first-night'

const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
try {
  const config = JSON.parse(readFileSync(`${EXAMPLE}/box.json`, 'utf8'))
  config.broker = { kind: 'embedded', port: 0 }
  config.page = { port: 0 }
  writeFileSync(join(folder, 'box.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'show.yaml'), readFileSync(`${EXAMPLE}/show.yaml`))
  const readyMs: number[] = []
  const rssMegabytes: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const { child, tookMs } = await start()
    readyMs.push(tookMs)
    rssMegabytes.push(rssOf(child.pid ?? 0) / 1e6)
    await stop(child)
  }
  printTable([
    { what: 'start to ready, ms', ...percentiles(readyMs) },
    { what: 'RSS when ready, MB', ...percentiles(rssMegabytes) },
  ])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function start(): Promise<{ child: ChildProcess; tookMs: number }> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    const program = [
      '--max-semi-space-size=1',
      '--expose-gc',
      'dist/program/main.js',
      ...['--config', join(folder, 'box.json'), '--board', 'simulated'],
      ...['--state', join(folder, 'state')],
    ]
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] })
    const limit = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error('not ready in time'))
    }, READY_MS_MAX)
    child.stdout.on('data', (bytes: Buffer) => {
      if (!bytes.toString().includes('box.ready')) return
      clearTimeout(limit)
      resolve({ child, tookMs: performance.now() - startedMs })
    })
  })
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill('SIGINT')
  })
}

function rssOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}
