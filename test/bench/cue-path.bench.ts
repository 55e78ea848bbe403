/**
 * From a GO to the edge on a lamp's line, on the simulated board with everything else real: an MQTT client on loopback,
 * the broker, the store on this disk. And from a button's edge to the lamp's edge. Quiet, and beside 500 other messages
 * a second.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxLog } from '../../drivers/linux/log.js'
import type { SimulatedHost } from '../../drivers/simulated/host.js'
import { type RunningBox, runBox } from '../../runtime/run.js'
import { cuePathConfig, cuePathShow } from './cue-path-box.js'
import { percentiles, printTable } from './table.js'

const TRIES = 400
const PAUSE_MS = 15
const WAIT_MS_MAX = 5_000
const NOISE_PER_SECOND = 500

const config = { ...cuePathConfig, broker: { kind: 'embedded', port: 0 }, page: { port: 0 } }

const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
try {
  writeFileSync(join(folder, 'box.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'show.yaml'), cuePathShow)
  const log = new LinuxLog(new LinuxClock(ownAnchor()), { process: 'bench', fd: 2 })
  const box = await runBox({
    configFile: join(folder, 'box.json'),
    boardName: 'simulated',
    stateFolder: join(folder, 'state'),
    log,
  })
  try {
    printTable(await measure(box))
  } finally {
    await box.stop()
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function measure(box: RunningBox): Promise<Readonly<Record<string, string | number>>[]> {
  const host = box.simulated
  if (host === null || box.mqttPort === null) throw new Error('the bench needs a simulated board')
  const { username, password } = box.operator
  const url = `mqtt://127.0.0.1:${box.mqttPort}`
  const client = await connectAsync(url, { username, password, clientId: 'bench' })
  const noisy = await connectAsync(url, { username, password, clientId: 'noise' })
  if (client.stream instanceof Socket) client.stream.setNoDelay(true)
  try {
    const publish = (isOn: boolean): void => {
      const command = { action: 'fire', cue: isOn ? '1' : '2' }
      client.publish('vb/bench/box-1/cue', JSON.stringify(command), { qos: 1 })
    }
    const press = (isOn: boolean): void => host.drive('go-button', !isOn)
    const rows = [
      { path: 'MQTT publish to edge', load: 'quiet', ...(await times(host, publish)) },
      { path: 'button edge to edge', load: 'quiet', ...(await times(host, press)) },
    ]
    const cancelNoise = makeNoise(() => noisy.publish('vb/bench/box-1/lamp/get', '', { qos: 0 }))
    rows.push(
      { path: 'MQTT publish to edge', load: 'busy', ...(await times(host, publish)) },
      { path: 'button edge to edge', load: 'busy', ...(await times(host, press)) },
    )
    cancelNoise()
    return rows.map(({ n, p50, p99, max, ...rest }) => ({
      ...rest,
      n,
      'p50 ms': p50,
      'p99 ms': p99,
      'max ms': max,
    }))
  } finally {
    await client.endAsync(true)
    await noisy.endAsync(true)
  }
}

async function times(
  host: SimulatedHost,
  act: (isOn: boolean) => void,
): Promise<ReturnType<typeof percentiles>> {
  const took: number[] = []
  for (let count = 0; count < TRIES; count++) {
    const isOn = count % 2 === 0
    const edge = nextEdge(host, isOn)
    const startedMs = performance.now()
    act(isOn)
    took.push((await edge) - startedMs)
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
  return percentiles(took)
}

function nextEdge(host: SimulatedHost, isOn: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`no edge came (wanted ${isOn})`)), WAIT_MS_MAX)
    const cancel = host.onLineChange(({ name, isActive }) => {
      if (name !== 'light-1' || isActive !== isOn) return
      const atMs = performance.now()
      clearTimeout(limit)
      cancel()
      resolve(atMs)
    })
  })
}

function makeNoise(send: () => void): () => void {
  const timer = setInterval(() => {
    for (let count = 0; count < NOISE_PER_SECOND / 100; count++) send()
  }, 10)
  return () => clearInterval(timer)
}
