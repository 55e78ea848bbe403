/** The command that prints, or shows what would be printed. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { codePageNames } from '../core/code-pages.js'
import { CliFailure, exitCodes } from './failure.js'
import { type PreviewOptions, readTicketFile } from './print-preview.js'
import type { CliSetting } from './setting.js'
import { paintFor, writeJson } from './terminal.js'

interface PrintFlags {
  readonly preview?: true
  readonly template?: string
  readonly field: Readonly<Record<string, string>>
  readonly ticket?: string
  readonly printer?: string
  readonly key?: string
  readonly config?: string
  readonly paper: '58' | '80'
  readonly codePage: PreviewOptions['codePage']
  readonly reprint: number
  readonly out?: string
}

const EXAMPLE = 'roadcase print --template claim --field name=Ada'
const PREVIEW = 'roadcase print --preview --template claim --field name=Ada --out claim.svg'

export function addPrint(program: Command, setting: CliSetting): void {
  program
    .command('print')
    .description('print a ticket, or show what it would look like on paper')
    .option('--preview', 'draw it here, or into the file of --out; needs no box')
    .option('--printer <name>', 'a printer of the box; its first one if left out')
    .option('--key <key>', 'the same key again is the same ticket, and prints nothing new')
    .option('--template <name>', 'a template: receipt, label, claim, handover, or one of --config')
    .option('--field <name=value>', 'what fills the template; \\n begins a line', field, {})
    .option('--ticket <file>', 'a ticket of its own, in YAML or JSON, in place of a template')
    .option('--config <file>', 'box.json, for its templates and images')
    .addOption(
      new Option('--paper <millimetres>', 'width of the paper').choices(['58', '80']).default('80'),
    )
    .addOption(
      new Option('--code-page <name>', 'letters that the printer has')
        .choices([...codePageNames])
        .default('cp858'),
    )
    .option('--reprint <count>', 'as it is marked when it is printed again', reprint, 0)
    .option('--out <file>', 'an .svg or .png file; drawn in the terminal if left out')
    .addHelpText('after', `\nExample:\n  $ ${EXAMPLE}\n  $ ${PREVIEW}`)
    .action((flags: PrintFlags) =>
      flags.preview === true ? preview(setting, flags) : send(setting, flags),
    )
}

async function preview(setting: CliSetting, flags: PrintFlags): Promise<void> {
  const { terminal, actions, isJson } = setting
  const shown = await actions.preview(optionsOf(flags), terminal.isColour && !isJson())
  if (isJson()) {
    const { out, warnings } = shown
    writeJson(terminal, { out, warnings, text: shown.text })
    return
  }
  const paint = paintFor(terminal)
  terminal.write(shown.text ?? `${shown.out}\n`)
  for (const warning of shown.warnings)
    terminal.writeError(`${paint.yellow('warning')} ${warning}\n`)
}

/** Accepted is on disk; what becomes of it is told by `roadcase jobs`. */
async function send(setting: CliSetting, flags: PrintFlags): Promise<void> {
  const { template, printer, key, field: fields } = flags
  const what = whatOf(template, flags.ticket, fields)
  const ticket = what.kind === 'ticket' ? await readTicketFile(what.file) : null
  const answer = await setting.link().print({
    ...(ticket === null ? { template, fields } : { ticket }),
    ...(printer === undefined ? {} : { printer }),
    ...(key === undefined ? {} : { key }),
  })
  if (setting.isJson()) writeJson(setting.terminal, answer)
  else {
    const what = answer.isRepeated ? 'was asked for before' : 'is accepted'
    setting.terminal.write(`${answer.serial} ${what}; see "roadcase jobs ${answer.serial}"\n`)
  }
}

function optionsOf(flags: PrintFlags): PreviewOptions {
  const { template, ticket, config, codePage, out } = flags
  return {
    what: whatOf(template, ticket, flags.field),
    configFile: config ?? null,
    paper: flags.paper === '58' ? 58 : 80,
    codePage,
    reprint: flags.reprint,
    out: out ?? null,
  }
}

function whatOf(
  template: string | undefined,
  ticket: string | undefined,
  fields: Readonly<Record<string, string>>,
): PreviewOptions['what'] {
  if (template !== undefined && ticket === undefined)
    return { kind: 'template', name: template, fields }
  if (ticket !== undefined && template === undefined) return { kind: 'ticket', file: ticket }
  throw wrong('give either --template or --ticket')
}

const wrong = (message: string): CliFailure =>
  new CliFailure(exitCodes.usage, `${message}, as in "${EXAMPLE}"`)

/** `name=Ada`, as often as there are fields. */
function field(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write a field like name=Ada.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1).replaceAll('\\n', '\n') }
}

function reprint(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 999)
    throw new InvalidArgumentError('Write a number from 1 to 999.')
  return count
}
