/** Which packages a release carries, as package-lock.json (lockfileVersion 3) says. */
import { BoxError } from '../../runtime/core/errors.js'
import {
  boolean,
  check,
  list,
  literal,
  type Of,
  object,
  optional,
  string,
  table,
  unknown,
} from '../../runtime/core/schema.js'
import type { Architecture } from './description.js'

const words = optional(list(string({ max: 64 }), { max: 32 }))
const versions = optional(table(string({ max: 214 }), string({ max: 256 }), { max: 1000 }))

const lockedPackage = object({
  name: optional(string({ max: 214 })),
  version: optional(string({ max: 256 })),
  integrity: optional(string({ max: 512 })),
  license: optional(unknown),
  dev: optional(boolean),
  os: words,
  cpu: words,
  libc: words,
  dependencies: versions,
  optionalDependencies: versions,
}).loose()

const lockFile = object({
  lockfileVersion: literal(3),
  packages: table(string({ max: 1024 }), lockedPackage, { max: 10_000 }),
}).loose()

export interface LockedPackage {
  /** Its folder below the checkout: `node_modules/onoff`. */
  readonly path: string
  readonly name: string
  readonly version: string
  /** Subresource Integrity of its tarball: `sha512-` and base64. */
  readonly integrity: string
  /** As the package says, an SPDX expression when it is well-behaved; null: it says nothing. */
  readonly licence: string | null
  /** Folders of the packages that it needs and that are installed on the target, sorted. */
  readonly needs: readonly string[]
}

export type Lock = ReadonlyMap<string, LockedPackage>

/**
 * All packages that may be on a box of this architecture; those for other machines are left out.
 * @param value package-lock.json, parsed
 * @throws ConfigError when it is no lock file of npm 7 or later
 */
export function readLock(value: unknown, architecture: Architecture): Lock {
  const { packages } = check(lockFile, value, 'package-lock')
  const target = { os: 'linux', cpu: architecture, libc: 'glibc' } as const
  const here = new Map(
    Object.entries(packages).filter(
      ([path, entry]) => path !== '' && entry.dev !== true && suits(entry, target),
    ),
  )
  const lock = new Map<string, LockedPackage>()
  for (const [path, entry] of here) {
    const { version = '', integrity = '', license } = entry
    const needs = Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .map(name => placeOf(here, path, name))
      .filter(place => place !== null)
      .sort()
    const licence = typeof license === 'string' ? license : null
    lock.set(path, {
      path,
      name: entry.name ?? nameOf(path),
      version,
      integrity,
      licence,
      needs: [...new Set(needs)],
    })
  }
  return lock
}

/**
 * The packages of these names with all that they need, sorted by their folders.
 * @param isLeft packages that are only needed to compile others
 * @throws BoxError `release.unbuilt` for a name that the lock file does not know
 */
export function withNeeds(
  lock: Lock,
  names: readonly string[],
  isLeft: (name: string) => boolean,
): LockedPackage[] {
  const found = new Map<string, LockedPackage>()
  const waiting = names.map(name => `node_modules/${name}`)
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const locked = lock.get(path)
    if (locked === undefined) throw unlocked(path)
    if (found.has(path) || isLeft(locked.name)) continue
    found.set(path, locked)
    waiting.push(...locked.needs)
  }
  return sortedByPath([...found.values()])
}

/** The packages that these files belong to, sorted by their folders. */
export function packagesOf(lock: Lock, files: readonly string[]): LockedPackage[] {
  const found = new Map<string, LockedPackage>()
  for (const file of files) {
    const [folder] =
      /node_modules\/.*node_modules\/(@[^/]+\/)?[^/]+|node_modules\/(@[^/]+\/)?[^/]+/.exec(file) ??
      []
    const locked = folder === undefined ? undefined : lock.get(folder)
    if (locked !== undefined) found.set(locked.path, locked)
    else if (folder !== undefined) throw unlocked(folder)
  }
  return sortedByPath([...found.values()])
}

interface Target {
  readonly os: string
  readonly cpu: string
  readonly libc: string
}

function suits(entry: Partial<Of<typeof lockedPackage>>, target: Target): boolean {
  return (
    isAllowed(entry.os, target.os) &&
    isAllowed(entry.cpu, target.cpu) &&
    isAllowed(entry.libc, target.libc)
  )
}

/** npm's rule: one of the names, or none of those with an exclamation mark. */
function isAllowed(allowed: readonly string[] | undefined, name: string): boolean {
  if (allowed === undefined || allowed.length === 0) return true
  if (allowed.includes(`!${name}`)) return false
  return allowed.includes(name) || allowed.every(one => one.startsWith('!'))
}

/** Where Node finds a package that is asked for from another: beside it or above. Null: it is not installed here. */
function placeOf(here: ReadonlyMap<string, unknown>, from: string, name: string): string | null {
  for (let folder = from; ; ) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (here.has(place)) return place
    if (folder === '') return null
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 13)

const sortedByPath = (packages: readonly LockedPackage[]): LockedPackage[] =>
  [...packages].sort((one, other) => (one.path < other.path ? -1 : 1))

const unlocked = (path: string): BoxError =>
  new BoxError(
    'release.unbuilt',
    `package-lock.json does not know ${path}: "npm ci" installs what it knows`,
  )
