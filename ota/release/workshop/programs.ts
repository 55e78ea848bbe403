/** Programs of the machine on which a release is made. */
import { execFile } from 'node:child_process'
import { BoxError, messageOf } from '../../../runtime/core/errors.js'

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
const RUN_MS_MAX = 10 * 60_000
const WORDS_LINES_MAX = 20

export interface Program {
  readonly name: string
  /** How to get it: `sudo apt-get install git`. */
  readonly remedy: string
}

export interface RunOptions {
  readonly folder: string
  /** Null: this process's own. */
  readonly environment: Readonly<Record<string, string>> | null
}

/**
 * @returns what it wrote on standard output
 * @throws BoxError `release.unbuilt` with how to get a program that is not there, or with its last words
 */
export async function runProgram(
  { name, remedy }: Program,
  words: readonly string[],
  { folder, environment }: RunOptions,
): Promise<string> {
  const env = environment === null ? {} : { env: environment }
  const limits = { maxBuffer: OUTPUT_BYTES_MAX, timeout: RUN_MS_MAX }
  return await new Promise((resolve, reject) => {
    execFile(name, words, { cwd: folder, ...env, ...limits }, (cause, stdout, stderr) => {
      if (cause === null) resolve(stdout)
      else if (cause.code === 'ENOENT')
        reject(new BoxError('release.unbuilt', `${name} is not installed: ${remedy}`, { cause }))
      else reject(failed(name, cause, stderr))
    })
  })
}

function failed(name: string, cause: Error, stderr: string): BoxError {
  const last = stderr.trim().split('\n').slice(-WORDS_LINES_MAX).join('\n')
  const words = last === '' ? messageOf(cause) : last
  return new BoxError('release.unbuilt', `${name} failed: ${words}`, { cause })
}
