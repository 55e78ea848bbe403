/** Puts a release together: program, packages, what is read while it runs, and what it says of itself. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bundle } from '../bundler.js'
import type { Architecture } from '../description.js'
import {
  json,
  launchJson,
  NODE_FILE,
  packageJson,
  type ReleaseFacts,
  releaseJson,
} from '../launch.js'
import { licencesText } from '../licences.js'
import { momentText } from '../moments.js'
import type { LockedPackage } from '../packages.js'
import { sbomOf } from '../sbom.js'
import { type Tree, textFile } from '../tree.js'
import type { Checkout } from './checkout.js'
import type { Compiled } from './compile.js'
import { filesOf } from './folder.js'
import type { TargetNode } from './node.js'
import { addPackages, licensedOf, type Places } from './packages.js'

/** Folders of the checkout that the program reads while it runs, from the same places. */
const READ_AT_RUN_TIME = [
  'docs/examples/first-night',
  'runtime/gateways/page/assets',
  'runtime/services/printing/templates',
]
/** It can be run as it is. */
const COMMAND = 'roadcase.js'

export interface Parts {
  readonly checkout: Checkout
  readonly architecture: Architecture
  readonly bundle: Bundle
  readonly node: TargetNode
  readonly compiled: Compiled
  /** Packages that lie in folders of their own, and those whose code is part of the program. */
  readonly apart: readonly LockedPackage[]
  readonly bundled: readonly LockedPackage[]
  readonly places: Places
  readonly formats: Pick<ReleaseFacts, 'formats' | 'reads'>
}

export async function assembleTree(
  parts: Parts,
  sha256Hex: (bytes: Uint8Array) => string,
): Promise<Tree> {
  const { checkout, architecture, bundle, node, compiled, apart, places } = parts
  const tree: Tree = new Map()
  for (const { name, bytes } of bundle.program)
    tree.set(`program/${name}`, { mode: name === COMMAND ? '755' : '644', bytes })
  if (bundle.launcher !== null)
    tree.set(bundle.launcher.name, { mode: '644', bytes: bundle.launcher.bytes })
  for (const folder of READ_AT_RUN_TIME)
    for (const file of await filesOf(join(checkout.folder, folder), () => true))
      tree.set(`${folder}/${file}`, {
        mode: '644',
        bytes: await readFile(join(checkout.folder, folder, file)),
      })
  const apartPlaces = new Map([...places].filter(([one]) => apart.includes(one)))
  await addPackages(tree, apartPlaces, compiled.files, architecture)
  if (node.included !== null) tree.set(NODE_FILE, { mode: '755', bytes: node.included.bytes })
  await addWords(tree, parts, text => sha256Hex(new TextEncoder().encode(text)))
  return tree
}

/** What it says of itself. */
async function addWords(tree: Tree, parts: Parts, digest: (text: string) => string): Promise<void> {
  const { checkout, architecture, bundle, apart, bundled, formats, compiled } = parts
  const { version, sourceEpoch, commit, isDirty } = checkout
  const node = { version: parts.node.headers.version, isIncluded: parts.node.included !== null }
  tree.set('package.json', textFile(packageJson(version)))
  tree.set('launch.json', textFile(launchJson(node.isIncluded, bundle.hasUpdater)))
  const facts = { version, architecture, node, sourceEpoch, ...formats }
  tree.set('release.json', textFile(releaseJson(facts)))
  const ingredients = { version, architecture, commit, isDirty, bundled, apart, node }
  const sbom = sbomOf(
    { ...ingredients, madeAt: momentText(1000 * sourceEpoch), compiler: compiled.compiler },
    digest,
  )
  tree.set('sbom.cdx.json', textFile(json(sbom)))
  tree.set('licences.txt', textFile(await licences(parts)))
}

async function licences({ checkout, places, node }: Parts): Promise<string> {
  const own = await readFile(join(checkout.folder, 'LICENSE'), 'utf8')
  const ofNode =
    node.included === null
      ? []
      : [
          {
            name: 'node',
            version: node.headers.version,
            licence: 'MIT',
            texts: [node.included.licence],
          },
        ]
  return licencesText(own, [...(await licensedOf(places)), ...ofNode])
}
