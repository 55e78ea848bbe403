/** The commands around releases, beside `roadcase release` itself, which ends a panic. None of them needs a box. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { OsDescription } from '../../ota/os/os-description.js'
import type { RepositoryReport } from '../../ota/publish/verify.js'
import type { Architecture, ReleaseDescription } from '../../ota/release/description.js'
import { CliFailure, exitCodes } from './failure.js'
import {
  namesIn,
  type RepositoryFlags,
  reasonIn,
  tell,
  tellDaily,
  wholeIn,
  withRepository,
} from './key-options.js'
import { addList } from './release-list.js'
import type { CliSetting } from './setting.js'
import { printable, writeJson } from './terminal.js'

type AddCommand = (release: Command, setting: CliSetting) => void

/** Each adds one or more commands below `release`. */
const subcommands: readonly AddCommand[] = [
  addInit,
  addPublish,
  addOrder,
  addTour,
  addAccept,
  addRefresh,
  addRenew,
  addRemove,
  addVerify,
  addList,
]

export function addRelease(program: Command, setting: CliSetting): void {
  const release =
    program.commands.find(command => command.name() === 'release') ?? program.command('release')
  for (const add of subcommands) add(release, setting)
  release
    .summary('end a panic; with a word behind it, build, sign and publish releases')
    .description(
      'alone: end a panic; with one of the words below: build, sign and publish releases, which needs no box',
    )
    .helpCommand(true)
    // It has an action of its own, so a mistyped word would be called an argument too many.
    .allowExcessArguments()
    .hook('preAction', (_, command) => {
      const [word] = command.args
      if (command === release && word !== undefined)
        release.error(`error: unknown command '${printable(word)}'; there are: ${names(release)}`, {
          code: 'commander.unknownCommand',
        })
    })
}

const names = (command: Command): string => command.commands.map(one => one.name()).join(', ')

const example = (words: string): string => `\nExample:\n  $ roadcase release ${words}`
const architectureOption = (flag: string, words: string): Option =>
  new Option(flag, words).choices(['arm64', 'x64'])

interface InitFlags extends RepositoryFlags {
  readonly root: readonly string[]
  readonly rootThreshold?: number
  readonly targets?: readonly string[]
  readonly targetsThreshold?: number
  readonly releases: readonly string[]
  readonly releasesThreshold: number
  readonly online: readonly string[]
  readonly weaker?: string
}

function addInit(release: Command, setting: CliSetting): void {
  const count = wholeIn(1, 32)
  withRepository(release.command('init'))
    .description('make a repository: a folder that any web server or stick can serve')
    .requiredOption(
      '--root <names>',
      'keys that say which keys count; they belong in a safe',
      namesIn,
    )
    .option('--root-threshold <count>', 'how many of them must sign; more than half', count)
    .option('--targets <names>', 'keys that let tours and releases in; those of root', namesIn)
    .option('--targets-threshold <count>', 'how many of them must sign; as for root', count)
    .requiredOption('--releases <names>', 'keys that sign releases', namesIn)
    .option('--releases-threshold <count>', 'how many of them must sign', count, 1)
    .requiredOption('--online <names>', 'keys of the machine that publishes', namesIn)
    .option('--weaker <why>', 'let no more than half of the keys of root be enough')
    .addHelpText('after', example('init --root anna,bert,carla --releases build --online server'))
    .action(async (flags: InitFlags) => {
      const { root, targets, releases, releasesThreshold, online } = flags
      const threshold = flags.rootThreshold ?? Math.floor(root.length / 2) + 1
      const machine = { keys: online, threshold: 1 }
      const tool = await setting.actions.publishing(flags)
      const told = await tool.init({
        root: { keys: root, threshold },
        targets: {
          keys: targets ?? root,
          threshold: flags.targetsThreshold ?? (targets === undefined ? threshold : 1),
        },
        releases: { keys: releases, threshold: releasesThreshold },
        snapshot: machine,
        timestamp: machine,
        whyWeaker: reasonIn(flags),
      })
      tell(setting, told, `${flags.repository} is a repository`)
    })
}

function addPublish(release: Command, setting: CliSetting): void {
  withRepository(release.command('publish'))
    .description('sign a release or an operating system, and put it into the repository')
    .argument('<folder>', 'what "release build" or "release build-os" has made')
    .addHelpText('after', example('publish built/1.5.0-arm64'))
    .action(async (folder: string, flags: RepositoryFlags) => {
      const told = await (await setting.actions.publishing(flags)).publish(folder)
      const { description } = told
      const what = description === null ? '' : `${nameOf(description)} `
      tell(setting, told, `${what}is published; a tour's boxes take it once it is ordered`)
    })
}

