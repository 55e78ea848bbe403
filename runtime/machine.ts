/**
 * What the box stands on. A simulated board has simulated wires and chips, and everything else real: the disk, the
 * clock and the network are those of the machine it runs on, so that what is tried on a laptop is what runs on a box.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Board } from '../boards/board.js'
import { boardByName, detectBoard } from '../boards/catalogue.js'
import { simulated as simulatedBoard } from '../boards/simulated.js'
import { LinuxAttachments } from '../drivers/linux/attachments.js'
import { Claims } from '../drivers/linux/claims.js'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { LinuxFiles } from '../drivers/linux/files.js'
import { LinuxHost } from '../drivers/linux/host.js'
import { LinuxI2cBuses } from '../drivers/linux/i2c.js'
import { LinuxKeys } from '../drivers/linux/keys.js'
import type { LinuxLog } from '../drivers/linux/log.js'
import { LinuxNetwork } from '../drivers/linux/network.js'
import { linuxPictures } from '../drivers/linux/pictures.js'
import { LinuxPowerSwitch } from '../drivers/linux/power-switch.js'
import { SqliteStore } from '../drivers/linux/sqlite.js'
import { LinuxVitals } from '../drivers/linux/vitals.js'
import { SimulatedHost, wellBehaved } from '../drivers/simulated/host.js'
import { SimulatedPowerSwitch } from '../drivers/simulated/power-switch.js'
import type { BoxConfig } from './config.js'
import { BoxError } from './core/errors.js'
import { monotonicMs } from './core/time.js'
import { laptopAttachments } from './laptop-attachments.js'
import type { Clock } from './ports/clock.js'
import type { Files } from './ports/files.js'
import type { Host } from './ports/host.js'
import type { Keys } from './ports/keys.js'
import type { Log } from './ports/log.js'
import type { Network } from './ports/network.js'
import type { Pictures } from './ports/pictures.js'
import type { PowerSwitch } from './ports/power-switch.js'
import type { ShowTimeline } from './ports/show-timeline.js'
import type { Store } from './ports/store.js'
import type { Vitals } from './ports/vitals.js'
import { readTimeline, showAtZero } from './services/timeline.js'
import { openTimeParts, type TimeParts } from './time-parts.js'

/** Every port that a box needs. */
export interface Machine extends TimeParts {
  readonly board: Board
  readonly clock: Clock
  /** The part of the clock that follows the venue's timeline. */
  readonly timeline: ShowTimeline
  readonly log: Log
  readonly store: Store
  /** Why nothing could be kept at the start; null: it could. `store` and `files` give what there is, and refuse the rest. */
  readonly cardTrouble: 'read-only' | 'full' | null
  readonly files: Files
  readonly keys: Keys
  readonly network: Network
  readonly vitals: Vitals
  readonly pictures: Pictures
  readonly powerSwitch: PowerSwitch
  readonly host: Host
  /** Changes at each boot of the machine. */
  readonly bootId: string
  /** The far side of the wires, where they are simulated. */
  readonly simulated: SimulatedHost | null
  /** Calls back when outputs were made safe behind the box's back, and must be set again. */
  onOutputsLost(listener: () => void): void
}

/** A machine that this process opened, and must close. */
export interface OpenMachine extends Machine {
  readonly log: LinuxLog
  /** Outputs to their safe states at once, whatever else is broken. Never throws. */
  safeNow(): void
  close(): Promise<void>
}

export interface MachineOptions {
  /** Null: asked of the machine. */
  readonly boardName: string | null
  readonly stateFolder: string
  readonly config: BoxConfig
  readonly venueKey: Uint8Array | null
  readonly log: LinuxLog
}

/** @throws ConfigError, BoxError `board.unknown`, `storage.io`, `storage.full` */
export async function openMachine({
  boardName,
  stateFolder,
  config,
  venueKey,
  log,
}: MachineOptions): Promise<OpenMachine> {
  const board = boardName === null ? await ownBoard() : boardByName(boardName)
  const files = new LinuxFiles(stateFolder)
  const bootId = (await readText('/proc/sys/kernel/random/boot_id')) ?? 'unknown'
  const clock = await showClock(files, log, bootId)
  const isTried = board.name === simulatedBoard.name
  const parts = await openTimeParts(clock, log, config, { stateFolder, venueKey, isTried })
  const store = new SqliteStore(join(stateFolder, 'store.sqlite'), log)
  const { trouble: cardTrouble } = await store.open()
  const ground = await openGround(board, clock, log, config).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const vitals = new LinuxVitals()
  vitals.start()
  return {
    ...ground,
    board,
    clock,
    timeline: clock,
    ...parts,
    log,
    store,
    cardTrouble,
    files,
    bootId,
    vitals,
    keys: new LinuxKeys(),
    network: new LinuxNetwork(),
    pictures: linuxPictures,
    close: async () => {
      await ground.close()
      vitals.stop()
      await store.close()
    },
  }
}

type Ground = Pick<
  OpenMachine,
  'host' | 'powerSwitch' | 'simulated' | 'onOutputsLost' | 'safeNow' | 'close'
>

async function openGround(
  board: Board,
  clock: Clock,
  log: Log,
  { gpio, heartbeatMs }: BoxConfig,
): Promise<Ground> {
  if (board.name === simulatedBoard.name) {
    const real = new LinuxAttachments(clock, new Claims())
    const options = { ...wellBehaved, isI2cTimed: true }
    const host = new SimulatedHost(board, clock, options, simulated =>
      laptopAttachments({ real, simulated }),
    )
    return {
      host,
      powerSwitch: new SimulatedPowerSwitch(log),
      simulated: host,
      onOutputsLost() {},
      safeNow() {},
      close: async () => {},
    }
  }
  const host = new LinuxHost(clock, log, new LinuxI2cBuses(clock, log), {
    board,
    gpio,
    heartbeatMs,
  })
  try {
    await host.start()
  } catch (error) {
    await host.stop()
    throw error
  }
  return {
    host,
    powerSwitch: new LinuxPowerSwitch(),
    simulated: null,
    onOutputsLost: listener => void host.heartbeatLost.listen(listener),
    safeNow: () => host.safeNow(),
    close: () => host.stop(),
  }
}

/** The clock whose timeline goes on where the last process left it. */
async function showClock(files: Files, log: Log, bootId: string): Promise<LinuxClock> {
  const machine = new LinuxClock(ownAnchor())
  const saved = await readTimeline(files, log)
  const now = { bootId, monotonic: machine.monotonicMs(), wall: machine.wallTimeMs() }
  return new LinuxClock({ show: showAtZero(saved, now), at: monotonicMs(0), errorMs: 0 })
}

/** The board that this machine says it is. @throws BoxError `board.unknown` */
export async function ownBoard(): Promise<Board> {
  const model = await readText('/proc/device-tree/model')
  if (model !== null) return detectBoard(model)
  throw new BoxError(
    'board.unknown',
    'this machine does not say what it is (no /proc/device-tree/model): name its board with --board, e.g. --board simulated',
  )
}

async function readText(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch {
    // Not every machine has it, and its absence is an answer.
    return null
  }
}
