/** The commands about tickets that were asked for: what became of them, and what shall. */
import { type Command, Option } from 'commander'
import { jobState } from '../core/printing-topics.js'
import type { JobAnswer } from '../gateways/page/api.js'
import type { DecisionAsked } from './box-link.js'
import type { CliSetting } from './setting.js'
import { type Paint, paintFor, writeJson } from './terminal.js'
import { lineCount } from './words.js'

interface JobsFlags {
  readonly printer?: string
  readonly only?: JobAnswer['state']
  readonly lines: number
}

const JOBS_MAX = 200

export function addJobs(program: Command, setting: CliSetting): void {
  program
    .command('jobs')
    .description('list tickets that were asked for, newest first, and what became of them')
    .argument('[job]', 'id or serial of one ticket; the newest ones if left out')
    .option('-n, --lines <count>', `how many, at most ${JOBS_MAX}`, lineCount, 20)
    .option('--printer <name>', 'only of this printer')
    .addOption(
      new Option('--only <state>', 'only those of which this has become').choices([
        ...jobState.options,
      ]),
    )
    .addHelpText('after', '\nExample:\n  $ roadcase jobs --only unknown')
    .action(async (job: string | undefined, flags: JobsFlags) => {
      const found =
        job === undefined ? await listed(setting, flags) : [await setting.link().job(job)]
      if (setting.isJson())
        writeJson(setting.terminal, job === undefined ? { jobs: found } : found[0])
      else setting.terminal.write(jobsText(found, paintFor(setting.terminal)))
    })
  addDecision(program, setting, {
    decision: 'reprint',
    summary: 'print a ticket again, marked REPRINT and with the same serial',
    done: 'it will be printed again, marked REPRINT',
  })
  addDecision(program, setting, {
    decision: 'confirm',
    summary: 'say that a ticket of which the box does not know is on paper',
    done: 'noted as printed',
  })
  addDecision(program, setting, {
    decision: 'discard',
    summary: 'say that a ticket is not on paper, and shall not be',
    done: 'it will not be printed',
  })
}

const listed = (
  setting: CliSetting,
  { printer, only, lines }: JobsFlags,
): Promise<readonly JobAnswer[]> =>
  setting.link().jobs({
    printer: printer ?? null,
    state: only ?? null,
    limit: Math.min(JOBS_MAX, lines),
  })

function addDecision(
  program: Command,
  setting: CliSetting,
  {
    decision,
    summary,
    done,
  }: {
    readonly decision: DecisionAsked['decision']
    readonly summary: string
    readonly done: string
  },
): void {
  program
    .command(decision)
    .description(summary)
    .argument('<job>', 'id or serial of the ticket')
    .addHelpText('after', `\nExample:\n  $ roadcase ${decision} K7QX2M-0001-F`)
    .action(async (job: string) => {
      const link = setting.link()
      const { id } = await link.job(job)
      const answer = await link.decide({ job: id, decision })
      if (setting.isJson()) writeJson(setting.terminal, answer)
      else setting.terminal.write(`${answer.serial ?? job}: ${done}\n`)
    })
}

const stamp = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

/** One line a ticket. */
export function jobsText(jobs: readonly JobAnswer[], paint: Paint): string {
  if (jobs.length === 0) return 'no tickets\n'
  const width = Math.max(...jobs.map(({ serial }) => serial.length))
  return jobs
    .map(job => {
      const { askedWallMs, serial, kind, printer, message } = job
      const facts = [printer, kind, job.reprint > 0 ? `reprint ${job.reprint}` : null, message]
      return `${paint.dim(stamp.format(askedWallMs))}  ${serial.padEnd(width)}  ${stateText(job, paint)}  ${facts
        .filter(fact => fact !== null)
        .join(', ')}\n`
    })
    .join('')
}

const WIDTH = 9

function stateText({ state }: JobAnswer, paint: Paint): string {
  const text = state.padEnd(WIDTH)
  if (state === 'unknown' || state === 'failed') return paint.red(text)
  if (state === 'confirmed') return paint.green(text)
  return state === 'expired' || state === 'sent' ? paint.yellow(text) : text
}
