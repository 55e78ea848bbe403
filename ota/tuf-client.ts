/**
 * The client as a program that other people's test suites can drive: the command line of tuf-conformance
 * (`init`, `refresh`, `download`; exit status 0 or 1). It believes the clock of the machine.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { LinuxFiles } from '../drivers/linux/files.js'
import { HttpSource } from '../drivers/linux/http-source.js'
import { LinuxVerifier } from '../drivers/linux/verifier.js'
import { messageOf } from '../runtime/core/errors.js'
import type { Files } from '../runtime/ports/files.js'
import type { Facts, Log } from '../runtime/ports/log.js'
import type { ReleaseSource } from '../runtime/ports/release-source.js'
import { encodeStep } from './tuf/paths.js'
import { requireContent } from './tuf/signatures.js'
import { type FoundTarget, TrustClient } from './tuf/trust-client.js'

/** Where `init` keeps what a box would have in its program. */
const PROVISIONED = 'provisioned-root'
const TARGET_BYTES_MAX = 16 * 1024 * 1024
const PATIENCE = { silenceMsMax: 20_000, wholeMsMax: 300_000 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'metadata-dir': { type: 'string' },
    'metadata-url': { type: 'string' },
    'target-name': { type: 'string', multiple: true },
    'target-base-url': { type: 'string' },
    'target-dir': { type: 'string' },
    verbose: { type: 'boolean', short: 'v', multiple: true },
  },
})
const [command, trustedRoot] = positionals
const verifier = new LinuxVerifier()
const log: Log = {
  info: (event, facts) => say(event, facts),
  warn: (event, facts) => say(event, facts),
  error: (event, facts) => say(event, facts),
}

try {
  await run(new LinuxFiles(needed('metadata-dir')))
} catch (error) {
  say(messageOf(error))
  process.exitCode = 1
}

async function run(files: Files): Promise<void> {
  if (command === 'init') return init(files)
  if (command !== 'refresh' && command !== 'download')
    throw new Error('expected one of: init TRUSTED_ROOT, refresh, download')
  const client = await begun(files)
  const outcome = await client.refresh()
  say('refreshed', outcome)
  if (outcome.kind !== 'believed') throw new Error(`not refreshed: ${outcome.kind}`)
  if (command === 'download')
    for (const path of values['target-name'] ?? []) await download(client, path)
}

async function init(files: Files): Promise<void> {
  if (trustedRoot === undefined) throw new Error('init wants the file of a trusted root')
  const bytes = await readFile(trustedRoot)
  await files.replace(PROVISIONED, bytes)
  // Checks it, and takes it up as the root that is believed.
  await begun(files)
}

async function begun(files: Files): Promise<TrustClient> {
  const provisionedRoot = await files.read(PROVISIONED)
  if (provisionedRoot === null) throw new Error('init comes first')
  const clock = new LinuxClock(ownAnchor())
  const client = new TrustClient(
    { source: source(), files, clock, verifier, log },
    { buildMs: 0, provisionedRoot, keepsTime: () => true, isClockFree: true },
  )
  await client.begin()
  return client
}

/** Metadata and targets may lie on two servers. */
function source(): ReleaseSource {
  return {
    fetch: (path, byteCountMax) => {
      const [folder = '', ...steps] = path.split('/')
      const base = needed(folder === 'metadata' ? 'metadata-url' : 'target-base-url')
      return new HttpSource(base, PATIENCE).fetch(steps.join('/'), byteCountMax)
    },
  }
}

async function download(client: TrustClient, path: string): Promise<void> {
  const finding = await client.find(path)
  if (finding.kind !== 'found') throw new Error(`${path}: ${finding.kind}`)
  const files = new LinuxFiles(needed('target-dir'))
  const name = encodeStep(path)
  const kept = await files.read(name)
  if (kept !== null && isContent(kept, finding.target)) return say('kept', { path })
  const answer = await client.read(finding.target, TARGET_BYTES_MAX)
  if (answer.kind !== 'read') throw new Error(`${path}: ${answer.message}`)
  await files.replace(name, answer.bytes)
  say('downloaded', { path })
}

function isContent(bytes: Uint8Array, target: FoundTarget): boolean {
  try {
    requireContent(bytes, target, { role: target.path, verifier })
    return true
  } catch {
    // An older content of the same name.
    return false
  }
}

function needed(
  option: 'metadata-dir' | 'metadata-url' | 'target-base-url' | 'target-dir',
): string {
  const value = values[option]
  if (value === undefined) throw new Error(`--${option} is missing`)
  return value
}

function say(event: string, facts: Facts | object = {}): void {
  process.stderr.write(`${event} ${JSON.stringify(facts)}\n`)
}
