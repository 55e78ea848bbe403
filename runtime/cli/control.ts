/**
 * How the command line finds the box: at start the box writes `control.json` into its state folder, readable by its
 * owner only, with the address of its page and the operator token.
 */
import { createHash } from 'node:crypto'
import { constants, existsSync, realpathSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { messageOf } from '../core/errors.js'
import {
  check,
  integer,
  nullable,
  type Of,
  object,
  pattern,
  string,
  withDefault,
} from '../core/schema.js'
import { CliFailure, exitCodes } from './failure.js'

export const CONTROL_FILE = 'control.json'

export const controlSchema = object({
  url: pattern(/^http:\/\/127\.0\.0\.1:\d{1,5}$/, 'an address like http://127.0.0.1:8080'),
  token: string({ min: 1, max: 512 }),
  /** Of the broker on this machine; null when the broker is somebody else's. */
  mqttPort: withDefault(nullable(integer({ min: 0, max: 65_535 })), null),
})

export type Control = Of<typeof controlSchema>

/**
 * Where the box writes it while its card takes no writes: into the machine's memory, which the next boot finds empty.
 * Named after the state folder, of which a machine may have several.
 */
export function controlFileInMemory(stateFolder: string): string {
  const name = createHash('sha256').update(realPath(stateFolder)).digest('hex').slice(0, 16)
  return `/dev/shm/roadcase-${name}.json`
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    // It is not there: nothing of it is in the memory either.
    return resolve(folder)
  }
}

/** @throws CliFailure that says how to start a box, or how to name its folder */
export async function readControl(stateFolder: string): Promise<Control> {
  const file = join(stateFolder, CONTROL_FILE)
  try {
    const text = (await textInMemory(stateFolder)) ?? (await readFile(file, 'utf8'))
    return check(controlSchema, JSON.parse(text), CONTROL_FILE)
  } catch (cause) {
    const why = isCode(cause, 'ENOENT') ? 'it is not there' : messageOf(cause)
    throw new CliFailure(
      exitCodes.unreachable,
      `no running box is known by ${file}: ${why}. ${howToStart(stateFolder)}, or name its folder with --state DIR`,
      { cause },
    )
  }
}

/** Beside a launcher nobody is to start a second box. */
export const howToStart = (stateFolder: string): string =>
  existsSync(join(stateFolder, '..', 'slots'))
    ? 'If this is the box, the launcher starts it, and its log says why it does not come up'
    : 'Start one with "roadcase run"'

/** Null when there is none, or somebody else has made it: anybody may write there. */
async function textInMemory(stateFolder: string): Promise<string | null> {
  try {
    // Without O_NONBLOCK, a named pipe of somebody else would be waited at for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const file = await open(controlFileInMemory(stateFolder), flags)
    try {
      const [found, owner] = await Promise.all([file.stat(), stat(stateFolder)])
      const isOwn = found.isFile() && found.uid === owner.uid
      return isOwn ? await file.readFile('utf8') : null
    } finally {
      await file.close()
    }
  } catch {
    return null
  }
}

export const isCode = (thrown: unknown, code: string): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === code
