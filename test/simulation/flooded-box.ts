/**
 * A real box on wires of memory, with its broker on a real socket and its store on a real disk: how a fade, a GO and the
 * main loop fare while other processes send whatever they like as fast as they can.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxLog } from '../../drivers/linux/log.js'
import { type RunningBox, runBox } from '../../runtime/run.js'
import type { Flooded } from '../fixtures/flooder.js'
import { type LoopTimes, watchLoop } from './loop-watch.js'

export const FADE_MS = 3_000
const TREE = 'vb/flood/box-1'
const ASK_EVERY_MS = 50
const ANSWER_MS_MAX = 10_000

const config = {
  schemaVersion: 1,
  tour: 'flood',
  box: 'box-1',
  devices: [
    { name: 'spot', driver: 'pwm-light', options: { output: 'pwm-1' } },
    {
      name: 'wash',
      driver: 'pca9685-light',
      options: { bus: 'header', address: 64, outputEnableLine: 'dimmer-enable' },
    },
  ],
  show: { file: 'show.yaml' },
  broker: { kind: 'embedded', port: 0 },
  page: { port: 0 },
}
const show = `
apiVersion: show/v1
name: flood
patch:
  spot: {kind: dimmer, out: spot}
  wash: {kind: rgbw, out: "wash#0..7"}
  side: {kind: dimmer, out: "wash#8"}
cues:
  - {id: "1", levels: {spot: 100%, wash: {color: "#ffd9a0", level: 80%}}, fade: ${FADE_MS}ms}
  - {id: "2", levels: {spot: 0%}}
  - {id: "3", levels: {spot: 100%}}
`

export interface Fared extends LoopTimes {
  /** How much later (earlier when negative) than its moment the fade's last frame was shown. */
  readonly fadeEndMs: number
  /** Between two frames of the fade that come every 25 ms: the longest. */
  readonly frameGapMsMax: number
  /** How long after it was sent GO took effect. */
  readonly goTakenMs: number
  /** How long after it was sent GO was known to be on the disk. */
  readonly goAnsweredMs: number
  /** How long answers to commands took that were asked for every 50 ms. */
  readonly answeredMs: readonly number[]
  readonly unanswered: number
  readonly flooded: readonly Flooded[]
  /** The last cue that a command was acknowledged to have made the next one. */
  readonly nextCue: string
}

export interface FloodOptions {
  /** An empty folder of its own. */
  readonly folder: string
  /** Path of the compiled flooder. */
  readonly flooder: string
  readonly flooders: number
}

export interface FloodedBox {
  readonly fared: Fared
  /** What the show says is next after the box was stopped and started again. */
  readonly nextAfterRestart: string | null
}

export async function floodBox(options: FloodOptions): Promise<FloodedBox> {
  mkdirSync(options.folder, { recursive: true })
  writeFileSync(join(options.folder, 'box.json'), JSON.stringify(config))
  writeFileSync(join(options.folder, 'show.yaml'), show)
  const fd = openSync(join(options.folder, 'box.log'), 'w')
  const log = new LinuxLog(new LinuxClock(ownAnchor()), { process: 'flood', fd })
  const start = (): Promise<RunningBox> =>
    runBox({
      configFile: join(options.folder, 'box.json'),
      boardName: 'simulated',
      stateFolder: join(options.folder, 'state'),
      log,
    })
  try {
    const box = await start()
    const fared = await measure(box, options).finally(() => box.stop())
    const again = await start()
    const nextAfterRestart = await nextOf(again).finally(() => again.stop())
    return { fared, nextAfterRestart }
  } finally {
    log.flush()
    closeSync(fd)
  }
}

async function connectTo({ mqttPort, operator }: RunningBox): Promise<MqttClient> {
  const { username, password } = operator
  return connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { username, password, reconnectPeriod: 0 })
}

async function measure(box: RunningBox, options: FloodOptions): Promise<Fared> {
  const client = await connectTo(box)
  const desk = new Desk(client)
  await desk.open()
  // What is used for the first time is compiled first: that is not what is asked here.
  await desk.ask('goto', '1')
  const loop = watchLoop()
  const flooding = Array.from({ length: options.flooders }, () => flood(box, options))
  await pause(700)
  const asking = desk.keepAsking()
  const [goMs, goMachineMs] = [performance.now(), new LinuxClock(ownAnchor()).monotonicMs()]
  const fired = desk.nextFired('1')
  await desk.ask('fire', '1')
  const goAnsweredMs = performance.now() - goMs
  const t0ShowMs = await fired
  await pause(FADE_MS + 500)
  await asking.stop()
  const flooded = await Promise.all(flooding)
  const loopTimes = loop.stop()
  const { t0Ms, ...fade } = fadeOf(box, options.folder, t0ShowMs)
  await client.endAsync(true)
  const { answeredMs, unanswered, nextCue } = desk
  return {
    ...fade,
    goTakenMs: t0Ms - goMachineMs,
    goAnsweredMs,
    answeredMs,
    unanswered,
    ...loopTimes,
    flooded,
    nextCue,
  }
}

