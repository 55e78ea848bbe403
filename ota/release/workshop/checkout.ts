/** The checkout that a release is made from: its commit, its version, and whether what is installed is what it asks for. */
import { join } from 'node:path'
import { BoxError } from '../../../runtime/core/errors.js'
import { check, object, string } from '../../../runtime/core/schema.js'
import { type Architecture, releaseVersion } from '../description.js'
import { type Lock, type LockedPackage, readLock } from '../packages.js'
import { readIfThere, readJson } from './folder.js'
import { type Program, runProgram } from './programs.js'

const GIT: Program = { name: 'git', remedy: 'sudo apt-get install git' }
const NAMED_MAX = 10

const ownPackage = object({ name: string({ max: 214 }), version: releaseVersion }).loose()
const anyPackage = object({ version: string({ max: 256 }) }).loose()

export interface Checkout {
  readonly folder: string
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** Seconds since 1970, of the commit: the only date that a release knows. */
  readonly sourceEpoch: number
  readonly isDirty: boolean
  readonly version: string
  readonly lock: Lock
}

/**
 * @param folder the top of the checkout
 * @throws BoxError `release.unbuilt` when it is none, or has changes that are not committed and `isDirtyAllowed` is false
 */
export async function readCheckout(
  folder: string,
  architecture: Architecture,
  isDirtyAllowed: boolean,
): Promise<Checkout> {
  const { name, version } = await readOwnPackage(folder)
  if (name !== 'roadcase')
    throw new BoxError('release.unbuilt', `${folder} is a checkout of ${name}, not of roadcase`)
  const git = (...words: string[]): Promise<string> =>
    runProgram(GIT, words, { folder, environment: null })
  const head = await git('show', '--no-patch', '--format=%H %ct', 'HEAD')
  const [, commit = '', seconds = ''] = /([0-9a-f]{40,64}) (\d+)\s*$/.exec(head) ?? []
  const changed = (await git('status', '--porcelain', '--', '.'))
    .split('\n')
    .filter(line => line !== '')
  if (changed.length > 0 && !isDirtyAllowed)
    throw new BoxError(
      'release.unbuilt',
      `the checkout has changes that are not committed (or build with --allow-dirty):\n${changed.slice(0, NAMED_MAX).join('\n')}`,
    )
  const lock = readLock(await readJson(join(folder, 'package-lock.json')), architecture)
  const isDirty = changed.length > 0
  return { folder, commit, sourceEpoch: Number(seconds), isDirty, version, lock }
}

async function readOwnPackage(folder: string): Promise<{ name: string; version: string }> {
  if ((await readIfThere(join(folder, 'package.json'))) === null)
    throw new BoxError('release.unbuilt', `${folder} is not a checkout: it has no package.json`)
  return check(ownPackage, await readJson(join(folder, 'package.json')), 'package')
}

/**
 * What somebody installed by hand would go into the release unseen.
 * @returns those that are not installed at all
 * @throws BoxError `release.unbuilt` naming those of another version than package-lock.json says
 */
export async function missingOf(
  checkout: Checkout,
  packages: readonly LockedPackage[],
): Promise<LockedPackage[]> {
  const missing: LockedPackage[] = []
  const wrong: string[] = []
  for (const locked of packages) {
    const file = join(checkout.folder, locked.path, 'package.json')
    if ((await readIfThere(file)) === null) missing.push(locked)
    else {
      const { version } = check(anyPackage, await readJson(file), locked.path)
      if (version !== locked.version)
        wrong.push(`${locked.path} is ${version}, not ${locked.version}`)
    }
  }
  if (wrong.length > 0)
    throw new BoxError(
      'release.unbuilt',
      `what is installed is not what package-lock.json says; run "npm ci":\n${wrong.slice(0, NAMED_MAX).join('\n')}`,
    )
  return missing
}
