/** What the updater finds on the disk when it starts: who it is, whom it believes, and from which slot it runs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../runtime/core/errors.js'
import { check, integer, type Of, object, optional, string } from '../../runtime/core/schema.js'
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
 * So it does with an `ota.json` that is wrong, which is no fault of the release that reads it.
 */
export async function readSettings(home: string): Promise<Settings> {
  const [text, root] = await Promise.all([
    readOrNot(join(home, 'ota.json')),
    readOrNot(join(home, 'root.json')),
  ])
  const { config, problem } = configOf(text)
  const missing = [
    text === null ? `${join(home, 'ota.json')} is not there: no tour is named` : null,
    problem,
    root === null ? `${join(home, 'root.json')} is not there: nobody is believed` : null,
  ].filter(part => part !== null)
  return { config, root, lacking: missing.length === 0 ? null : missing.join('; ') }
}

/** What `readSettings` reads, as it is now; a file that cannot be read is as none. */
export async function settingsText(home: string): Promise<string> {
  const files = ['ota.json', 'root.json'].map(name => readFile(join(home, name), 'utf8'))
  return (await Promise.all(files.map(file => file.catch(() => '')))).join('\0')
}

function configOf(text: Uint8Array | null): { config: UpdaterConfig; problem: string | null } {
  try {
    return { config: checkUpdaterConfig(text === null ? nobody : jsonOf(text)), problem: null }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { config: checkUpdaterConfig(nobody), problem: error.message }
  }
}

const stateFormats = object({
  config: integer({ min: 0, max: 1e6 }),
  store: integer({ min: 0, max: 1e6 }),
}).loose()

const release = object({
  version: string({ max: 64 }),
  architecture: string({ max: 16 }),
  sourceEpoch: integer({ min: 0, max: 1e11 }),
  /** That it writes. */
  formats: stateFormats,
  /** The newest that it reads; those that it writes, where it does not say. */
  reads: optional(stateFormats),
}).loose()

type OwnRelease = Of<typeof release>

/** What the running release says of itself; null in a checkout. */
export async function readOwnRelease(folder: string): Promise<OwnRelease | null> {
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