/** When the spot was told what, against when it should have been. */
function fadeOf(
  { simulated }: RunningBox,
  folder: string,
  t0ShowMs: number,
): { t0Ms: number; fadeEndMs: number; frameGapMsMax: number } {
  const saved = JSON.parse(readFileSync(join(folder, 'state/timeline.json'), 'utf8'))
  const t0Ms = t0ShowMs - Number(saved.showAtZeroMs)
  const frames = simulated?.pwm('pwm-1').history.filter(({ at }) => at >= t0Ms - 1) ?? []
  const end = frames.find(({ duty }) => duty === 1)
  const moments = [t0Ms, ...frames.map(({ at }) => Number(at)).filter(at => at <= (end?.at ?? 0))]
  const gaps = moments.slice(1).map((at, index) => at - (moments[index] ?? at))
  return {
    t0Ms,
    fadeEndMs: (end?.at ?? Number.NaN) - t0Ms - FADE_MS,
    frameGapMsMax: Math.max(0, ...gaps),
  }
}

/** Somebody who behaves: asks, and waits for the answer. */
class Desk {
  readonly answeredMs: number[] = []
  unanswered = 0
  nextCue = ''
  readonly #client: MqttClient
  readonly #waiting = new Map<string, (isAccepted: boolean) => void>()
  readonly #fired = new Map<string, (atShowMs: number) => void>()
  #count = 0

  constructor(client: MqttClient) {
    this.#client = client
  }

  async open(): Promise<void> {
    this.#client.on('message', (topic, payload) => {
      const message = JSON.parse(payload.toString())
      if (topic === `${TREE}/cue/fired`) this.#fired.get(message.cue)?.(message.atShowMs)
      else this.#waiting.get(message.id)?.(message.isAccepted)
    })
    await this.#client.subscribeAsync([`${TREE}/response/+`, `${TREE}/cue/fired`], { qos: 1 })
  }

  nextFired(cue: string): Promise<number> {
    return new Promise(resolve => this.#fired.set(cue, resolve))
  }

  async ask(action: 'goto' | 'fire', cue: string): Promise<boolean> {
    const id = `desk-${++this.#count}`
    const answered = new Promise<boolean>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`${id} was not answered`)), ANSWER_MS_MAX)
      this.#waiting.set(id, isAccepted => {
        clearTimeout(limit)
        resolve(isAccepted)
      })
    })
    this.#client.publish(`${TREE}/cue`, JSON.stringify({ id, action, cue }), { qos: 1 })
    return answered
  }

  /** One question after the other: their answers say how the box listens meanwhile. */
  keepAsking(): { stop(): Promise<void> } {
    let isStopping = false
    const work = (async () => {
      for (let cue = 1; !isStopping; cue = (cue % 3) + 1) {
        const askedMs = performance.now()
        try {
          if (await this.ask('goto', String(cue))) this.nextCue = String(cue)
          this.answeredMs.push(performance.now() - askedMs)
        } catch {
          // Counted, and told by whoever asked for the count.
          this.unanswered++
        }
        await pause(ASK_EVERY_MS)
      }
    })()
    return {
      stop: async () => {
        isStopping = true
        await work
      },
    }
  }
}

async function nextOf(box: RunningBox): Promise<string | null> {
  const client = await connectTo(box)
  const state = new Promise<string>(resolve =>
    client.once('message', (_, payload) => resolve(payload.toString())),
  )
  await client.subscribeAsync(`${TREE}/show/state`, { qos: 1 })
  const { next } = JSON.parse(await state)
  await client.endAsync(true)
  return typeof next === 'string' ? next : null
}

function flood({ mqttPort, operator }: RunningBox, { flooder }: FloodOptions): Promise<Flooded> {
  const { username, password } = operator
  const forMs = FADE_MS + 1_200
  const orders = { port: mqttPort, username, password, tree: TREE, forMs }
  // What the test runner puts into its children must not reach this one.
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, [flooder, JSON.stringify(orders)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: forMs + 20_000,
  })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`the flooder ended with ${code}`))
    })
  })
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
