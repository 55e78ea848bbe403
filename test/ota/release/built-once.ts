/**
 * One release of what is in the tree now, for this machine, for all tests that start boxes from one: building takes as
 * long as some of them. Files that the suite runs side by side build it once; a file that runs by itself builds its own.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltRelease, buildRelease } from '../../../ota/release-build.js'
import { makeCheckout } from './checkouts.js'

/** Far more than a build takes on a machine that is busy. */
const WAIT_MS_MAX = 120_000
const LOOK_MS = 100

/** The folder where `tree` is; it is read, and copied, by several at once. */
export interface SharedRelease {
  readonly folder: string
  readonly built: BuiltRelease
}

/** @throws Error with what went wrong with the build, whichever process has tried it */
export async function releaseBuiltOnce(): Promise<SharedRelease> {
  const shared = process.env['ROADCASE_SUITE']
  if (shared !== undefined) return isFirst(shared) ? await build(shared) : await awaitBuilt(shared)
  const own = mkdtempSync(join(tmpdir(), 'roadcase-built-'))
  process.once('exit', () => rmSync(own, { recursive: true, force: true }))
  return await build(own)
}

function isFirst(shared: string): boolean {
  try {
    mkdirSync(join(shared, 'claim'))
    return true
  } catch {
    // Somebody else has begun.
    return false
  }
}

async function build(shared: string): Promise<SharedRelease> {
  const folder = join(shared, 'release')
  const checkout = join(shared, 'checkout')
  try {
    makeCheckout(checkout)
    const built = await buildRelease(
      {
        ...{ checkout, into: folder, nodeFile: null, isDirtyAllowed: false, objects: null },
        architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
      },
      () => undefined,
    )
    // It has to do without the checkout, wherever it is started.
    rmSync(checkout, { recursive: true })
    tell(shared, { built })
    return { folder, built }
  } catch (error) {
    tell(shared, { problem: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

/** Whole, or not there. */
function tell(shared: string, outcome: object): void {
  writeFileSync(join(shared, 'outcome.new'), JSON.stringify(outcome))
  renameSync(join(shared, 'outcome.new'), join(shared, 'outcome'))
}

async function awaitBuilt(shared: string): Promise<SharedRelease> {
  const deadline = Date.now() + WAIT_MS_MAX
  while (!existsSync(join(shared, 'outcome'))) {
    if (Date.now() > deadline) throw new Error('whoever builds the release does not come to an end')
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
  const { built, problem } = JSON.parse(readFileSync(join(shared, 'outcome'), 'utf8'))
  if (problem !== undefined) throw new Error(`the release cannot be built: ${problem}`)
  return { folder: join(shared, 'release'), built }
}
