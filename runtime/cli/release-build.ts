/** `roadcase release build`: from a checkout to the tree that lies in a slot of a box. */
import { type Command, Option } from 'commander'
import type { Architecture } from '../../ota/release/description.js'
import type { BuiltRelease } from '../../ota/release-build.js'
import type { ReleaseBuildWish } from './actions.js'
import type { CliSetting } from './setting.js'
import { table } from './table.js'
import { paintFor, writeJson } from './terminal.js'

interface BuildFlags {
  readonly into: string
  readonly architecture: Architecture
  readonly checkout: string | null
  readonly node: string | null
  readonly allowDirty: boolean
  readonly base: readonly string[]
  readonly objects: boolean
  readonly floor: string | null
  readonly minimumUpdater: string | null
  readonly boards: readonly string[] | null
  readonly notes: string
}

const ARCHITECTURES: readonly Architecture[] = ['arm64', 'x64']
const EXAMPLE = 'roadcase release build --into ../roadcase-1.4.0 --base ../roadcase-1.3.2'
/** Of brotli: the most, since it is done once and fetched by every box. */
const QUALITY = 11

/** @param release the command that it stands below */
export function addReleaseBuild(release: Command, { actions, terminal, isJson }: CliSetting): void {
  release
    .command('build')
    .description(
      'make a release from a checkout: its tree, and what boxes fetch of it; needs no box',
    )
    .requiredOption('--into <folder>', 'where to write it; the release itself is "tree" in there')
    .addOption(
      new Option('--architecture <name>', 'of the boxes').choices(ARCHITECTURES).default('arm64'),
    )
    .option('--checkout <folder>', 'what to build (default: what this command is of)', String, null)
    .option('--node <file>', 'bin/node of an unpacked Node that the release brings', String, null)
    .option('--allow-dirty', 'even with changes that are not committed', false)
    .option(
      '--base <tree>',
      'a release that boxes may run, to be patched; can be given again',
      (tree: string, trees: readonly string[]) => [...trees, tree],
      [],
    )
    .option('--no-objects', 'only the tree: nothing that could be published')
    .option('--floor <version>', 'a box that found it good takes none below', String, null)
    .option('--minimum-updater <version>', 'the oldest that can install it', String, null)
    .option('--boards <names>', 'the boards that it is for (default: all)', namesOf, null)
    .option('--notes <text>', 'what changed, for the crew', '')
    .addHelpText('after', `\nExample:\n  $ ${EXAMPLE}`)
    .action(async (flags: BuildFlags) => {
      const say = (what: string): void => terminal.writeError(`${what}\n`)
      const built = await actions.buildRelease(wishOf(flags), isJson() ? () => undefined : say)
      if (isJson()) return writeJson(terminal, built)
      const paint = paintFor(terminal)
      terminal.write(table(rowsOf(built), paint))
      for (const warning of warningsOf(built)) say(paint.yellow(warning))
    })
}

const namesOf = (text: string): string[] => text.split(',').map(name => name.trim())

function wishOf(flags: BuildFlags): ReleaseBuildWish {
  const { into, architecture, checkout, node, allowDirty } = flags
  const { base: bases, floor, minimumUpdater, boards, notes } = flags
  const objects = { bases, quality: QUALITY, floor, minimumUpdater, boards, notes }
  return {
    ...{ into, architecture, checkout, nodeFile: node, isDirtyAllowed: allowDirty },
    objects: flags.objects ? objects : null,
  }
}

const rowsOf = (built: BuiltRelease): [string, string][] => [
  ['Release', `${built.version} for ${built.architecture}`],
  ['Digest', built.digest],
  ['Tree', `${built.folder}, ${built.fileCount} files, ${(built.byteCount / 1e6).toFixed(1)} MB`],
  ['Node', `${built.nodeVersion}, ${built.isNodeIncluded ? 'included' : 'not included'}`],
  ['Commit', built.commit],
  ...built.objects.map(({ kind, from, byteCount }): [string, string] => [
    'Object',
    `${kind}${from === null ? '' : ` from ${from.slice(0, 12)}`}, ${sizeText(byteCount)}`,
  ]),
]

const sizeText = (byteCount: number): string =>
  byteCount < 1e6 ? `${(byteCount / 1e3).toFixed(1)} kB` : `${(byteCount / 1e6).toFixed(1)} MB`

function warningsOf({ isDirty, lacking }: BuiltRelease): string[] {
  return [
    ...(isDirty ? ['built with changes that are not committed: nobody can build it again'] : []),
    ...(lacking.length > 0
      ? [
          `this checkout has no ${lacking.join(' and no ')} yet: boxes cannot run this release from a slot`,
        ]
      : []),
  ]
}
