/**
 * The updater as a process, beside the box and started by the launcher: puts the parts together, answers `roadcase ota`,
 * and ends when it is told to. It survives the box, and the box survives it.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { ControlDoor } from '../drivers/linux/control-door.js'
import { LinuxLog } from '../drivers/linux/log.js'
import { messageOf } from '../runtime/core/errors.js'
import { CONTROL_FILE, CONTROL_LINE_BYTES_MAX } from '../runtime/core/ota-control.js'
import { packageFolder, packageVersion } from '../runtime/version.js'
import { Asking } from './process/asking.js'
import { composeUpdater } from './process/compose.js'
import { readSettings, settingsText } from './process/settings.js'
import { SettingsWatch } from './process/settings-watch.js'
import { isPing, SHUTDOWN } from './slots/messages.js'
import { answerControl } from './updater/control.js'

const CONTROL_PATIENCE_MS = 10_000
const EXIT_FAILED = 70

const home = resolve(process.env['ROADCASE_HOME'] ?? '/var/lib/roadcase')
const slot = process.env['ROADCASE_SLOT']
let isReady = false
const clock = new LinuxClock(ownAnchor())
const log = new LinuxLog(clock, { process: 'updater', fd: 1 })

/** From the first moment on: a launcher that has to wait for an answer is late with the release that works. */
let end = (): void => {}
const ended = endAsked()

async function main(): Promise<void> {
  const settings = await readSettings(home)
  if (settings.lacking !== null) log.warn('ota.lacking', { what: settings.lacking })
  const script = join(import.meta.dirname, 'apply.js')
  const updater = await composeUpdater({
    home,
    slot: slot === 'a' || slot === 'b' ? slot : null,
    stateFolder: process.env['ROADCASE_STATE'] ?? join(home, 'state'),
    releaseFolder: packageFolder,
    version: packageVersion,
    applyScript: existsSync(script) ? script : join(packageFolder, 'dist/program/apply.js'),
    settings,
    clock,
    log,
    send: message => void process.send?.(message),
  })
  const door = new ControlDoor(join(home, 'ota', CONTROL_FILE), {
    lineBytesMax: CONTROL_LINE_BYTES_MAX,
    patienceMs: CONTROL_PATIENCE_MS,
  })
  const watch = new SettingsWatch({
    clock,
    log,
    read: () => settingsText(home),
    state: () => updater.control.state(),
    end: () => end(),
  })
  await updater.start()
  await watch.start()
  const asking = new Asking({
    ...{ clock, log, door },
    answer: async line =>
      JSON.stringify(await answerControl(updater.control, line, updater.systems)),
  })
  await asking.start()
  log.info('ota.ready', { home, slot, tour: settings.config.tour })
  process.send?.('ready')
  isReady = true
  await ended
  await watch.stop()
  await asking.stop()
  await updater.stop()
  log.info('ota.stopped')
  log.flush()
  process.exit(0)
}

function endAsked(): Promise<void> {
  return new Promise(resolve => {
    end = resolve
    process.on('SIGINT', () => end())
    process.on('SIGTERM', () => end())
    process.on('message', message => {
      if (message === SHUTDOWN) end()
      if (isPing(message)) process.send?.({ kind: 'pong' })
    })
    // Without its launcher, another one would start a second updater beside this one.
    if (process.channel !== undefined) process.on('disconnect', () => end())
  })
}

const crash = (thrown: unknown): void => {
  log.error('ota.crashed', { error: thrown })
  log.flush()
  process.stderr.write(
    `roadcase updater: ${thrown instanceof Error ? thrown.stack : messageOf(thrown)}\n`,
  )
  process.exit(EXIT_FAILED)
}
process.on('uncaughtException', crash)
process.on('unhandledRejection', crash)
void ended.then(() => {
  if (!isReady) process.exit(0)
})
main().catch(crash)
