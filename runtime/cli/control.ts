/**
 * How the command line finds the box: at start the box writes `control.json` into its state folder, readable by its
 * owner only, with the address of its page and the operator token.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
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

/** @throws CliFailure that says how to start a box, or how to name its folder */
export async function readControl(stateFolder: string): Promise<Control> {
  const file = join(stateFolder, CONTROL_FILE)
  try {
    return check(controlSchema, JSON.parse(await readFile(file, 'utf8')), CONTROL_FILE)
  } catch (cause) {
    const why = isCode(cause, 'ENOENT') ? 'it is not there' : messageOf(cause)
    throw new CliFailure(
      exitCodes.unreachable,
      `no running box is known by ${file}: ${why}. Start one with "roadcase run", or name its folder with --state DIR`,
      { cause },
    )
  }
}

export const isCode = (thrown: unknown, code: string): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === code
