/**
 * Debian's chrony, each program in a network namespace, ended by its process id, and never with the right to set the clock
 * of the machine: `-x`, always.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasProgram, type Namespaces, whyNoNamespaces } from './namespaces.js'
import { type Follow, follow } from './ptp4l.js'

/** Null where chronyd can be run in a namespace. */
export const whyNoChrony = (): string | null =>
  whyNoNamespaces() ??
  (hasProgram('chronyd') && hasProgram('chronyc') ? null : 'chrony is not installed')

/** Long enough for a machine that stands still now and then. */
const ONCE_SECONDS_MAX = 40

export interface Found {
  /** How far the machine's clock is from the server's, in milliseconds: negative where it is ahead. Null: no server was good. */
  readonly aheadMs: number | null
  readonly output: string
}

/** Asks a server four times, as a person does with `chronyd -Q`, and says what it makes of the answers. */
export async function askOnce(
  namespaces: Namespaces,
  number: number,
  source: string,
  secondsMax: number = ONCE_SECONDS_MAX,
): Promise<Found> {
  const args = ['-x', '-Q', '-d', '-t', String(secondsMax), `${source} iburst maxsamples 4`]
  const program = follow(...namespaces.within(number, 'chronyd', args))
  await program.ended
  const output = program.output()
  const [, seconds] = /System clock wrong by (-?[\d.]+) seconds/.exec(output) ?? []
  return { aheadMs: seconds === undefined ? null : Number(seconds) * 1e3, output }
}

export interface Chronyd extends Follow {
  /** What chronyc says to one question, as lines of comma-separated values. */
  ask(...question: readonly string[]): Promise<string[][]>
}

/** @param lines of chrony.conf(5) */
export function startChronyd(
  namespaces: Namespaces,
  number: number,
  lines: readonly string[],
): Chronyd {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-chronyd-'))
  const socket = join(folder, 'run', 'chronyd.sock')
  const config = join(folder, 'chrony.conf')
  const own = [`bindcmdaddress ${socket}`, 'cmdport 0', `pidfile ${join(folder, 'run', 'pid')}`]
  writeFileSync(config, [...lines, ...own, ''].join('\n'))
  const args = ['-x', '-d', '-u', 'root', '-f', config]
  const program = follow(...namespaces.within(number, 'chronyd', args))
  return {
    ...program,
    ask: async (...question) => {
      const chronyc = follow('chronyc', ['-c', '-h', socket, ...question])
      await chronyc.ended
      const text = chronyc.output().trim()
      return text === '' ? [] : text.split('\n').map(line => line.split(','))
    },
    stop: async signal => {
      await program.stop(signal)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
