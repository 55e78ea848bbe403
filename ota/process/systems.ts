/** The two operating systems of this machine, where ota.json names them, and their updater. */
import { LinuxBrotli } from '../../drivers/linux/brotli.js'
import { LinuxFirmware, type RebootCommands } from '../../drivers/linux/firmware.js'
import type { Libc } from '../../drivers/linux/libc.js'
import { LinuxPartition } from '../../drivers/linux/partition.js'
import { type RaucCommands, usualRauc } from '../../drivers/linux/rauc.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Fetcher } from '../fetch/fetcher.js'
import type { Shelf } from '../fetch/shelf.js'
import { OsAgent, type OsPlace, type OsPorts } from '../os/os-agent.js'
import type { OsSystem } from '../os/os-system.js'
import type { RecordPorts } from '../slots/two-records.js'
import type { ControlledSystems } from '../updater/control.js'
import type { OsTurns, OsUpdaterOptions, OsUpdaterPorts } from '../updater/os-parts.js'
import { notUpdated } from '../updater/os-report.js'
import { OsUpdater } from '../updater/os-updater.js'
import type { Orders, SlotWork } from '../updater/parts.js'
import { ShelvedSystems } from '../updater/shelved-systems.js'
import type { TrybootConfig, UpdaterConfig } from '../updater/updater-config.js'
import { openRauc } from './rauc.js'

/** Where a Raspberry Pi says how it was started, and whom to ask on a machine with RAUC. */
export interface Machine {
  readonly deviceTree: string
  readonly bootIdFile: string
  /** Undefined: systemd's. */
  readonly commands?: RebootCommands
  /** Undefined: the usual ones. */
  readonly rauc?: RaucCommands
}

export const raspberryPi: Machine = {
  deviceTree: '/proc/device-tree/chosen/bootloader',
  bootIdFile: '/proc/sys/kernel/random/boot_id',
}

interface SystemParts extends RecordPorts {
  readonly clock: Clock
  /** Of the updater. */
  readonly home: string
  /** Of child programs. */
  readonly environment: NodeJS.ProcessEnv
  readonly calls: Pick<Libc, 'dropCache'>
  readonly slots: Pick<SlotWork, 'view'>
  readonly machine: Machine
}

function openSystem(config: NonNullable<UpdaterConfig['os']>, parts: SystemParts): OsSystem {
  const { disk, keys, log, clock, calls, home, slots } = parts
  const isAppOnTrial = async (): Promise<boolean> => {
    const { isOnTrial, isRestartDue } = await slots.view()
    return isOnTrial || isRestartDue
  }
  const ports = { disk, keys, log, isAppOnTrial }
  if (config.kind === 'tryboot') return openTryboot(config, { ...ports, calls }, parts.machine)
  const usual = { ...usualRauc, environment: parts.environment }
  return openRauc({ ...ports, clock, calls, home }, parts.machine.rauc ?? usual)
}

function openTryboot(
  { autobootFolder: bootFolder, a, b }: TrybootConfig,
  { calls, ...ports }: Omit<OsPorts, 'firmware' | 'places'> & Pick<SystemParts, 'calls'>,
  { deviceTree, bootIdFile, commands }: Machine,
): OsAgent {
  const place = ({ partition, boot, root }: TrybootConfig['a']): OsPlace => ({
    number: partition,
    partitions: { boot: new LinuxPartition(boot, calls), root: new LinuxPartition(root, calls) },
  })
  return new OsAgent({
    ...ports,
    firmware: new LinuxFirmware({ bootFolder, deviceTree, bootIdFile }, calls, commands),
    places: { a: place(a), b: place(b) },
  })
}

export interface SystemsParts
  extends Omit<SystemParts, 'calls' | 'machine' | 'log' | 'keys' | 'clock'>,
    Omit<OsUpdaterPorts, 'system' | 'objects'> {
  /** Null: the machine's own calls cannot be made. */
  readonly calls: Pick<Libc, 'dropCache'> | null
  readonly fetcher: Fetcher
  readonly shelf: Shelf
  readonly freeBytes: () => Promise<number | null>
  readonly machine?: Machine
}

export interface ComposedSystems {
  readonly turns: OsTurns
  /** Null where no system is updated. */
  readonly control: ControlledSystems | null
  readonly isAskedFor: () => boolean
  /** For the part that removes what nobody wants: nothing of the systems goes, or counts as what could. */
  readonly shelf: Pick<Shelf, 'keepOnly' | 'heldByteCounts'>
  /** What is ordered is known here before the updater begins anything. */
  hear(orders: Orders): Orders
  stop(): Promise<void>
}

/** Costs nothing where ota.json names no systems. */
export function composeSystems(parts: SystemsParts, options: OsUpdaterOptions): ComposedSystems {
  const { calls, fetcher, shelf } = parts
  const { config } = options
  if (config.os === null || calls === null) {
    const why = config.os === null ? 'ota.json has no "os"' : 'libc cannot be called'
    const turns: OsTurns = {
      turn: async () => {},
      whyNoAppTrial: () => undefined,
      report: () => notUpdated(why),
    }
    const nothing = { control: null, isAskedFor: () => false, stop: async () => {} }
    return { ...nothing, turns, shelf, hear: orders => orders }
  }
  const system = openSystem(config.os, { ...parts, calls, machine: parts.machine ?? raspberryPi })
  const objects: ShelvedSystems = new ShelvedSystems({
    ...{ fetcher, shelf, brotli: new LinuxBrotli(), othersWant: () => updater.releaseObjects },
    freeBytes: parts.freeBytes,
    mayUseUplink: () => !config.isMetered || config.policy.mayUseMetered || updater.isAskedFor(),
  })
  const updater: OsUpdater = new OsUpdater({ ...parts, system, objects }, options)
  return {
    turns: updater,
    control: updater,
    isAskedFor: () => updater.isAskedFor(),
    shelf: {
      keepOnly: wanted => shelf.keepOnly([...wanted, ...objects.wanted]),
      heldByteCounts: wanted => shelf.heldByteCounts([...wanted, ...objects.wanted]),
    },
    hear: orders => ({
      look: async () => {
        const look = await orders.look()
        objects.expect(look.os?.order?.description ?? null)
        return look
      },
      recall: async () => {
        const look = await orders.recall()
        if (look !== null) objects.expect(look.os?.order?.description ?? null)
        return look
      },
    }),
    stop: () => updater.stop(),
  }
}
