#!/usr/bin/env node
/** The `roadcase` command as a process: its terminal, its environment, and what its actions are made of. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Board } from '../boards/board.js'
import { boardByName } from '../boards/catalogue.js'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { LinuxKeys } from '../drivers/linux/keys.js'
import { linuxPictures } from '../drivers/linux/pictures.js'
import { SimulatedHost } from '../drivers/simulated/host.js'
import type { CliActions, ReleaseBuildWish, RunOptions } from './cli/actions.js'
import { boardReport } from './cli/board-report.js'
import { HttpBoxLink } from './cli/box-link.js'
import { checkFile } from './cli/check-file.js'
import { CliFailure, exitCodes } from './cli/failure.js'
import { keySource, publishOptions } from './cli/key-options.js'
import { otaLink } from './cli/ota-link.js'
import { printPreview } from './cli/print-preview.js'
import { runCli } from './cli/program.js'
import { diffReport, simulateReport } from './cli/show-reports.js'
import { paintFor, type Terminal } from './cli/terminal.js'
import type { BoxConfig } from './config.js'
import { type Fitted, fitDevices, knownDevices } from './fitting.js'
import { loadBox } from './load.js'
import { ownBoard } from './machine.js'
import { loadPrintShop } from './print-shop.js'
import { packageFolder, packageVersion } from './version.js'

const keys = new LinuxKeys()

const actions: CliActions = {
  run,
  check: (file, boardName) => {
    const board = boardByName(boardName)
    return checkFile(file, {
      keys,
      fit: config => knownDevices(config, fitOn(board, config)),
      printShop: (folder, config) => loadPrintShop(folder, config.printing, linuxPictures),
    })
  },
  simulate: (file, options) => simulateReport(file, options, keys),
  diff: (before, after) => diffReport(before, after, keys),
  board: async (name, configFile, isColour) => {
    const board = name === null ? await ownBoard() : boardByName(name)
    const config = configFile === null ? null : (await loadBox(configFile)).config
    return boardReport(board, wiringOf(config === null ? [] : fitOn(board, config)), isColour)
  },
  preview: (options, isColour) =>
    printPreview(options, {
      pictures: linuxPictures,
      loadConfig: async file => (await loadBox(file)).config,
      printShop: (folder, printing) => loadPrintShop(folder, printing, linuxPictures),
      wallMs: () => new LinuxClock(ownAnchor()).wallTimeMs(),
      paint: paintFor({ ...terminal, isColour }),
    }),
  buildRelease,
  buildOs: async (wish, say) => {
    const { buildOs } = await import('../ota/os-build.js')
    return buildOs(wish, say)
  },
  link: stateFolder => new HttpBoxLink(stateFolder),
  otaLink,
  // What signs and publishes is large, and no other command needs it.
  keys: async flags => {
    const { KeysTool, openRing } = await import('../ota/keys-cli.js')
    return new KeysTool(openRing(keySource(flags, process.env)))
  },
  publishing: async flags => {
    const { PublishTool } = await import('../ota/publish-cli.js')
    return new PublishTool(publishOptions(flags, process.env))
  },
}

/**
 * Becomes the very process that systemd and pm2 run, with its signals and its last words: a second process in between
 * would hear every signal twice and could die alone.
 */
async function run({ configFile, boardName, stateFolder }: RunOptions): Promise<void> {
  process.argv = [
    ...process.argv.slice(0, 2),
    ...['--config', configFile, '--state', stateFolder],
    ...(boardName === null ? [] : ['--board', boardName]),
  ]
  await import('./main.js')
}

/** What builds releases is no part of one: each checkout is built by what its own `npm run build` made. */
const BUILDER = 'dist/ota/release-build.js'
type Builder = Pick<typeof import('../ota/release-build.js'), 'buildRelease'>

async function buildRelease(
  wish: ReleaseBuildWish,
  say: (what: string) => void,
): ReturnType<CliActions['buildRelease']> {
  const checkout = resolve(wish.checkout ?? packageFolder)
  const file = join(checkout, BUILDER)
  if (!existsSync(file))
    throw new CliFailure(
      exitCodes.refused,
      `${checkout} is not a checkout that can be built; name one with --checkout, after "npm ci" and "npm run build" there`,
    )
  // A release never changes: one for a board that nobody has would be for nobody.
  for (const name of wish.objects?.boards ?? []) boardByName(name)
  const { buildRelease }: Builder = await import(pathToFileURL(file).href)
  return buildRelease({ ...wish, checkout }, say)
}

/** Builds the devices of a box.json on wires of memory. @throws ConfigError */
function fitOn(board: Board, config: BoxConfig): readonly Fitted[] {
  const clock = new LinuxClock(ownAnchor())
  return fitDevices(config, new SimulatedHost(board, clock), clock)
}

/** Devices share a bus, so a name may stand for several. */
function wiringOf(fitted: readonly Fitted[]): ReadonlyMap<string, string> {
  const wiring = new Map<string, string>()
  for (const { device, resources } of fitted) {
    const names = [...resources.lines, ...resources.i2c.map(([bus]) => bus), ...resources.pwm]
    for (const name of new Set(names)) {
      const others = wiring.get(name)
      wiring.set(name, others === undefined ? device.name : `${others}, ${device.name}`)
    }
  }
  return wiring
}

/** Where the launcher lets the box keep its state; null on a machine without slots. */
function stateOfSlots(): string | null {
  const home = process.env['ROADCASE_HOME']
  return home === undefined ? null : join(home, 'state')
}

/** NO_COLOR (https://no-color.org): present and not empty means none. */
const isColour = process.stdout.isTTY === true && !process.env['NO_COLOR']

const terminal: Terminal = {
  write: text => void process.stdout.write(text),
  writeError: text => void process.stderr.write(text),
  isColour,
}

// Whoever reads has read enough, as `head` does.
process.stdout.on('error', () => process.exit(exitCodes.ok))

const exitCode = await runCli(process.argv.slice(2), actions, terminal, {
  version: packageVersion,
  stateFolder: process.env['ROADCASE_STATE'] ?? stateOfSlots() ?? '.roadcase',
  home: process.env['ROADCASE_HOME'] ?? '/var/lib/roadcase',
})
// A box that goes on has its own ending to tell.
if (exitCode !== exitCodes.ok) process.exitCode = exitCode
