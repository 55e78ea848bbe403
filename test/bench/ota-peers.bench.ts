/**
 * What an update of several boxes costs a venue's uplink: real processes, sockets on loopback, a real broker, and a hub
 * behind an uplink of 2 MB/s.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { hashedTarget } from '../../drivers/linux/piece-web.js'
import type { FetchProgress } from '../../ota/fetch/fetch-progress.js'
import { startAedes } from '../gateways/peers/plain-broker.js'
import { randomObject } from '../ota/fetch/objects.js'
import { hasMosquitto, startMosquitto } from '../peers/mosquitto-broker.js'
import { printTable } from './table.js'

const UPLINK_BYTES_PER_SECOND = 2_000_000
const CHUNK_BYTES = 64 * 1024
const SECONDS_MAX = 120
const { object, bytes } = randomObject(16 * 1024 * 1024 + 99, 11)

interface Hub {
  readonly url: string
  sent(): number
  close(): Promise<void>
}

async function startHub(): Promise<Hub> {
  let sent = 0
  let freeMs = 0
  const path = `/targets/${hashedTarget(object)}`
  const send = async (response: ServerResponse, from: number, to: number): Promise<void> => {
    for (let at = from; at < to && !response.destroyed; at += CHUNK_BYTES) {
      const chunk = bytes.subarray(at, Math.min(at + CHUNK_BYTES, to))
      const nowMs = performance.now()
      freeMs = Math.max(nowMs, freeMs) + (chunk.length * 1000) / UPLINK_BYTES_PER_SECOND
      await new Promise(resolve => setTimeout(resolve, freeMs - nowMs))
      if (response.destroyed) return
      sent += chunk.length
      if (!response.write(chunk)) await drained(response)
    }
    response.end()
  }
  const server = createServer((request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (request.url !== path || from === undefined) return void response.writeHead(404).end()
    const end = Number(to) + 1
    response.writeHead(206, {
      'content-length': end - Number(from),
      'content-range': `bytes ${from}-${to}/${bytes.length}`,
    })
    void send(response, Number(from), end)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    sent: () => sent,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Or its reader is gone. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })

class Box {
  readonly name: string
  readonly manner: string
  readonly folder: string
  readonly #args: readonly string[]
  #child: ChildProcess | null = null
  /** Of processes that were killed. */
  #peerBytesBefore = 0
  progress: FetchProgress | null = null
  lies: number | null = null

  constructor(name: string, manner: string, home: string, args: readonly string[]) {
    this.name = name
    this.manner = manner
    this.folder = join(home, name)
    this.#args = args
  }

  get peerByteCount(): number {
    return this.#peerBytesBefore + (this.progress?.peerByteCount ?? 0)
  }

  start(): void {
    const [hub = '', port = '', description = ''] = this.#args
    const args = [this.name, this.folder, hub, port, description, this.manner]
    const child = spawn(
      process.execPath,
      [join('dist', 'test/fixtures/ota-peers-box.js'), ...args],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    this.#child = child
    createInterface({ input: child.stdout }).on('line', line => {
      const word: { progress?: FetchProgress; done?: { lies: number } } = JSON.parse(line)
      if (word.progress) this.progress = word.progress
      if (word.done) this.lies = word.done.lies
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = new Promise(resolve => child.once('close', resolve))
    child.kill('SIGKILL')
    await closed
    this.#peerBytesBefore = this.peerByteCount
    this.progress = null
  }

  isRight(): boolean {
    const found = readFileSync(join(this.folder, object.sha256))
    return createHash('sha256').update(found).digest('hex') === object.sha256
  }
}

interface Scene {
  readonly what: string
  readonly manners: readonly string[]
  readonly isFetcherKilled: boolean
}

const five = ['', '', '', '', '']
const scenes: readonly Scene[] = [
  { what: '1 box', manners: [''], isFetcherKilled: false },
  { what: '5 boxes', manners: five, isFetcherKilled: false },
  { what: '5 boxes and one that lies', manners: [...five, 'liar'], isFetcherKilled: false },
  { what: '5 boxes, fetcher killed at 50 %', manners: five, isFetcherKilled: true },
]

async function play(scene: Scene): Promise<Record<string, string | number>> {
  const closings: (() => Promise<void>)[] = []
  const teardown = (close: () => Promise<void>): void => void closings.push(close)
  const home = mkdtempSync(join(tmpdir(), 'roadcase-ota-peers-'))
  const description = join(home, 'object.json')
  writeFileSync(description, JSON.stringify(object))
  const hub = await startHub()
  const mosquitto = hasMosquitto ? await startMosquitto() : null
  const broker = mosquitto ?? (await startAedes({ teardown }))
  const args = [hub.url, `${broker.port}`, description]
  const boxes = scene.manners.map((manner, at) => new Box(`box-${at + 1}`, manner, home, args))
  const liars = boxes.filter(({ manner }) => manner === 'liar')
  const honest = boxes.filter(box => !liars.includes(box))
  for (const { folder } of liars) {
    mkdirSync(folder)
    writeFileSync(join(folder, object.sha256), bytes)
  }
  const beginMs = performance.now()
  for (const box of boxes) box.start()
  let isKillDue = scene.isFetcherKilled
  const isOver = (): boolean => honest.every(({ lies }) => lies !== null)
  while (!isOver() && performance.now() - beginMs < SECONDS_MAX * 1000) {
    await new Promise(resolve => setTimeout(resolve, 20))
    const half = boxes.find(box => (box.progress?.uplinkByteCount ?? 0) > bytes.length / 2)
    if (!isKillDue || !half) continue
    isKillDue = false
    await half.kill()
    setTimeout(() => half.start(), 5_000)
  }
  const seconds = (performance.now() - beginMs) / 1000
  const row = {
    what: scene.what,
    'uplink bytes': hub.sent(),
    'of one box': hub.sent() / bytes.length,
    'LAN bytes': honest.reduce((sum, box) => sum + box.peerByteCount, 0),
    seconds,
    lies: honest.reduce((sum, { lies }) => sum + (lies ?? 0), 0),
    'wasted, most': Math.max(...honest.map(box => box.progress?.wastedByteCount ?? 0)),
    right: honest.filter(box => isOver() && box.isRight()).length,
  }
  for (const box of boxes) await box.kill()
  await hub.close()
  await mosquitto?.stop()
  for (const close of closings) await close()
  rmSync(home, { recursive: true, force: true })
  return row
}

const rows = []
for (const scene of scenes) rows.push(await play(scene))
printTable(rows)
