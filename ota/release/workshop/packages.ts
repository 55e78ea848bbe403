/** The packages of a release: what of them goes on a box, and their licences. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError } from '../../../runtime/core/errors.js'
import type { Architecture } from '../description.js'
import type { Licensed } from '../licences.js'
import type { LockedPackage } from '../packages.js'
import { isKept, isLicence } from '../prune.js'
import type { Tree } from '../tree.js'
import { type Checkout, missingOf } from './checkout.js'
import { type Addon, addons } from './compile.js'
import { fetchPackage } from './fetch-package.js'
import { filesOf } from './folder.js'

/** Where each package lies on this machine. */
export type Places = ReadonlyMap<LockedPackage, string>

/**
 * Those for another machine are fetched.
 * @param scratch for what is fetched
 * @throws BoxError `release.unbuilt`
 */
export async function placesOf(
  checkout: Checkout,
  packages: readonly LockedPackage[],
  scratch: string,
): Promise<Places> {
  const missing = await missingOf(checkout, packages)
  const places = new Map(packages.map(one => [one, join(checkout.folder, one.path)]))
  for (const [index, locked] of missing.entries())
    places.set(locked, await fetchPackage(locked, join(scratch, String(index))))
  return places
}

/** @param compiled machine code by the names of its packages */
export async function addPackages(
  tree: Tree,
  places: Places,
  compiled: ReadonlyMap<string, Uint8Array>,
  architecture: Architecture,
): Promise<void> {
  for (const [{ name, path }, folder] of places) {
    for (const file of await ownFiles(folder))
      if (isKept(name, file, architecture))
        tree.set(`${path}/${file}`, { mode: '644', bytes: await readFile(join(folder, file)) })
    for (const addon of addons) if (addon.name === name) addCompiled(tree, path, addon, compiled)
  }
}

function addCompiled(
  tree: Tree,
  path: string,
  { name, output }: Addon,
  compiled: ReadonlyMap<string, Uint8Array>,
): void {
  const bytes = compiled.get(name)
  if (bytes === undefined) throw new BoxError('release.unbuilt', `${name} was not compiled`)
  tree.set(`${path}/${output}`, { mode: '644', bytes })
}

/** What npm installed inside of another package is a package of its own. */
const ownFiles = (folder: string): Promise<string[]> =>
  filesOf(folder, path => !/(^|\/)node_modules$/.test(path))

export async function licensedOf(places: Places): Promise<Licensed[]> {
  const all: Licensed[] = []
  for (const [{ name, version, licence }, folder] of places) {
    const files = (await filesOf(folder, () => false)).filter(isLicence)
    const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')))
    all.push({ name, version, licence, texts })
  }
  return all
}
