/**
 * How long a GO takes on a real kernel: from an MQTT publish, or from a button, to the edge on a lamp's line as the
 * kernel stamped it. The box is a process of its own, its state on a disk; its clients are processes beside it. In the
 * same run: what this kernel needs for a sleep, a bare write and an interrupt, and what Mosquitto with a bare client
 * takes for the same.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { lab } from '../../boards/lab.js'
import type { BackendName } from '../../drivers/linux/gpio.js'
import { assert } from '../../runtime/core/errors.js'
import { randomFrom } from '../../runtime/core/random.js'
import { cuePathConfig, cuePathShow } from '../bench/cue-path-box.js'
import { percentiles } from '../bench/table.js'
import { startMosquitto } from '../peers/mosquitto-broker.js'
import { openBareLine } from './bare-line.js'
import { BARE_TOPIC } from './bare-listener.js'
import { isHigh, offsetOf, pull } from './far-side.js'
import { clearTrace, readTrace, type Seen, startTrace } from './kernel-trace.js'
import { eventually, startBox } from './whole-box.js'

const TRIES = 400
/** Between two GOs, and up to as much again by chance, so that they do not keep step with the kernel's tick. */
const PAUSE_MS = 15
const NOISE_PER_SECOND = 200
/** The kernel's trace is in whole microseconds. */
const STAMP_MS = 0.001
const DISK = '/dev/ubda'
const FOLDER = '/mnt/box'
const CUE = 'vb/bench/box-1/cue'
const NOISE = 'vb/bench/box-1/lamp/get'

const lamp = offsetOf(lab, 'light-1')
/** Without debouncing, and with as much as a button has when nothing is said about it. */
const buttons = { bare: offsetOf(lab, 'go-button'), usual: offsetOf(lab, 'back-button') } as const

export type Row = Readonly<Record<string, string | number>>
type Tell = (row: Row) => void
type Act = (isOn: boolean) => void

interface Login {
  readonly username: string
  readonly password: string
}

/** What a series of GOs was measured to be. */
interface Series extends Seen {
  readonly startsMs: readonly number[]
  /** Share of the machine's one processor that was in use, 0..100. */
  readonly busyPercent: number
}

const random = randomFrom(1)
/** CLOCK_MONOTONIC: the scale of the kernel's stamps. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6
const command = (isOn: boolean): string => JSON.stringify({ action: 'fire', cue: isOn ? '1' : '2' })

/** Measures by both of the kernel's interfaces to its lines, and tells each row as it comes. */
export async function measureCuePath(tell: Tell): Promise<void> {
  for (const offset of Object.values(buttons)) pull(offset, true)
  mkdirSync(FOLDER, { recursive: true })
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', DISK])
  execFileSync('mount', ['-t', 'ext4', DISK, FOLDER])
  startTrace(lamp)
  tell({ lines: '', path: 'the kernel: a sleep of 1 ms, too late by', ...lateSleeps() })
  for (const gpio of ['chardev', 'sysfs'] as const) {
    await measureBare(gpio, tell)
    await measureBox(gpio, tell)
  }
}

function lateSleeps(): Row {
  const never = new Int32Array(new SharedArrayBuffer(4))
  const lateMs = Array.from({ length: TRIES }, () => {
    const startMs = nowMs()
    Atomics.wait(never, 0, 0, 1)
    return nowMs() - startMs - 1
  })
  return cells('quiet', lateMs, null)
}

async function measureBare(lines: BackendName, tell: Tell): Promise<void> {
  const line = await openBareLine(lines, lamp)
  const written = await series(isOn => line.set(isOn))
  line.close()
  tell({ lines, path: 'the kernel: a write to the edge', ...toEdge('quiet', written) })
  const broker = await startMosquitto()
  const listener = await startListener(broker.port, lines)
  const client = await connect(broker.port, null)
  const heard = await series(
    isOn => void client.publish(BARE_TOPIC, isOn ? 'on' : 'off', { qos: 1 }),
  )
  tell({ lines, path: 'Mosquitto and a bare client: publish to edge', ...toEdge('quiet', heard) })
  await client.endAsync(true)
  await listener.stop()
  await broker.stop()
}

async function measureBox(lines: BackendName, tell: Tell): Promise<void> {
  const box = await startBox(join(FOLDER, lines), lines, {
    config: cuePathConfig,
    show: cuePathShow,
  })
  const login: Login = JSON.parse(readFileSync(join(box.stateFolder, 'operator.json'), 'utf8'))
  const client = await connect(1883, login)
  const noisy = await connect(1883, login)
  const publish: Act = isOn => void client.publish(CUE, command(isOn), { qos: 1 })
  const both = async (load: string): Promise<void> => {
    tell({ lines, path: 'publish to edge', ...toEdge(load, await series(publish)) })
    const pressed = await series(isOn => pull(buttons.bare, !isOn))
    tell({ lines, path: 'button to edge', ...toEdge(load, pressed) })
    tell({ lines, path: '- of which to the interrupt', ...toInterrupt(load, pressed) })
    tell({ lines, path: '- of which from the interrupt', ...fromInterrupt(load, pressed) })
  }
  await both('quiet')
  const usual = await series(isOn => pull(buttons.usual, !isOn))
  tell({
    lines,
    path: 'button to edge, debounced as delivered',
    ...toEdge('quiet', usual),
  })
  const publisher = startPublisher(login)
  await untilConnected(publisher.publish)
  const sent = await series(publisher.publish)
  await publisher.stop()
  tell({ lines, path: 'mosquitto_pub to edge', ...toEdge('quiet', sent) })
  const cancelNoise = makeNoise(noisy)
  await both(`${NOISE_PER_SECOND} other messages/s`)
  cancelNoise()
  await Promise.all([client, noisy].map(one => one.endAsync(true)))
  await box.stop()
}

