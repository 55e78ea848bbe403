/** The box as a process of its own on the lab machine, with a real MQTT client beside it, as at a venue. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openI2cBus } from '../../drivers/linux/i2c-bus.js'
import type { I2cHandle } from '../../drivers/linux/i2c-queue.js'
import { assert } from '../../runtime/core/errors.js'

/** Of the same build as this file, whichever version of Node that is for. */
const BOX_PROGRAM = fileURLToPath(new URL('../../program/main.js', import.meta.url))
const READY_MS_MAX = 60_000
const STOP_MS_MAX = 20_000
const ANSWER_MS_MAX = 20_000
/** Who looks more often takes the only processor away from the box that is looked at. */
const LOOK_MS = 10
export const DIMMER_ADDRESS = 0x41
const LED0 = 0x06
const ALL_LED_OFF_H = 0xfd
const FULL_OFF = 0x10

export interface BoxDocuments {
  /** What box.json says, but for `gpio`. */
  readonly config: object
  /** What show.yaml says. */
  readonly show: string
}

export const show = `
apiVersion: show/v1
name: lab
patch:
  left: {kind: switch, out: left}
  right: {kind: switch, out: right}
  wash: {kind: dimmer, out: "wash#0..3"}
  camera: {kind: capture, out: camera}
scenes:
  lit: {left: on, wash: 100%}
  half: {right: on, wash: 50%}
cues:
  - {id: "1", scene: lit, fade: 400ms, do: [{capture: camera, at: 200ms}]}
  - {id: "2", scene: half}
  - {id: "3", levels: {left: off, right: off, wash: off}, fade: 60s}
triggers:
  - {on: "go:press", do: next, guard: {holdOff: 0}}
`

const config = {
  schemaVersion: 1,
  tour: 'lab',
  box: 'box-1',
  devices: [
    { name: 'left', driver: 'gpio-light', options: { line: 'light-1' } },
    { name: 'right', driver: 'gpio-light', options: { line: 'light-2' } },
    { name: 'wash', driver: 'pca9685-light', options: { bus: 'header', address: DIMMER_ADDRESS } },
    { name: 'camera', driver: 'capture-trigger', options: { shutterLine: 'shutter', pulseMs: 50 } },
    { name: 'go', driver: 'button', options: { line: 'go-button' } },
  ],
  show: { file: 'show.yaml' },
}

export interface BoxProcess {
  readonly child: ChildProcess
  readonly stateFolder: string
  /** From the start of the process to its line in the log. */
  readonly readyMs: number
  /** Whole lines of the log so far. */
  readonly lines: string[]
  /** Publishes with mosquitto_pub; returns when it has ended. */
  publish(topic: string, message: string): void
  /** Asks by HTTP; resolves once the box has acknowledged it, and rejects when it refuses. */
  ask(command: object): Promise<void>
  stop(): Promise<void>
}

/** @param folder where box.json, the show and the state are; kept over a power cut when it is on a disk */
export async function startBox(
  folder: string,
  gpio: 'chardev' | 'sysfs',
  documents: BoxDocuments = { config, show },
): Promise<BoxProcess> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'box.json'), JSON.stringify({ ...documents.config, gpio }))
  writeFileSync(join(folder, 'show.yaml'), documents.show)
  const stateFolder = join(folder, 'state')
  const startedMs = performance.now()
  const child = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      BOX_PROGRAM,
      ...['--config', join(folder, 'box.json'), '--board', 'lab', '--state', stateFolder],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines = await untilReady(child)
  const readyMs = performance.now() - startedMs
  const operator = JSON.parse(readFileSync(join(stateFolder, 'operator.json'), 'utf8'))
  return {
    child,
    stateFolder,
    readyMs,
    lines,
    publish: (topic, message) => {
      const { username, password } = operator
      const login = ['-u', username, '-P', password]
      execFileSync('mosquitto_pub', [...login, '-q', '1', '-t', topic, '-m', message])
    },
    ask: command => ask(stateFolder, command),
    stop: () => stopChild(child),
  }
}

async function ask(stateFolder: string, command: object): Promise<void> {
  const { url, token } = JSON.parse(readFileSync(join(stateFolder, 'control.json'), 'utf8'))
  const answer = await fetch(`${url}/api/command`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(command),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })
  const text = await answer.text()
  if (!answer.ok || JSON.parse(text).isAccepted !== true) throw new Error(`refused: ${text}`)
}

function untilReady(child: ChildProcess): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    const fail = (why: string): void => {
      child.kill('SIGKILL')
      reject(new Error(`${why}:\n${lines.slice(-20).join('\n')}`))
    }
    const limit = setTimeout(() => fail('the box is not ready in time'), READY_MS_MAX)
    const ended = (): void => fail('the box ended')
    child.once('exit', ended)
    assert(child.stdout !== null, 'the log is piped')
    createInterface({ input: child.stdout }).on('line', line => {
      lines.push(line)
      if (!line.includes('"box.ready"')) return
      clearTimeout(limit)
      child.off('exit', ended)
      resolve(lines)
    })
  })
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await ended
  clearTimeout(limit)
}

/** On-time of a PCA9685 channel, 0..4096 counts, as the registers say (data sheet section 7.3.3). */
export async function dimmerCount(channel: number): Promise<number> {
  const bytes = await ofDimmer(chip => chip.read(DIMMER_ADDRESS, LED0 + 4 * channel, 4))
  const [, onHigh = 0, offLow = 0, offHigh = 0] = bytes
  if (offHigh & FULL_OFF) return 0
  return onHigh & FULL_OFF ? 4096 : ((offHigh & 0x0f) << 8) | offLow
}

/** Whether ALL_LED_OFF_H has its full-off bit: a chip of memory does not carry it over to its lamps, a real one does. */
export async function isDimmerOff(): Promise<boolean> {
  const [high = 0] = await ofDimmer(chip => chip.read(DIMMER_ADDRESS, ALL_LED_OFF_H, 1))
  return (high & FULL_OFF) !== 0
}

/** The bit is set by the start of the driver, too; a chip of memory keeps it, a real one does not. */
export const forgetDimmerOff = (): Promise<void> =>
  ofDimmer(chip => chip.write(DIMMER_ADDRESS, ALL_LED_OFF_H, Uint8Array.of(0)))

/** From this process: one more for each look takes the machine's processor away from the box. */
async function ofDimmer<T>(use: (bus: I2cHandle) => Promise<T>): Promise<T> {
  const bus = await openI2cBus(1)
  try {
    return await use(bus)
  } finally {
    bus.close()
  }
}

/** Asks again and again until it is so, at most half a minute: a machine of the lab has to share its processor. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  const limitMs = performance.now() + 30_000
  while (performance.now() < limitMs) {
    if (await isTrue()) return true
    await pause(LOOK_MS)
  }
  return false
}
