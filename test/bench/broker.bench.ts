/**
 * From a publisher to a subscriber with QoS 1, through the broker inside (in a process of its own, on a real database)
 * and through Mosquitto in the same run: `node dist/test/bench/broker.bench.js`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { connectAsync, type MqttClient } from 'mqtt'
import { hashPassword } from '../../runtime/gateways/broker/password.js'
import { hasMosquitto, startMosquitto } from '../peers/mosquitto-broker.js'
import { percentiles, printTable } from './table.js'

const RUN_MS = 4_000
const CUES_PER_SECOND = 200
const NOISE_PER_SECOND = 1_000
const PASSWORD = 'bench'
const TREE = 'vb/spring/stage-right'

interface Case {
  readonly name: string
  readonly hasNoise: boolean
  readonly isKept: boolean
}

const cases: readonly Case[] = [
  { name: 'idle', hasNoise: false, isKept: false },
  { name: '1000 QoS 0/s beside it', hasNoise: true, isKept: false },
  { name: 'to a kept session', hasNoise: false, isKept: true },
]

type Row = Readonly<Record<string, string | number>>

interface Target {
  readonly name: string
  readonly port: number
  stop(): Promise<void>
}

async function startInside(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
  const script = fileURLToPath(new URL('../gateways/broker/killed-broker.js', import.meta.url))
  const hash = await hashPassword(PASSWORD)
  const child = spawn(process.execPath, [script, join(folder, 'box.db'), '1', hash], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', bytes => resolve(Number(/port (\d+)/.exec(String(bytes))?.[1])))
    child.once('exit', code => reject(new Error(`the broker ended with ${code}`)))
  })
  return {
    name: 'inside',
    port,
    stop: async () => {
      const isGone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await isGone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function connectTo(port: number, user: string, isKept = false): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    username: user,
    password: PASSWORD,
    reconnectPeriod: 0,
    ...(isKept ? { clientId: `bench-${user}`, clean: false } : {}),
  })
  if ('setNoDelay' in client.stream && typeof client.stream.setNoDelay === 'function')
    client.stream.setNoDelay(true)
  return client
}

/** Calls `send` so often a second, as evenly as timers allow, for the length of a run. */
async function pace(perSecond: number, send: (n: number) => void, runMs = RUN_MS): Promise<number> {
  const begunMs = performance.now()
  let count = 0
  while (performance.now() - begunMs < runMs) {
    const due = ((performance.now() - begunMs) / 1_000) * perSecond
    while (count < due) send(count++)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  return count
}

async function measure(target: Target, { name, hasNoise, isKept }: Case): Promise<Row> {
  const subscriber = await connectTo(target.port, 'hub', isKept)
  const publisher = await connectTo(target.port, 'stage-right')
  const noise = await connectTo(target.port, 'stage-right')
  await subscriber.subscribeAsync(`${TREE}/#`, { qos: 1 })
  // Both programs compile what they use often: that is not what is asked here.
  await pace(
    CUES_PER_SECOND,
    n => void publisher.publish(`${TREE}/warm-up`, `${n}`, { qos: 1 }),
    1_000,
  )
  const arrivedMs: number[] = []
  const acknowledgedMs: number[] = []
  subscriber.on('message', (topic, payload) => {
    if (topic.endsWith('/cue')) arrivedMs.push(performance.now() - Number(payload.toString()))
  })
  const noisy = hasNoise
    ? pace(NOISE_PER_SECOND, n => void noise.publish(`${TREE}/telemetry`, `${n}`, { qos: 0 }))
    : null
  const sent = await pace(CUES_PER_SECOND, () => {
    const sentMs = performance.now()
    publisher.publish(`${TREE}/cue`, `${sentMs}`, { qos: 1 }, () =>
      acknowledgedMs.push(performance.now() - sentMs),
    )
  })
  await noisy
  await new Promise(resolve => setTimeout(resolve, 500))
  await Promise.all([subscriber, publisher, noise].map(client => client.endAsync()))
  const arrived = percentiles(arrivedMs)
  const acknowledged = percentiles(acknowledgedMs)
  return {
    broker: target.name,
    case: name,
    arrived: `${arrived.n}/${sent}`,
    'p50 ms': arrived.p50,
    'p99 ms': arrived.p99,
    'max ms': arrived.max,
    'PUBACK p50 ms': acknowledged.p50,
    'PUBACK p99 ms': acknowledged.p99,
  }
}

const rows: Row[] = []
for (const which of cases)
  for (const start of [
    startInside,
    ...(hasMosquitto
      ? [async (): Promise<Target> => ({ ...(await startMosquitto()), name: 'Mosquitto' })]
      : []),
  ]) {
    const target = await start()
    rows.push(await measure(target, which))
    await target.stop()
  }
printTable(rows)
