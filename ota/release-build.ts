/**
 * `roadcase release build`: makes the tree that lies in a slot of a box from a checkout. The same commit gives the same
 * bytes, whoever builds it and wherever: nothing of this machine, its clock or its folders gets in.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LinuxKeys } from '../drivers/linux/keys.js'
import { migrations, writtenVersion } from '../drivers/linux/sqlite-records.js'
import { schemaVersion } from '../runtime/config.js'
import { BoxError } from '../runtime/core/errors.js'
import { APART, bundleProgram } from './release/bundler.js'
import type { Architecture } from './release/description.js'
import { NODE_FILE } from './release/launch.js'
import { MANIFEST_FILE } from './release/manifest.js'
import type { TransferObject } from './release/objects.js'
import { packagesOf, withNeeds } from './release/packages.js'
import { FOR_COMPILING } from './release/prune.js'
import { checkMachineCode, checkNoFolder, manifestOf, type Tree } from './release/tree.js'
import { assembleTree } from './release/workshop/assemble.js'
import { type Checkout, readCheckout } from './release/workshop/checkout.js'
import { compileAddons } from './release/workshop/compile.js'
import { writeTree } from './release/workshop/folder.js'
import { readNode } from './release/workshop/node.js'
import { placesOf } from './release/workshop/packages.js'
import { checkWish, DESCRIPTION, makeObjects, type ObjectsWish } from './release-objects.js'

const TREE = 'tree'
const OBJECTS = 'objects'
const HALF = '.release-'
/** Without these no box can run it from a slot. */
const NEEDED = ['program/main.js', 'program/updater.js', 'program/apply.js', 'launcher.mjs']

export interface ReleaseBuildOptions {
  /** The folder of package.json, with its packages installed. */
  readonly checkout: string
  /** Made when it is not there; the release is written to `tree` in it. */
  readonly into: string
  readonly architecture: Architecture
  /** The Node to bring; null: the box has the version that runs here. */
  readonly nodeFile: string | null
  readonly isDirtyAllowed: boolean
  /** What is published of it, too; null: the tree alone. */
  readonly objects: ObjectsWish | null
}

export interface BuiltRelease {
  /** SHA-256 of the manifest, which is what the release is. */
  readonly digest: string
  readonly version: string
  readonly architecture: Architecture
  readonly commit: string
  readonly isDirty: boolean
  /** What the native packages are compiled for. */
  readonly nodeVersion: string
  readonly isNodeIncluded: boolean
  /** Of the files that the manifest lists. */
  readonly fileCount: number
  readonly byteCount: number
  readonly folder: string
  /** What travels, the largest first; none: the tree alone was made. */
  readonly objects: readonly TransferObject[]
  /** Files that the checkout has no source of yet: boxes cannot update themselves to this release. */
  readonly lacking: readonly string[]
}

/**
 * @param say told what is being done, a few words at a time
 * @throws BoxError `release.unbuilt` with what to do, `release.invalid` for what no box could run
 */
