/**
 * The first GOs after a start: nothing has run yet that they need, and at a venue the first one is the one that everybody
 * sees. Each box is a process of its own; from the publish in this process, which is warm, to the edge on the lamp's line.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { cuePathConfig, cuePathShow } from './cue-path-box.js'
import { percentiles, printTable } from './table.js'

/** Run from the root of the tree, as all benches. */
const BOX = 'test/fixtures/first-go-box.js'
const BOXES = 12
const GOES = 12
const PAUSE_MS = 150
const WAIT_MS_MAX = 30_000

interface Ready {
  readonly mqttPort: number
  readonly username: string
  readonly password: string
}

interface Edge {
  readonly atNs: string
  readonly pressedNs: string | null
}

const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
const config = { ...cuePathConfig, broker: { kind: 'embedded', port: 0 }, page: { port: 0 } }
writeFileSync(join(folder, 'box.json'), JSON.stringify(config))
writeFileSync(join(folder, 'show.yaml'), cuePathShow)
try {
  await tryBox(publishing)
  const published = await tryBoxes(publishing)
  const pressed = await tryBoxes(pressing)
  printTable([...rows('MQTT publish to edge', published), ...rows('button edge to edge', pressed)])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

type Way = (box: ChildProcess, ready: Ready) => Promise<number[]>

async function tryBoxes(way: Way): Promise<number[][]> {
  const found: number[][] = []
  for (let count = 0; count < BOXES; count++) found.push(await tryBox(way))
  return found
}

async function tryBox(way: Way): Promise<number[]> {
  const child = fork(join('dist', BOX), [folder], {
    execArgv: ['--max-semi-space-size=1', '--expose-gc'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), WAIT_MS_MAX)
  try {
    const ready = await next<Ready>(child)
    await pause()
    return await way(child, ready)
  } finally {
    await stop(child)
    clearTimeout(limit)
    rmSync(join(folder, 'state'), { recursive: true, force: true })
  }
}

async function publishing(box: ChildProcess, ready: Ready): Promise<number[]> {
  const { mqttPort, username, password } = ready
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { username, password })
  if (client.stream instanceof Socket) client.stream.setNoDelay(true)
  await pause()
  const took: number[] = []
  for (let count = 0; count < GOES; count++) {
    const command = { action: 'fire', cue: count % 2 === 0 ? '1' : '2' }
    const edge = next<Edge>(box)
    const startedNs = process.hrtime.bigint()
    client.publish('vb/bench/box-1/cue', JSON.stringify(command), { qos: 1 })
    took.push(msBetween(startedNs, BigInt((await edge).atNs)))
    await pause()
  }
  await client.endAsync(true)
  return took
}

async function pressing(box: ChildProcess): Promise<number[]> {
  const took: number[] = []
  for (let count = 0; count < GOES; count++) {
    const edge = next<Edge>(box)
    box.send(count % 2 === 0 ? 'press' : 'let go')
    const { atNs, pressedNs } = await edge
    took.push(msBetween(BigInt(pressedNs ?? 0), BigInt(atNs)))
    await pause()
  }
  return took
}

function rows(path: string, tries: readonly number[][]): Record<string, string | number>[] {
  const parts = [
    { which: '1st', from: 0, to: 1 },
    { which: '2nd', from: 1, to: 2 },
    { which: '3rd to 6th', from: 2, to: 6 },
    { which: 'after that', from: 6, to: GOES },
  ]
  return parts.map(({ which, from, to }) => {
    const { n, p50, max } = percentiles(tries.flatMap(took => took.slice(from, to)))
    return { path, 'since the start': which, n, 'p50 ms': p50, 'max ms': max }
  })
}

function msBetween(fromNs: bigint, toNs: bigint): number {
  return Number(toNs - fromNs) / 1e6
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, PAUSE_MS))
}

function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the box has ended'))
    child.once('exit', gone)
    child.once('message', message => {
      child.off('exit', gone)
      resolve(JSON.parse(String(message)))
    })
  })
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.send('stop')
  })
}