/** Acts again and again, and asks the kernel afterwards what it saw: each act one edge, in order. */
async function series(act: Act): Promise<Series> {
  clearTrace()
  const cpu = processorTicks()
  const startsMs: number[] = []
  for (let count = 0; count < TRIES; count++) {
    const isOn = count % 2 === 0
    startsMs.push(nowMs())
    act(isOn)
    await pause(PAUSE_MS * (1 + random()))
    assert(await eventually(() => isHigh(lamp) === isOn), `GO ${count} reaches the lamp`)
  }
  const busyPercent = busyShare(cpu, processorTicks())
  const seen = readTrace()
  assert(seen.changes.length === TRIES, `${TRIES} edges, not ${seen.changes.length}`)
  for (const [count, { isHigh, atMs }] of seen.changes.entries()) {
    assert(isHigh === (count % 2 === 0), `edge ${count} is the one that was wanted`)
    assert(atMs > (startsMs[count] ?? Number.NaN) - STAMP_MS, `edge ${count} is not early`)
  }
  return { ...seen, startsMs, busyPercent }
}

const toEdge = (load: string, { changes, startsMs, busyPercent }: Series): Row =>
  cells(
    load,
    differences(
      changes.map(({ atMs }) => atMs),
      startsMs,
    ),
    busyPercent,
  )

const toInterrupt = (load: string, { interruptsMs, startsMs, busyPercent }: Series): Row =>
  cells(load, differences(interruptsMs, startsMs), busyPercent)

const fromInterrupt = (load: string, { changes, interruptsMs, busyPercent }: Series): Row =>
  cells(
    load,
    differences(
      changes.map(({ atMs }) => atMs),
      interruptsMs,
    ),
    busyPercent,
  )

function differences(ends: readonly number[], starts: readonly number[]): number[] {
  assert(ends.length === starts.length, `${starts.length} beginnings have ${ends.length} ends`)
  return ends.map((end, at) => end - (starts[at] ?? Number.NaN))
}

function cells(load: string, tookMs: readonly number[], busyPercent: number | null): Row {
  const { n, p50, p99, max } = percentiles(tookMs)
  const cpu = busyPercent === null ? '' : `${busyPercent.toFixed(0)} %`
  return { load, n, 'p50 ms': p50, 'p99 ms': p99, 'max ms': max, cpu }
}

async function connect(port: number, login: Login | null): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { ...login, reconnectPeriod: 0 })
  if (client.stream instanceof Socket) client.stream.setNoDelay(true)
  return client
}

/** As evenly as timers allow. */
function makeNoise(client: MqttClient): () => void {
  const timer = setInterval(() => client.publish(NOISE, '', { qos: 0 }), 1000 / NOISE_PER_SECOND)
  return () => clearInterval(timer)
}

/** This program again, as the bare client. */
async function startListener(port: number, gpio: BackendName): Promise<{ stop(): Promise<void> }> {
  const program = process.argv[1] ?? ''
  const child = spawn(process.execPath, [program, 'listen', String(port), gpio], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) if (line === 'listening') break
  return { stop: () => ended(child, () => child.kill('SIGTERM')) }
}

/** What is said first waits for the connection, and for the password to be checked. */
async function untilConnected(publish: Act): Promise<void> {
  for (const isOn of [true, false]) {
    publish(isOn)
    assert(await eventually(() => isHigh(lamp) === isOn), 'mosquitto_pub reaches the lamp')
  }
}

/** One mosquitto_pub for all: a message for each line that it is given. */
function startPublisher({ username, password }: Login): { publish: Act; stop(): Promise<void> } {
  const child = spawn(
    'mosquitto_pub',
    ['-u', username, '-P', password, '-q', '1', '-t', CUE, '-l'],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  )
  return {
    publish: isOn => void child.stdin.write(`${command(isOn)}\n`),
    stop: () => ended(child, () => child.stdin.end()),
  }
}

function ended(child: ChildProcess, end: () => void): Promise<void> {
  const isGone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  end()
  return isGone
}

interface Ticks {
  readonly idle: number
  readonly all: number
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq, in ticks. */
function processorTicks(): Ticks {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n')
  const ticks = line.split(/ +/).slice(1, 8).map(Number)
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((a, b) => a + b, 0) }
}

const busyShare = (from: Ticks, to: Ticks): number =>
  100 * (1 - (to.idle - from.idle) / (to.all - from.all))
