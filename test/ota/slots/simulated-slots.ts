/** Slots on a simulated disk, for tests that cut the power at any call. */
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPrograms } from '../../../drivers/simulated/programs.js'
import { SimulatedSlotDisk, type SimulatedWriter } from '../../../drivers/simulated/slot-disk.js'
import { type Choice, type ChoicePorts, chooseSlot } from '../../../ota/slots/choice.js'
import type { Installer } from '../../../ota/slots/installer.js'
import { SELF_TEST_WORDS } from '../../../ota/slots/launcher-update.js'
import { SlotAgent, type StartedFrom } from '../../../ota/slots/slot-agent.js'
import { atOnce } from '../../../ota/slots/slot-check.js'
import type { SlotName } from '../../../ota/slots/slot-state.js'
import { StateStore } from '../../../ota/slots/state-store.js'
import type { SlotDisk } from '../../../runtime/ports/slot-disk.js'
import type { SmallRelease } from './small-release.js'

export const unhurried = { progress: () => {}, isCancelled: () => false }

/** Nobody is disturbed, and there is room. */
export const anyTime = { pause: atOnce, makeSure: atOnce, mayReplace: () => true }

/** One boot of a box: what the launcher and the updater of this boot hold on to. */
export interface Boot {
  readonly disk: SlotDisk & SimulatedWriter
  readonly choice: ChoicePorts
  readonly log: SimulatedLog
  /** The test of a launcher comes out as `outcome` says. */
  readonly programs: SimulatedPrograms
  readonly clock: SimulatedClock
  /** What the launcher does before it starts anything. */
  choose(): Promise<Choice | null>
  agent(running: SlotName | null, started?: Partial<StartedFrom>): SlotAgent
  installer(wanted: SmallRelease): Installer
}

export function bootOf(
  slotDisk: SimulatedSlotDisk,
  options: { callsUntilPowerCut: number; random: () => number },
): Boot {
  const disk = slotDisk.boot(options)
  const log = new SimulatedLog()
  const keys = new SimulatedKeys(options.random)
  const store = new StateStore({ disk, keys, log })
  const choice = { disk, keys, log, store }
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const programs = new SimulatedPrograms(() => ({ hear: () => {} }))
  programs.outcome = { exitCode: 0, said: SELF_TEST_WORDS }
  return {
    disk,
    choice,
    log,
    programs,
    clock,
    choose: () => chooseSlot(choice, null),
    agent: (slot, { isPassedOver = false, isPreviousLauncher = false } = {}) =>
      new SlotAgent(
        { disk, keys, log, programs, clock },
        { slot, isPassedOver, isPreviousLauncher },
      ),
    installer: ({ files }) => ({
      install: async folder => {
        for (const { path, bytes, isExecutable } of files)
          await disk.put(`${folder}/${path}`, bytes, isExecutable)
      },
    }),
  }
}

/** A box that has been started from this release, in slot a, for the first time. */
export async function startedWith(
  release: SmallRelease,
): Promise<{ readonly disk: SimulatedSlotDisk; readonly boot: Boot }> {
  const disk = new SimulatedSlotDisk()
  const boot = bootOf(disk, { callsUntilPowerCut: Number.POSITIVE_INFINITY, random: () => 0 })
  await boot.installer(release).install('slots/a', unhurried.progress, unhurried.isCancelled)
  await boot.disk.syncTree('slots/a')
  await boot.choose()
  return { disk, boot }
}