const nameOf = (description: ReleaseDescription | OsDescription): string =>
  description.product === 'roadcase'
    ? `${description.version} for ${description.architecture}`
    : `the operating system ${description.version} for ${description.boards.join(', ')}`

interface OrderFlags extends RepositoryFlags {
  readonly arm64?: string
  readonly x64?: string
  readonly os?: Readonly<Record<string, string>> | false
  readonly activation: string
  readonly notes: string
}

function addOrder(release: Command, setting: CliSetting): void {
  withRepository(release.command('order'))
    .description('say what the boxes of a tour shall run')
    .argument('<tour>')
    .option('--arm64 <version>', 'for boxes with an arm64 processor')
    .option('--x64 <version>', 'for boxes with an x64 processor')
    .option('--os <board=version>', 'their operating system; can be given again', systemOf)
    .option('--no-os', 'no operating system any more')
    .addOption(
      new Option('--activation <kind>', 'each box for itself, or all of a venue at once')
        .choices(['box', 'venue'])
        .default('venue'),
    )
    .option('--notes <text>', 'for the technician', '')
    .addHelpText('after', example('order summer-26 --arm64 1.5.0'))
    .action(async (tour: string, flags: OrderFlags) => {
      const { arm64, x64, activation, notes } = flags
      const systems = systemsIn(flags)
      const hasReleases = arm64 !== undefined || x64 !== undefined
      if (!hasReleases && systems === undefined)
        throw new CliFailure(exitCodes.usage, 'give --arm64, --x64, --os or several of them')
      const chosen = {
        ...(arm64 === undefined ? {} : { arm64 }),
        ...(x64 === undefined ? {} : { x64 }),
      }
      const tool = await setting.actions.publishing(flags)
      const releases = { format: 1, tour, releases: chosen, activation, notes }
      const told = await tool.order({ tour, releases: hasReleases ? releases : undefined, systems })
      tell(setting, told, `${tour} has ordered ${orderText(flags)}`)
    })
}

/** Commander says true where neither --os nor --no-os was given. */
const systemsIn = ({ os }: { os?: OrderFlags['os'] | true }): OrderFlags['os'] | null =>
  os === true ? undefined : os === false ? null : os

function orderText(flags: OrderFlags): string {
  const systems = systemsIn(flags)
  const words = Object.entries(systems ?? {}).map(
    ([board, version]) => `the operating system ${version} for ${board}`,
  )
  const none = systems === null ? ['no operating system'] : []
  const versions = [flags.arm64, flags.x64].filter(version => version !== undefined)
  return [...versions, ...words, ...none].join(' and ')
}

function systemOf(text: string, before: unknown): Record<string, string> {
  const [, board, version] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
  if (board === undefined || version === undefined)
    throw new InvalidArgumentError('Write a board and a version, such as pi-4b=1.3.0.')
  const systems = typeof before === 'object' ? before : {}
  return { ...systems, [board]: version }
}

interface TourFlags extends RepositoryFlags {
  readonly key?: readonly string[]
  readonly threshold: number
  readonly end: boolean
}

function addTour(release: Command, setting: CliSetting): void {
  withRepository(release.command('tour'))
    .description('let keys order releases for a tour, and for no other')
    .argument('<tour>')
    .option('--key <names>', 'keys that may', namesIn)
    .option('--threshold <count>', 'how many of them must sign', wholeIn(1, 32), 1)
    .option('--end', 'take it from them: the tour is over', false)
    .addHelpText('after', example('tour summer-26 --key dora'))
    .action(async (tour: string, { end, key, threshold, ...flags }: TourFlags) => {
      if (end === (key !== undefined)) throw new CliFailure(exitCodes.usage, 'give --key or --end')
      const tool = await setting.actions.publishing(flags)
      if (key === undefined) tell(setting, await tool.endTour(tour), `${tour} is over`)
      else tell(setting, await tool.tour(tour, { keys: key, threshold }), `${tour} may order`)
    })
}

