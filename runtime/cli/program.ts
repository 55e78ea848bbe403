/** The `roadcase` command, put together; runtime/cli.ts gives it a terminal and the real actions. */
import { Command, CommanderError, Help, type Option } from 'commander'
import { assert } from '../core/errors.js'
import type { CliActions } from './actions.js'
import { addClock } from './clock.js'
import { addClockSet } from './clock-set.js'
import { addDocuments } from './documents.js'
import { type Ending, endingOf, exitCodes } from './failure.js'
import { addJobs } from './jobs.js'
import { addKeys } from './keys.js'
import { addLateness } from './lateness.js'
import { addLogs } from './logs.js'
import { addOperating } from './operate.js'
import { addOta } from './ota.js'
import { addPrint } from './print.js'
import { addRelease } from './release.js'
import { addReleaseBuild } from './release-build.js'
import { addReleaseOs } from './release-os.js'
import { addRun } from './run.js'
import type { CliSetting } from './setting.js'
import { addStatus } from './status.js'
import { paintFor, type Terminal } from './terminal.js'
import { addTimecode } from './timecode.js'
import { addVenue } from './venue.js'

export interface CliOptions {
  readonly version: string
  /** State folder when --state is not given. */
  readonly stateFolder: string
  /** Folder of the slots when --home is not given. */
  readonly home: string
}

const EXIT_CODES = `
Exit codes:
  0  done
  1  a mistake in roadcase itself
  2  the command was written wrong
  3  a box.json, an ota.json, a show, a name or a repository is invalid
  4  refused: by the box, or for want of a key, a signature or a right
  5  the box cannot be reached, or no repository can
  6  not done yet: it waits for signatures, for a person, or for a better moment`

/** @returns the program; nothing runs until it is given arguments */
export function buildCli(actions: CliActions, terminal: Terminal, options: CliOptions): Command {
  const program = new Command('roadcase')
    .description('Runs a venue box, and operates one that runs on this machine.')
    .version(options.version)
    .option('--json', 'write JSON, for programs', false)
    .option(
      '--state <folder>',
      'state folder of the box (or ROADCASE_STATE; "state" in ROADCASE_HOME)',
      options.stateFolder,
    )
    .configureHelp({ showGlobalOptions: true, optionDescription })
    .configureOutput({
      writeOut: text => terminal.write(text),
      writeErr: text => terminal.writeError(text),
      getOutHasColors: () => terminal.isColour,
      getErrHasColors: () => terminal.isColour,
    })
    .showHelpAfterError('Run "roadcase --help", or "roadcase COMMAND --help" for an example.')
    .exitOverride()
    .addHelpText('after', EXIT_CODES)
    .addHelpText('after', '\nExample:\n  $ roadcase run --board simulated')
  const setting: CliSetting = {
    actions,
    terminal,
    isJson: () => program.opts<{ json: boolean }>().json,
    stateFolder: () => program.opts<{ state: string }>().state,
    link: () => actions.link(program.opts<{ state: string }>().state),
  }
  addRun(program, setting)
  addDocuments(program, setting)
  addOperating(program, setting)
  addReleaseBuild(commandOf(program, 'release'), setting)
  addReleaseOs(commandOf(program, 'release'), setting)
  addPrint(program, setting)
  addJobs(program, setting)
  addStatus(program, setting)
  addLateness(program, setting)
  addClock(program, setting)
  addTimecode(program, setting)
  addVenue(program, setting)
  addOta(program, setting, options.home)
  addLogs(program, setting)
  addClockSet(program, setting)
  addKeys(program, setting)
  addRelease(program, setting)
  return program
}

/** Without a default that tells nobody anything: none, off, empty. */
function optionDescription(option: Option): string {
  return new Help().optionDescription(option).replace(/ \(default: (null|false|\[\]|"")\)$/, '')
}

function commandOf(program: Command, name: string): Command {
  const command = program.commands.find(one => one.name() === name)
  assert(command !== undefined, `the command ${name} is there`)
  return command
}

/**
 * Runs one command line to its end.
 * @param words what stands after `roadcase`
 * @returns the exit code; never throws
 */
export async function runCli(
  words: readonly string[],
  actions: CliActions,
  terminal: Terminal,
  options: CliOptions,
): Promise<number> {
  try {
    await buildCli(actions, terminal, options).parseAsync([...words], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return end(terminal, endingOf(error))
  }
}

function end(terminal: Terminal, { exitCode, message }: Ending): number {
  terminal.writeError(`${paintFor(terminal).red('roadcase:')} ${message}\n`)
  return exitCode
}
