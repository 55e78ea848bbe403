/** Programs that the box runs: what they say, and their end. */
import { type ChildProcess, execFile } from 'node:child_process'
import type { Readable } from 'node:stream'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'

const OUTPUT_BYTES_MAX = 65_536
const LAST_SAID_MAX = 500

export interface AskOptions {
  /** In place of the box's own; null: the box's own. */
  readonly environment: NodeJS.ProcessEnv | null
  readonly msMax: number
}

/** What a program says that ends by itself; null when it is not there, fails, or takes too long. */
export function askProgram(
  program: string,
  words: readonly string[],
  { environment, msMax }: AskOptions,
): Promise<string | null> {
  const limits = { timeout: msMax, maxBuffer: OUTPUT_BYTES_MAX }
  const options = environment === null ? limits : { ...limits, env: environment }
  return new Promise(resolve => {
    execFile(program, words, options, (error, said) => resolve(error === null ? said : null))
  })
}

/** The end of what comes from a program, in one line: usually why it ended. */
export function lastSaid(from: Readable): () => string {
  let said = ''
  from.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LAST_SAID_MAX)
  })
  return () => said.trim().replaceAll(/\s+/g, ' ')
}

export const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null

/** Asks it to end, and kills it when it has not after `patienceMs`. Resolves when it is gone, at once where it never began. */
export async function endChild(
  clock: Clock,
  child: ChildProcess,
  patienceMs: number,
): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return
  const exit = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const late = after(clock.monotonicMs(), patienceMs)
  const cancel = clock.runAt(late, () => child.kill('SIGKILL'))
  child.kill('SIGTERM')
  await exit
  cancel()
}
