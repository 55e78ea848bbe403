/** `roadcase release list`: what a repository has, and which tour has ordered what of it. */
import type { Command } from 'commander'
import type {
  OfferedRelease,
  OfferedSystem,
  RepositoryOverview,
  TourOverview,
} from '../../ota/publish/overview.js'
import { activationText, pairsText, releasesText, sizeText } from '../../ota/publish/words.js'
import { CliFailure, exitCodes } from './failure.js'
import { type RepositoryFlags, warnOfEnds, withRepository } from './key-options.js'
import type { CliSetting } from './setting.js'
import { type Row, table } from './table.js'
import { type Paint, paintFor, printable, writeJson } from './terminal.js'

export function addList(release: Command, setting: CliSetting): void {
  withRepository(release.command('list'))
    .description(
      'tell which releases and operating systems there are, and what each tour has ordered',
    )
    .addHelpText('after', '\nExample:\n  $ roadcase release list --repository /srv/roadcase')
    .action(async (flags: RepositoryFlags) => {
      const { terminal } = setting
      const tool = await setting.actions.publishing(flags)
      const overview = await tool.overview()
      if (setting.isJson()) writeJson(terminal, overview)
      else terminal.write(overviewText(overview, paintFor(terminal)))
      warnOfEnds(terminal, await tool.expiring())
      if (overview.problems.length === 0) return
      const lines = overview.problems.map(printable).join('\n  ')
      throw new CliFailure(exitCodes.invalid, `not all of it can be read:\n  ${lines}`)
    })
}

function overviewText({ releases, systems, tours }: RepositoryOverview, paint: Paint): string {
  const parts = [
    section('Releases', releases.map(releaseRow), paint),
    section('Operating systems', systems.map(systemRow), paint),
    section('Tours', tours.map(tourRow), paint),
  ]
  return parts.join('\n')
}

function section(title: string, rows: readonly Row[], paint: Paint): string {
  if (rows.length === 0) return `${title}: none\n`
  return `${title}\n${table(rows, paint)}`
}

const releaseRow = ({ version, architecture, boards, ...rest }: OfferedRelease): Row => [
  `${version} ${architecture}`,
  [...(boards === null ? [] : [`only ${boards.join(', ')}`]), ...offeredTexts(rest)].join(', '),
]

const systemRow = ({ version, board, ...rest }: OfferedSystem): Row => [
  `${version} ${board}`,
  offeredTexts(rest).join(', '),
]

function offeredTexts({
  byteCount,
  published,
  tours,
}: Pick<OfferedRelease, 'byteCount' | 'published' | 'tours'>): string[] {
  const since = published === null ? [] : [`published ${published.slice(0, 10)}`]
  const whom = tours.length === 0 ? 'ordered by nobody' : `ordered by ${tours.join(', ')}`
  return [sizeText(byteCount), ...since, whom]
}

function tourRow({ tour, expires, daysLeft, ...ordered }: TourOverview): Row {
  const { activation, releases, systems, isReadable } = ordered
  const none = isReadable ? 'nothing ordered yet' : 'its order cannot be read'
  const how =
    activation === null ? none : `${releasesText(releases)}, ${activationText(activation)}`
  const os = Object.keys(systems).length === 0 ? [] : [`operating system ${pairsText(systems)}`]
  const until =
    daysLeft < 0
      ? `over since ${expires.slice(0, 10)}`
      : `until ${expires.slice(0, 10)} (${daysLeft} days)`
  return [printable(tour), printable([how, ...os, until].join(', '))]
}
