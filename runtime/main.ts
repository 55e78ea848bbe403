/**
 * The box as a process: `npm start`, pm2 and systemd run this. Reads the environment, starts the box, says when it is
 * ready, and ends with every output in its safe state, whatever the reason.
 */
import { mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { isCardTrouble } from '../drivers/linux/card-trouble.js'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { LinuxLog } from '../drivers/linux/log.js'
import { preferMainThread } from '../drivers/linux/main-thread.js'
import { isPing, SHUTDOWN } from '../ota/slots/messages.js'
import { endingOf, exitCodes } from './cli/failure.js'
import { welcome } from './cli/welcome.js'
import { BoxError, messageOf } from './core/errors.js'
import { type RunningBox, runBox } from './run.js'
import { packageFolder } from './version.js'

const STANDARD_OUTPUT = 1
const STANDARD_ERROR = 2

const USAGE = `Usage: npm start -- [--config box.json] [--board NAME] [--state FOLDER] [--log FILE]
       (or: npx roadcase run --help)
`

interface Wanted {
  readonly configFile: string
  readonly boardName: string | null
  readonly stateFolder: string
  /** Null: standard output, for the journal. */
  readonly logFile: string | null
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      example: { type: 'boolean', default: false },
      config: { type: 'string' },
      board: { type: 'string' },
      state: { type: 'string' },
      log: { type: 'string' },
    },
  })
  // Naming a config of one's own is reason enough to leave the example.
  const isExample = values.example && values.config === undefined
  const stateFolder = values.state ?? process.env['ROADCASE_STATE'] ?? '.roadcase'
  return {
    configFile:
      values.config ??
      (isExample ? join(packageFolder, 'docs/examples/first-night/box.json') : 'box.json'),
    boardName: values.board ?? (isExample ? 'simulated' : null),
    stateFolder,
    logFile: values.log ?? (isExample ? join(stateFolder, 'box.log') : null),
  }
}

function openLog(logFile: string | null): { log: LinuxLog; close(): void } {
  const { fd, error } =
    logFile === null ? { fd: STANDARD_OUTPUT, error: null } : openLogFile(logFile)
  const log = new LinuxLog(new LinuxClock(ownAnchor()), { process: 'box', fd })
  if (error !== null) log.error('log.not-kept', { error })
  return {
    log,
    // The descriptor stays open: a line may still be on its way to it, and the process ends anyway.
    close: () => log.flush(),
  }
}

/** A box whose card takes no writes starts all the same, and its log goes to whoever started it. */
function openLogFile(file: string): { readonly fd: number; readonly error: BoxError | null } {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    return { fd: openSync(file, 'w', 0o600), error: null }
  } catch (cause) {
    const error = new BoxError('storage.io', `the log ${file} cannot be written`, { cause })
    if (!isCardTrouble(cause)) throw error
    return { fd: STANDARD_ERROR, error }
  }
}

async function main(): Promise<void> {
  const wanted = readArguments()
  const { log, close } = openLog(wanted.logFile)
  let box: RunningBox | null = null
  const crash = (thrown: unknown): void => {
    box?.safeNow()
    log.error('process.crashed', { error: thrown })
    close()
    process.stderr.write(`roadcase: ${thrown instanceof Error ? (thrown.stack ?? '') : thrown}\n`)
    process.exit(exitCodes.bug)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  preferMainThread(log)
  try {
    box = await runBox({ ...wanted, log })
  } catch (error) {
    log.error('box.not-started', { error })
    close()
    end(error)
    // Whatever half-started part might keep the process: its supervisor is to try again.
    process.exit()
  }
  if (wanted.logFile !== null) process.stdout.write(welcome(box, wanted))
  process.send?.('ready')
  await endAsked()
  log.info('box.stopping')
  await box.stop()
  log.info('box.stopped')
  close()
  // A supervisor's channel would keep the process alive, and all that was ours is closed.
  process.exit(exitCodes.ok)
}

/** What a person or the supervisor says to end the box; a second signal ends it without waiting. */
function endAsked(): Promise<void> {
  return new Promise(resolve => {
    let isAsked = false
    const ask = (): void => {
      if (isAsked) process.exit(exitCodes.bug)
      isAsked = true
      resolve()
    }
    // A word over the channel is never the second one: systemd has signalled the box when its launcher asks it, too.
    const askOnce = (): void => {
      if (!isAsked) ask()
    }
    process.on('SIGINT', ask)
    process.on('SIGTERM', ask)
    process.on('message', message => {
      if (message === SHUTDOWN) askOnce()
      // The launcher asks whether the main thread still turns.
      if (isPing(message)) process.send?.({ kind: 'pong' })
    })
    // Without its launcher, another one would start a second box beside this one.
    if (process.env['ROADCASE_SLOT'] !== undefined) process.on('disconnect', askOnce)
  })
}

/** What cannot be started says why in a sentence; a bug is thrown on, to be seen whole. */
function end(error: unknown): void {
  if (error instanceof TypeError && 'code' in error && isUsage(error.code)) {
    process.stderr.write(`roadcase: ${messageOf(error)}\n${USAGE}`)
    process.exitCode = exitCodes.usage
    return
  }
  const { exitCode, message } = endingOf(error)
  process.stderr.write(`roadcase: ${message}\n`)
  process.exitCode = exitCode
}

const isUsage = (code: unknown): boolean => `${code}`.startsWith('ERR_PARSE_ARGS')

main().catch(end)
