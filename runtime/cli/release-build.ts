/** `roadcase release build`: from a checkout to the tree that lies in a slot of a box. */
import { type Command, Option } from 'commander'
import type { Architecture } from '../../ota/release/description.js'
import type { BuiltRelease } from '../../ota/release-build.js'
import type { CliSetting } from './setting.js'
import { table } from './table.js'
import { paintFor, writeJson } from './terminal.js'

interface BuildFlags {
  readonly into: string
  readonly architecture: Architecture
  readonly checkout: string | null
  readonly node: string | null
  readonly allowDirty: boolean
}

const ARCHITECTURES: readonly Architecture[] = ['arm64', 'x64']
const EXAMPLE = 'roadcase release build --into ../roadcase-1.4.0'

/** @param release the command that it stands below */
export function addReleaseBuild(release: Command, { actions, terminal, isJson }: CliSetting): void {
  release
    .command('build')
    .description('make a release tree from a checkout; needs no box')
    .requiredOption('--into <folder>', 'where to write it; the release itself is "tree" in there')
    .addOption(
      new Option('--architecture <name>', 'of the boxes').choices(ARCHITECTURES).default('arm64'),
    )
    .option('--checkout <folder>', 'what to build (default: what this command is of)', String, null)
    .option('--node <file>', 'bin/node of an unpacked Node that the release brings', String, null)
    .option('--allow-dirty', 'even with changes that are not committed', false)
    .addHelpText('after', `\nExample:\n  $ ${EXAMPLE}`)
    .action(async ({ into, architecture, checkout, node, allowDirty }: BuildFlags) => {
      const say = (what: string): void => terminal.writeError(`${what}\n`)
      const built = await actions.buildRelease(
        { into, architecture, checkout, nodeFile: node, isDirtyAllowed: allowDirty },
        isJson() ? () => undefined : say,
      )
      if (isJson()) return writeJson(terminal, built)
      const paint = paintFor(terminal)
      terminal.write(table(rowsOf(built), paint))
      for (const warning of warningsOf(built)) say(paint.yellow(warning))
    })
}

const rowsOf = (built: BuiltRelease): [string, string][] => [
  ['Release', `${built.version} for ${built.architecture}`],
  ['Digest', built.digest],
  ['Tree', `${built.folder}, ${built.fileCount} files, ${(built.byteCount / 1e6).toFixed(1)} MB`],
  ['Node', `${built.nodeVersion}, ${built.isNodeIncluded ? 'included' : 'not included'}`],
  ['Commit', built.commit],
]

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
