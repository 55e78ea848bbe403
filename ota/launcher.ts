/**
 * The program that pm2 or systemd starts on a box with two slots: one file, without packages, outside of the slots. It
 * starts the release that is to run, keeps it running, watches a trial, and goes back by itself.
 *
 *   node launcher.mjs [ARGUMENT OF THE BOX...]      ROADCASE_HOME names the folder of the slots
 *   node launcher.mjs --self-test                   reads the slots, starts nothing
 *
 * It ends with 0 when it was asked to, with 75 when another launcher has taken its place and is to be started.
 */
import { createServer } from 'node:net'
import { basename, resolve } from 'node:path'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { LinuxKeys } from '../drivers/linux/keys.js'
import { PlainLog } from '../drivers/linux/plain-log.js'
import { LinuxPrograms } from '../drivers/linux/programs.js'
import { LinuxSlotDisk } from '../drivers/linux/slot-disk.js'
import { messageOf } from '../runtime/core/errors.js'
import { readOrders } from './slots/launch-orders.js'
import { Launcher } from './slots/launcher.js'
import { LAUNCHER_FILE, SELF_TEST, SELF_TEST_WORDS } from './slots/launcher-update.js'
import { noSlots, startOrder } from './slots/slot-state.js'
import { StateStore } from './slots/state-store.js'
import { type Limits, usualLimits } from './slots/supervision.js'

const EXIT_REPLACED = 75
const EXIT_FAILED = 70
/** Longer than the box takes to stop all of its parts. */
const PATIENCE_MS = 15_000
/** Together with it less than TimeoutStopSec of the unit. */
const STUCK_MS = 10_000
const LIMIT_MS_MAX = 3_600_000

const home = resolve(process.env['ROADCASE_HOME'] ?? '/var/lib/roadcase')
const clock = new LinuxClock(ownAnchor())
const log = new PlainLog(clock, { process: 'launcher', fd: 1 })
const disk = new LinuxSlotDisk(home, null)
const keys = new LinuxKeys()
const store = new StateStore({ disk, keys, log })

async function selfTest(): Promise<void> {
  const [first] = startOrder((await store.read()) ?? noSlots)
  if (first === undefined) throw new Error(`no slot of ${home} is to be started`)
  await readOrders(disk, first.slot)
  process.stdout.write(`${SELF_TEST_WORDS}\n`)
}

async function launch(): Promise<number> {
  await claimHome()
  log.info('launcher.started', { home, pid: process.pid, node: process.version })
  const options = {
    home,
    environment: {
      ROADCASE_STATE: `${home}/state`,
      ...process.env,
      // The script starts the one before when the one in place fails.
      ROADCASE_LAUNCHER_FILE: basename(process.argv[1] ?? LAUNCHER_FILE),
    },
  }
  const programs = new LinuxPrograms(clock, options)
  const launcher = new Launcher(
    { disk, keys, log, store, clock, programs },
    {
      limits: limitsOf(process.env),
      boxWords: process.argv.slice(2),
      patienceMs: PATIENCE_MS,
      stuckMs: STUCK_MS,
      onReady: () => process.send?.('ready'),
    },
  )
  // Both at once, or one of them twice, is one wish: systemd tells everybody in the unit, and the shell passes it on.
  process.on('SIGTERM', () => launcher.end())
  process.on('SIGINT', () => launcher.end())
  process.on('message', message => {
    if (message === 'shutdown') launcher.end()
  })
  return (await launcher.run()) === 'replaced' ? EXIT_REPLACED : 0
}

/** Two launchers would be two writers. The kernel lets go of the name when this process is gone, however it goes. */
function claimHome(): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy())
    server.once('error', cause => {
      reject(new Error(`a launcher of ${home} runs already`, { cause }))
    })
    // A digest, since the kernel cuts off what is longer than 107 bytes.
    const name = keys.sha256Hex(new TextEncoder().encode(home))
    server.listen(`\0roadcase-launcher:${name}`, () => {
      server.unref()
      resolve()
    })
  })
}

/** For boards that are slower than any that was measured, and for tests. */
function limitsOf(environment: NodeJS.ProcessEnv): Limits {
  return {
    readyMs: msOf(environment['ROADCASE_READY_MS'], usualLimits.readyMs),
    silenceMs: msOf(environment['ROADCASE_SILENCE_MS'], usualLimits.silenceMs),
    trialMs: msOf(environment['ROADCASE_TRIAL_MS'], usualLimits.trialMs),
  }
}

function msOf(text: string | undefined, usual: number): number {
  const ms = Number(text ?? usual)
  return Number.isInteger(ms) && ms > 0 && ms <= LIMIT_MS_MAX ? ms : usual
}

/** Not by Node's own last words: those wait for whoever reads them. */
function fail(error: unknown): void {
  log.error('launcher.failed', { problem: messageOf(error), stack: stackOf(error) })
  leave(EXIT_FAILED)
}

const stackOf = (error: unknown): string | null =>
  error instanceof Error ? (error.stack ?? null) : null

function leave(code: number): void {
  log.flush()
  process.exit(code)
}

process.on('uncaughtException', fail)
const work = process.argv[2] === SELF_TEST ? selfTest().then(() => 0) : launch()
work.then(leave, fail)
