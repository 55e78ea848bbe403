/** What the updater finds on the disk when it starts: who it is, whom it believes, and from which slot it runs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../runtime/core/errors.js'
import { check, integer, object, string } from '../../runtime/core/schema.js'
import { checkUpdaterConfig, type UpdaterConfig } from '../updater/updater-config.js'

export interface Settings {
  readonly config: UpdaterConfig
  /** Null: nobody is believed. */
  readonly root: Uint8Array | null
  /** What is missing, for people; null when all is there. */
  readonly lacking: string | null
}

const nobody = { schemaVersion: 1, tour: 'none', box: 'none', sticks: [] }

/**
 * A box without `ota.json` or `root.json` runs all the same: it only takes no release.
 * @throws ConfigError for an `ota.json` that is wrong
 */
export async function readSettings(home: string): Promise<Settings> {
  const [text, root] = await Promise.all([
    readOrNot(join(home, 'ota.json')),
    readOrNot(join(home, 'root.json')),
  ])
  const config = checkUpdaterConfig(text === null ? nobody : jsonOf(text))
  const missing = [
    text === null ? `${join(home, 'ota.json')} names no tour` : null,
    root === null ? `${join(home, 'root.json')} names nobody to believe` : null,
  ].filter(part => part !== null)
  return { config, root, lacking: missing.length === 0 ? null : missing.join('; ') }
}

const release = object({
  version: string({ max: 64 }),
  architecture: string({ max: 16 }),
  sourceEpoch: integer({ min: 0, max: 1e11 }),
}).loose()

/** What the running release says of itself; null in a checkout. */
export async function readOwnRelease(
  folder: string,
): Promise<{ version: string; architecture: string; sourceEpoch: number } | null> {
  const bytes = await readOrNot(join(folder, 'release.json'))
  return bytes === null ? null : check(release, jsonOf(bytes), 'release')
}

async function readOrNot(path: string): Promise<Uint8Array | null> {
  try {
    return Uint8Array.from(await readFile(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new ConfigError([{ path: 'ota', message: `is not JSON: ${cause}`, place: null }])
  }
}
