/** The far side of the simulated board, for programs that run on the lab machine: what a hand, a lamp or a meter would do. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Board } from '../../boards/board.js'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxHost, type LinuxHostOptions } from '../../drivers/linux/host.js'
import { LinuxI2cBuses } from '../../drivers/linux/i2c.js'
import { openI2cBus } from '../../drivers/linux/i2c-bus.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { assert } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'

const UNTIL_MS_MAX = 10_000

/** What `guest/hardware` says about the machine. */
export function labSays(name: string): string {
  const value = process.env[name]
  assert(value !== undefined, `${name} is set: this program runs on the lab machine`)
  return value
}

const simFile = (offset: number, file: 'pull' | 'value'): string =>
  `${labSays('LAB_GPIO_SIM')}/sim_gpio${offset}/${file}`

export const pull = (offset: number, isHigh: boolean): void =>
  writeFileSync(simFile(offset, 'pull'), isHigh ? 'pull-up' : 'pull-down')

export const isHigh = (offset: number): boolean =>
  readFileSync(simFile(offset, 'value'), 'latin1').trim() === '1'

export const clock = new LinuxClock(ownAnchor())

export const pause = (durationMs: number): Promise<void> =>
  new Promise(resolve => void clock.runAt(after(clock.monotonicMs(), durationMs), resolve))

/** Keeps the main thread busy, as a bug or a big document would. */
export function block(durationMs: number): void {
  const end = after(clock.monotonicMs(), durationMs)
  while (clock.monotonicMs() < end);
}

/** Holds up the main thread without work, as waiting for a lock would. */
export function hang(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}

/** Keeps the main thread busy until it is so, at most ten seconds. */
export function blockUntil(isTrue: () => boolean): void {
  const limit = after(clock.monotonicMs(), UNTIL_MS_MAX)
  while (!isTrue() && clock.monotonicMs() < limit);
}

export async function until(isTrue: () => boolean): Promise<void> {
  const limit = after(clock.monotonicMs(), UNTIL_MS_MAX)
  while (!isTrue() && clock.monotonicMs() < limit) await pause(1)
}

/** A host of the board on the real kernel; there are no I2C buses on it. */
export function makeHost(
  board: Board,
  gpio: LinuxHostOptions['gpio'],
): { host: LinuxHost; log: SimulatedLog } {
  const log = new SimulatedLog()
  const i2c = {
    device: () => {
      throw new Error('these tests use no I2C')
    },
    close: async () => {},
  }
  return { host: new LinuxHost(clock, log, i2c, { board, gpio, heartbeatMs: 60_000 }), log }
}

export async function startHost(
  t: Test,
  board: Board,
  gpio: LinuxHostOptions['gpio'],
): Promise<{ host: LinuxHost; log: SimulatedLog }> {
  const made = makeHost(board, gpio)
  t.teardown(() => made.host.stop())
  await made.host.start()
  return made
}

export function offsetOf(board: Board, name: string): number {
  const line = board.lines.find(candidate => candidate.name === name)
  assert(line !== undefined, `the board has a line ${name}`)
  return line.offset
}

/** A host that stands still for a while is no stuck bus. */
export const patientBuses = (clock: LinuxClock, log: SimulatedLog): LinuxI2cBuses =>
  new LinuxI2cBuses(clock, log, openI2cBus, 10_000)