function addAccept(release: Command, setting: CliSetting): void {
  withRepository(release.command('accept'))
    .description('publish a draft that was signed elsewhere')
    .argument('<file>', 'the draft')
    .addHelpText('after', example('accept draft.json --draft draft-2.json'))
    .action(async (file: string, flags: RepositoryFlags) => {
      const told = await (await setting.actions.publishing(flags)).accept(file)
      if (!setting.isJson()) setting.terminal.write(told.changes.map(lineOf).join(''))
      const rest = told.isDraftRemoved
        ? 'and deleted: all of it is in the repository'
        : 'and done with'
      tell(setting, told, `${file} is published, ${rest}`)
    })
}

const lineOf = (words: string): string => `${printable(words)}\n`

function addRefresh(release: Command, setting: CliSetting): void {
  withRepository(release.command('refresh'))
    .description(
      'sign timestamp and snapshot again when half their time is over; every day, from cron',
    )
    .option('--now', 'whatever time is left', false)
    .addHelpText('after', example('refresh --repository /srv/roadcase --keys /etc/roadcase/keys'))
    .action(async (flags: RepositoryFlags & { now: boolean }) => {
      const tool = await setting.actions.publishing(flags)
      tellDaily(setting, await tool.refresh(flags.now), 'signed again')
    })
}

function addRenew(release: Command, setting: CliSetting): void {
  withRepository(release.command('renew'))
    .description('sign roles for another year, as they are; "verify" says how long they stand')
    .argument('<roles>', 'root, targets, releases, os, objects, tour-NAME', namesIn)
    .addHelpText('after', example('renew releases,objects,tour-summer-26'))
    .action(async (roles: readonly string[], flags: RepositoryFlags) => {
      const tool = await setting.actions.publishing(flags)
      tell(setting, await tool.renew(roles), `${roles.join(' and ')} stand for another year`)
    })
}

interface RemoveFlags extends RepositoryFlags {
  readonly board?: string
  readonly architecture?: Architecture
}

function addRemove(release: Command, setting: CliSetting): void {
  withRepository(release.command('remove'))
    .description('take a release back, or an operating system; boxes that have it keep it')
    .argument('<version>')
    .option('--board <name>', 'not a release but the operating system for this board')
    .addOption(architectureOption('--architecture <name>', 'only for this one'))
    .addHelpText('after', example('remove 1.3.0'))
    .action(async (version: string, { board, architecture, ...flags }: RemoveFlags) => {
      const tool = await setting.actions.publishing(flags)
      const told =
        board === undefined
          ? await tool.remove(version, architecture ?? null)
          : await tool.removeSystem(version, board)
      tell(setting, told, `${version} is gone`)
    })
  withRepository(release.command('prune'))
    .description('delete files of the repository that nothing refers to')
    .addHelpText('after', example('prune'))
    .action(async (flags: RepositoryFlags) => {
      const names = await (await setting.actions.publishing(flags)).prune()
      if (setting.isJson()) writeJson(setting.terminal, { removed: names })
      else setting.terminal.write(`${names.length} files removed\n`)
    })
}

function addVerify(release: Command, setting: CliSetting): void {
  withRepository(release.command('verify'))
    .description('read a repository whole, as the strictest box would')
    .addHelpText('after', example('verify --repository /media/stick/roadcase'))
    .action(async (flags: RepositoryFlags) => {
      const report = await (await setting.actions.publishing(flags)).verify()
      if (setting.isJson()) writeJson(setting.terminal, report)
      else setting.terminal.write(reportText(report))
      if (report.problems.length === 0) return
      const lines = report.problems.map(printable).join('\n  ')
      throw new CliFailure(
        exitCodes.invalid,
        `boxes will not take this repository as it is:\n  ${lines}`,
      )
    })
}

const daysText = (daysLeft: number): string =>
  daysLeft < 0 ? `ended ${-daysLeft} days ago` : `${daysLeft} days left`

function reportText({ roles, targetCount, byteCount, strayFiles }: RepositoryReport): string {
  const lines = roles.map(
    ({ role, version, daysLeft, threshold, keyids }) =>
      `${printable(role)} ${version}: ${daysText(daysLeft)}, ${threshold} of ${keyids.length} keys`,
  )
  const megabytes = (byteCount / 1e6).toFixed(1)
  lines.push(`${targetCount} targets, ${megabytes} MB`)
  if (strayFiles.length > 0) lines.push(`${strayFiles.length} files that nothing refers to`)
  return `${lines.join('\n')}\n`
}
