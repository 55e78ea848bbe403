/** Operating systems among the releases: `roadcase release build-os` and `release os`. */
import { type Command, Option } from 'commander'
import type { OsDescription, OsFileDescription } from '../../ota/os/os-description.js'
import type { OsBuildWish } from '../../ota/os-build.js'
import { ConfigError } from '../core/errors.js'
import { namesIn, type RepositoryFlags, tell, wholeIn, withRepository } from './key-options.js'
import type { CliSetting } from './setting.js'
import { table } from './table.js'
import { paintFor, writeJson } from './terminal.js'

/** Of brotli: an image is large, and the last percent takes ten times as long. */
const QUALITY = 9

interface BuildFlags {
  readonly into: string
  readonly boot?: string
  readonly root?: string
  readonly bundle?: string
  readonly system: string
  readonly board: readonly string[]
  readonly architecture: OsDescription['architecture']
  readonly floor: string | null
  readonly minimumRelease: string | null
  readonly notes: string
  readonly quality: number
}

/** @param release the command that they stand below */
export function addReleaseOs(release: Command, setting: CliSetting): void {
  addBuild(release, setting)
  withRepository(release.command('os'))
    .description('let keys sign operating systems')
    .requiredOption('--key <names>', 'keys that may', namesIn)
    .option('--threshold <count>', 'how many of them must sign', wholeIn(1, 32), 1)
    .addHelpText('after', '\nExample:\n  $ roadcase release os --key build')
    .action(async ({ key, threshold, ...flags }: RepositoryFlags & HolderFlags) => {
      const tool = await setting.actions.publishing(flags)
      const told = await tool.systems({ keys: key, threshold })
      tell(setting, told, `${key.join(', ')} may sign operating systems`)
    })
}

interface HolderFlags {
  readonly key: readonly string[]
  readonly threshold: number
}

const EXAMPLE =
  'roadcase release build-os --into ../os-1.3.0 --system 1.3.0 --board pi-4b --boot boot.img --root root.img'

function addBuild(release: Command, { actions, terminal, isJson }: CliSetting): void {
  release
    .command('build-os')
    .description('pack the images of an operating system, for "release publish"; needs no box')
    .requiredOption('--into <folder>', 'where to write it')
    .requiredOption('--system <version>', 'the version of the operating system')
    .requiredOption('--board <names>', 'the boards that it starts on', namesIn)
    .option('--boot <file>', 'image of the partition that the firmware reads: a FAT')
    .option('--root <file>', 'image of the partition that Linux runs from')
    .option('--bundle <file>', 'for boxes with RAUC, in place of both: a bundle that it has signed')
    .addOption(
      new Option('--architecture <name>', 'of the boards')
        .choices(['arm64', 'x64'])
        .default('arm64'),
    )
    .option('--floor <version>', 'a box that found it good takes none below', String, null)
    .option('--minimum-release <version>', 'the oldest Roadcase that runs on it', String, null)
    .option('--notes <text>', 'what changed, for the crew', '')
    .option('--quality <number>', 'of brotli: 0 is fast, 11 is small', wholeIn(0, 11), QUALITY)
    .addHelpText('after', `\nExample:\n  $ ${EXAMPLE}`)
    .action(async ({ system: version, board: boards, ...flags }: BuildFlags) => {
      const say = (what: string): void => terminal.writeError(`${what}\n`)
      const wish = { ...flags, version, boards, images: filesOf(flags) }
      const built = await actions.buildOs(wish, isJson() ? () => undefined : say)
      if (isJson()) writeJson(terminal, built)
      else terminal.write(table(rowsOf(built, flags.into), paintFor(terminal)))
    })
}

/** @throws ConfigError for anything but two images, or one bundle */
function filesOf({
  boot,
  root,
  bundle,
}: Pick<BuildFlags, 'boot' | 'root' | 'bundle'>): OsBuildWish['images'] {
  if (boot !== undefined && root !== undefined && bundle === undefined) return { boot, root }
  if (boot === undefined && root === undefined && bundle !== undefined) return { bundle }
  const message = 'give --boot and --root, or --bundle alone'
  throw new ConfigError([{ path: 'build-os', message, place: null }])
}

const rowsOf = (described: OsDescription, into: string): [string, string][] => [
  ['System', `${described.version} for ${described.boards.join(', ')}`],
  ...sizesOf('Bundle', described.bundle),
  ...sizesOf('Boot', described.images?.boot),
  ...sizesOf('Root', described.images?.root),
  ['Written', into],
]

const sizesOf = (title: string, file: OsFileDescription | undefined): [string, string][] =>
  file === undefined
    ? []
    : [[title, `${megabytes(file.byteCount)}, packed ${megabytes(file.object.byteCount)}`]]

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
