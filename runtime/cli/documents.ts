/** The commands that need no running box: check, simulate, diff, board. */
import type { Command } from 'commander'
import { BoxError, ConfigError, type Problem } from '../core/errors.js'
import type { CheckedFile, Report } from './actions.js'
import { CliFailure, exitCodes } from './failure.js'
import type { CliSetting } from './setting.js'
import { paintFor, type Terminal, writeJson } from './terminal.js'
import { durationMs, durationsMs } from './words.js'

export function addDocuments(program: Command, setting: CliSetting): void {
  addCheck(program, setting)
  addSimulate(program, setting)
  program
    .command('diff')
    .description('tell what a new version of a show would change')
    .argument('<before>', 'the show as it was')
    .argument('<after>', 'the show as it would be')
    .addHelpText('after', '\nExample:\n  $ roadcase diff show.yaml show-new.yaml')
    .action(async (before: string, after: string) =>
      write(setting, await setting.actions.diff(before, after)),
    )
  addBoard(program, setting)
}

function addCheck(program: Command, setting: CliSetting): void {
  program
    .command('check')
    .description(
      'check box.json and ota.json files, shows and templates of tickets, and name all that is wrong',
    )
    .argument('<file...>', 'box.json, ota.json, or a show or a template in YAML or JSON')
    .option('--board <name>', 'the board that a box.json is for', 'simulated')
    .addHelpText('after', '\nExample:\n  $ roadcase check box.json show.yaml --board pi-4b')
    .action((files: readonly string[], { board }: { board: string }) =>
      checkAll(setting, files, board),
    )
}

function addSimulate(program: Command, setting: CliSetting): void {
  program
    .command('simulate')
    .description('compute what a show would do, without a box')
    .argument('<show>', 'the show, in YAML or JSON')
    .option('--go <moments>', 'when GO is pressed; at 0s if nothing else happens', durationsMs)
    .option('--do <deed...>', 'what else happens, like "12s fire 3" or "20s level wash 40%"', [])
    .option(
      '--until <duration>',
      'where to stop; a minute after the last of them if left out',
      durationMs,
    )
    .option(
      '--every <duration>',
      'a row at least so often, besides those of changes',
      durationMs,
      0,
    )
    .addHelpText('after', '\nExample:\n  $ roadcase simulate show.yaml --go 0s,5s --every 500ms')
    .action(async (show: string, flags: SimulateFlags) => {
      const { do: deeds, every: everyMs, until: untilMs = null } = flags
      const goMs = flags.go ?? (deeds.length === 0 ? [0] : [])
      const options = { goMs, deeds, untilMs, everyMs }
      write(setting, await setting.actions.simulate(show, options))
    })
}

function addBoard(program: Command, setting: CliSetting): void {
  program
    .command('board')
    .description('draw the pins of a board and what is wired to them')
    .argument('[name]', 'for example pi-4b; this machine, or the box that runs here, if left out')
    .option('--config <file>', 'box.json whose wiring is drawn in')
    .addHelpText('after', '\nExample:\n  $ roadcase board pi-4b --config box.json')
    .action(async (name: string | undefined, { config }: { config?: string }) => {
      const isColour = setting.terminal.isColour
      const draw = (board: string | null): Promise<Report> =>
        setting.actions.board(board, config ?? null, isColour)
      write(setting, await draw(name ?? null).catch(error => drawRunning(setting, draw, error)))
    })
}

/** A laptop is no board; what its owner wants to see is the board of the box that runs on it. */
async function drawRunning(
  { link, stateFolder }: CliSetting,
  draw: (board: string) => Promise<Report>,
  error: unknown,
): Promise<Report> {
  if (!(error instanceof BoxError && error.code === 'board.unknown')) throw error
  const { board } = await link()
    .state()
    .catch(() => {
      const how = 'name a board, like "roadcase board pi-4b", or start a box'
      throw new CliFailure(
        exitCodes.usage,
        `this machine is no board, and no box runs in ${stateFolder()}: ${how}`,
        { cause: error },
      )
    })
  const { text, json } = await draw(board.name)
  const whose = `This machine is no board; this is the ${board.title} of the box in ${stateFolder()}.`
  return { text: `${whose}\n\n${text}`, json }
}

interface SimulateFlags {
  readonly go?: readonly number[]
  readonly do: readonly string[]
  readonly until?: number
  readonly every: number
}

/** A long table is made in the one form that is asked for. */
function write(setting: CliSetting, report: Report): void {
  if (setting.isJson()) writeJson(setting.terminal, report.json)
  else setting.terminal.write(report.text)
}

/** All files are checked before anything fails. Each problem is a line that editors can jump to. */
async function checkAll(
  setting: CliSetting,
  files: readonly string[],
  board: string,
): Promise<void> {
  const results: FileResult[] = []
  for (const file of files) results.push(await checkOne(setting, file, board))
  if (setting.isJson()) writeJson(setting.terminal, results)
  else for (const result of results) writeResult(setting.terminal, result)
  const badCount = results.filter(({ isValid }) => !isValid).length
  if (badCount === 0) return
  const count = files.length === 1 ? 'the file' : `${badCount} of ${files.length} files`
  throw new CliFailure(exitCodes.invalid, `${count} must be put right`)
}

type FileResult =
  | ({ readonly file: string; readonly isValid: true } & CheckedFile)
  | {
      readonly file: string
      readonly isValid: false
      readonly problems: readonly Problem[]
    }

async function checkOne({ actions }: CliSetting, file: string, board: string): Promise<FileResult> {
  try {
    return { file, isValid: true, ...(await actions.check(file, board)) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { file, isValid: false, problems: error.problems }
  }
}

function writeResult(terminal: Terminal, result: FileResult): void {
  const paint = paintFor(terminal)
  if (!result.isValid) {
    for (const problem of result.problems)
      terminal.writeError(`${problemText(result.file, problem)}\n`)
    return
  }
  terminal.write(`${result.file}: ${paint.green('valid')} ${result.kind} ${result.name}\n`)
  for (const warning of result.warnings)
    terminal.write(`${result.file}: ${paint.yellow('warning')} ${warning}\n`)
}

/** `show.yaml:12:5: show.cues[3].fade: must be …` */
function problemText(file: string, { path, message, place }: Problem): string {
  const where = place === null ? '' : `${place.line}:${place.column}:`
  return `${file}:${where} ${path}: ${message}`
}
