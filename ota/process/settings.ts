/** What the updater finds on the disk when it starts: who it is, whom it believes, and from which slot it runs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, messageOf, type Problem } from '../../runtime/core/errors.js'
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
 * So it does with files that are wrong or cannot be read, which is no fault of the release that reads them.
 */
export async function readSettings(home: string): Promise<Settings> {
  const [own, root] = await Promise.all([
    lookedFor(join(home, 'ota.json'), 'no tour is named'),
    lookedFor(join(home, 'root.json'), 'nobody is believed'),
  ])
  const { config, problem } = await configOf(join(home, 'ota.json'), own.bytes)
  const missing = [own.problem, problem, root.problem].filter(part => part !== null)
  return { config, root: root.bytes, lacking: missing.length === 0 ? null : missing.join('; ') }
}

interface LookedFor {
  readonly bytes: Uint8Array | null
  /** Why there are none, for people. */
  readonly problem: string | null
}

async function lookedFor(path: string, otherwise: string): Promise<LookedFor> {
  try {
    const bytes = await readOrNot(path)
    return { bytes, problem: bytes === null ? `${path} is not there: ${otherwise}` : null }
  } catch (error) {
    return { bytes: null, problem: `${path} cannot be read: ${messageOf(error)}` }
  }
}

/** What `readSettings` reads, as it is now; a file that cannot be read is as none. */
export async function settingsText(home: string): Promise<string> {
  const files = ['ota.json', 'root.json'].map(name => readFile(join(home, name), 'utf8'))
  return (await Promise.all(files.map(file => file.catch(() => '')))).join('\0')
}

async function configOf(
  path: string,
  bytes: Uint8Array | null,
): Promise<{ config: UpdaterConfig; problem: string | null }> {
  if (bytes === null) return { config: checkUpdaterConfig(nobody), problem: null }
  try {
    return { config: await readUpdaterConfig(new TextDecoder().decode(bytes)), problem: null }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { config: checkUpdaterConfig(nobody), problem: problemsText(path, error.problems) }
  }
}

/** An answer to `roadcase ota` holds no hundred of them. */
const PROBLEMS_TOLD_MAX = 5

/** As `roadcase check` tells them: file, line and column of each. */
function problemsText(file: string, problems: readonly Problem[]): string {
  const told = problems.slice(0, PROBLEMS_TOLD_MAX).map(({ path, message, place }) => {
    const where = place === null ? '' : `${place.line}:${place.column}:`
    return `${file}:${where} ${path}: ${message}`
  })
  const more = problems.length - told.length
  return [...told, ...(more > 0 ? [`${more} more: "roadcase check ${file}"`] : [])].join('; ')
}

/** @throws ConfigError with every problem and its place */
async function readUpdaterConfig(text: string): Promise<UpdaterConfig> {
  try {
    return checkUpdaterConfig(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof SyntaxError)) throw error
    // What knows places is large, and an updater whose file is right does without.
    const { readDocument } = await import('../../runtime/core/document.js')
    const { value, locate } = readDocument(text, 'ota', 'config.invalid')
    return checkUpdaterConfig(value, locate)
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
    throw new ConfigError([{ path: 'release', message: `is not JSON: ${cause}`, place: null }])
  }
}