export async function buildRelease(
  options: ReleaseBuildOptions,
  say: (what: string) => void,
): Promise<BuiltRelease> {
  const { architecture, into } = options
  await checkFree(into)
  const checkout = await readCheckout(
    await realpath(options.checkout),
    architecture,
    options.isDirtyAllowed,
  )
  const wish = options.objects
  const bases = wish === null ? [] : await checkWish({ ...checkout, architecture }, wish)
  const node = await readNode(options.nodeFile, architecture)
  say(`roadcase ${checkout.version} of ${checkout.commit.slice(0, 12)} for ${architecture}`)
  const scratch = await mkdtemp(join(await realpath(tmpdir()), 'roadcase-release-'))
  try {
    const { tree, lacking } = await makeTree({ checkout, architecture, node, scratch }, say)
    // Node was looked over when it was read, and is ten times the rest.
    const made = new Map([...tree].filter(([path]) => path !== NODE_FILE))
    checkMachineCode(made, architecture)
    checkNoFolder(made, [checkout.folder, scratch])
    const keys = new LinuxKeys()
    const manifest = manifestOf(tree, bytes => keys.sha256Hex(bytes))
    say(`writing ${tree.size} files`)
    const release = { version: checkout.version, architecture }
    const objects = await writeWhole(into, { tree, manifest }, half =>
      wish === null ? [] : makeObjects(half, release, { bases, wish }, say),
    )
    return {
      digest: keys.sha256Hex(manifest),
      version: checkout.version,
      architecture,
      commit: checkout.commit,
      isDirty: checkout.isDirty,
      nodeVersion: node.headers.version,
      isNodeIncluded: node.included !== null,
      fileCount: tree.size,
      byteCount: [...tree.values()].reduce((sum, { bytes }) => sum + bytes.length, 0),
      folder: join(into, TREE),
      objects,
      lacking,
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

interface Making {
  readonly checkout: Checkout
  readonly architecture: Architecture
  readonly node: Awaited<ReturnType<typeof readNode>>
  readonly scratch: string
}

async function makeTree(
  { checkout, architecture, node, scratch }: Making,
  say: (what: string) => void,
): Promise<{ tree: Tree; lacking: string[] }> {
  const { folder, lock, sourceEpoch } = checkout
  say('putting the program together')
  const bundle = await bundleProgram(folder)
  const made = new Set(bundle.program.map(({ name }) => `program/${name}`))
  if (bundle.launcher !== null) made.add(bundle.launcher.name)
  const lacking = NEEDED.filter(path => !made.has(path))
  // A checkout from before the updater may be built, though no box can run it from a slot.
  if (bundle.hasUpdater && lacking.length > 0)
    throw new BoxError('release.invalid', `the release would be without ${lacking.join()}`)
  const apart = withNeeds(lock, APART, name => FOR_COMPILING.has(name))
  const bundled = packagesOf(lock, bundle.inputs)
  say(`collecting ${apart.length} packages`)
  const all = [...new Set([...apart, ...bundled])]
  const places = await placesOf(checkout, all, join(scratch, 'fetched'))
  say(`compiling for Node ${node.headers.version}`)
  const compiled = await compileAddons({
    checkout: folder,
    headers: node.headers,
    architecture,
    sourceEpoch,
    scratch,
  })
  const formats = {
    formats: { config: schemaVersion, store: writtenVersion },
    reads: { config: schemaVersion, store: migrations.length },
  }
  const parts = { checkout, architecture, bundle, node, compiled, apart, bundled, places, formats }
  const keys = new LinuxKeys()
  const tree = await assembleTree(parts, bytes => keys.sha256Hex(bytes))
  return { tree, lacking }
}

/** Nothing that is there is overwritten, or strewn among other things. */
async function checkFree(into: string): Promise<void> {
  const there = [join(TREE, MANIFEST_FILE), OBJECTS, DESCRIPTION]
  if (there.some(name => existsSync(join(into, name))))
    throw new BoxError(
      'release.unbuilt',
      `there is a release in ${into} already: name another folder`,
    )
  // What a build that was killed has left is no release, and in nobody's way.
  const others = existsSync(into)
    ? (await readdir(into)).filter(name => !name.startsWith(HALF))
    : []
  if (others.length > 0)
    throw new BoxError('release.unbuilt', `${into} has other things in it: name a new folder`)
}

/**
 * Whoever finds `tree` finds all of it, and all that was made of it.
 * @param complete makes the rest in the folder that it is told, with the tree in it
 */
async function writeWhole<T>(
  into: string,
  { tree, manifest }: { tree: Tree; manifest: Uint8Array },
  complete: (half: string) => T | Promise<T>,
): Promise<T> {
  await mkdir(into, { recursive: true })
  const half = await mkdtemp(join(into, HALF))
  const folder = join(half, TREE)
  try {
    await mkdir(folder)
    await writeTree(folder, tree)
    await writeFile(join(folder, MANIFEST_FILE), manifest, { mode: 0o644 })
    await chmod(folder, 0o755)
    const made = await complete(half)
    for (const name of [OBJECTS, DESCRIPTION, TREE])
      if (existsSync(join(half, name))) await rename(join(half, name), join(into, name))
    return made
  } finally {
    await rm(half, { recursive: true, force: true })
  }
}
