/** What the tests of the NUT server share: states of power, and a server on loopback with clients that never wait long. */
import { createConnection, type Socket } from 'node:net'
import type { Test } from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { boxConfigSchema, type PowerConfig } from '../../../runtime/config.js'
import { Bus } from '../../../runtime/core/bus.js'
import { NutServer } from '../../../runtime/gateways/nut/nut-server.js'
import type { Messages, Payload } from '../../../runtime/topics.js'

export const WAIT_MS = 15_000

export const onMains: Payload<'power/state'> = {
  stage: 'mains',
  isExternal: true,
  isCharging: true,
  percent: 87.25,
  percentError: 3,
  millivolts: 12_345,
  milliwatts: 6_200,
  secondsToEmpty: null,
  secondsToEmptyMin: null,
  emptyAtWallMs: null,
  showEndsAtWallMs: null,
  isEnough: null,
  forecast: null,
  lightCap: 1,
  arePrintsRefused: false,
  packs: 1,
}

export const onBattery: Payload<'power/state'> = {
  ...onMains,
  stage: 'battery',
  isExternal: false,
  isCharging: false,
  milliwatts: -9_876,
  secondsToEmpty: 4_321,
}

export const aPack: Payload<'battery/state'> = {
  pack: 'main',
  gauge: 'hat',
  millivolts: 12_345,
  milliamps: -800,
  celsius: 31.25,
  percent: 87.25,
  percentError: 3,
  method: 'gauge',
  fullMilliampHours: 2_650,
  remainingMilliampHours: 2_300,
  isExternal: false,
  isCharging: false,
  swaps: 0,
  troubles: [],
}

export const power = (changes: Partial<PowerConfig> = {}): PowerConfig => {
  const config = boxConfigSchema.parse({
    schemaVersion: 1,
    tour: 'spring',
    box: 'lobby',
    power: { packs: [{ name: 'main', gauge: 'hat', milliampHours: 2_650 }] },
  })
  if (config.power === null) throw new Error('the power is configured')
  return { ...config.power, ...changes }
}

export interface NutWorld {
  readonly clock: SimulatedClock
  readonly log: SimulatedLog
  readonly bus: Bus<Messages>
  readonly server: NutServer
}

export async function openServer(
  t: Test,
  listen: { port: number; reach: 'loopback' | 'venue' } = { port: 0, reach: 'loopback' },
): Promise<NutWorld> {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  const bus = new Bus<Messages>()
  const server = new NutServer(clock, log, bus, {
    box: 'lobby',
    model: 'Simulated venue box',
    version: '1.2.3',
    power: power(),
    listen,
  })
  t.teardown(() => server.stop())
  await server.start()
  return { clock, log, bus, server }
}

export interface NutPeer {
  readonly socket: Socket
  /** All that was said so far. */
  heard(): string
  say(text: string | Uint8Array): void
  /** The lines said since the last time, once there are so many. */
  lines(count: number): Promise<string[]>
  /** Resolves when the server has hung up. */
  readonly closed: Promise<void>
}

export async function connect(t: Test, port: number): Promise<NutPeer> {
  const socket = createConnection({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  // What a server hangs up on may be reset.
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let text = ''
  let taken = 0
  socket.on('data', bytes => {
    text += bytes.toString('latin1')
  })
  await within(new Promise(resolve => socket.once('connect', resolve)), 'connected')
  return {
    socket,
    heard: () => text,
    say: what => void socket.write(what),
    lines: async count => {
      const all = (): string[] => text.split('\n').slice(0, -1)
      await until(
        () => all().length >= taken + count,
        `${count} lines`,
        () => text,
      )
      const fresh = all().slice(taken, taken + count)
      taken += count
      return fresh
    },
    closed: within(closed, 'hung up'),
  }
}

export async function until(
  isThere: () => boolean,
  what: string,
  instead: () => string = () => 'nothing',
): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!isThere()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}: ${instead()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function within<T>(work: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), WAIT_MS)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
    timer.unref()
  })
}
