/**
 * A system on trial on which the machine does not say what runs: RAUC is missing there, or the folder of autoboot.txt. Nobody
 * can judge it, or tell the boot loader anything. What is left is a plain reboot, which the boot loader counts, or which ends
 * the trial: decision 0087. What is known here comes from the records and from the kernel or the firmware alone.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { RecordPorts, TwoRecords } from '../slots/two-records.js'
import { osRecords } from './os-record.js'
import {
  nothingKnown,
  type OsName,
  type OsSlot,
  type OsState,
  osNames,
  otherOs,
  refusal,
  startedUnasked,
  withSlot,
} from './os-state.js'
import type { LastLook, OsStatus } from './os-system.js'

/** Twice what RAUC gives a system by itself: more of them lead nowhere, as where nobody counts. */
export const SILENT_REBOOTS_MAX = 6
const WHY_LETTERS_MAX = 256

export interface BootFacts {
  /** Null: the kernel does not say it. */
  readonly running: OsName | null
  readonly bootId: string
}

/** The slot of a system on trial that nobody can judge; null: as far as can be told none runs. */
export function silentTrialOf(state: OsState, { running, bootId }: BootFacts): OsName | null {
  const isAskedNow = osNames.some(name => {
    const slot = state.slots[name]
    return slot.kind === 'trial' && slot.askedIn === bootId
  })
  // The reboot that was asked for has not come yet: this is home.
  if (isAskedNow) return null
  // Without the kernel's word only what was asked for counts: what is merely written waits at home, most likely.
  if (running === null) return osNames.find(name => state.slots[name].kind === 'trial') ?? null
  return ['trial', 'written', 'writing'].includes(state.slots[running].kind) ? running : null
}

/** Which system runs, by what the kernel said at home. */
export function runningBy({ home }: OsState, startedFrom: string | null): OsName | null {
  if (home === null || startedFrom === null) return null
  return startedFrom === home.startedFrom ? home.name : otherOs(home.name)
}

/** How often the box has asked to leave it, in boots. */
export const silentReboots = (slot: OsSlot): number =>
  slot.kind === 'trial' ? (slot.silence?.reboots ?? 0) : 0

/**
 * One reboot more, in this boot. To be on the disk before it, and to stay there: who was told that it is refused, because the
 * answer was late for instance, does not know that it does not come.
 */
export function countReboot(state: OsState, name: OsName, bootId: string, why: string): OsState {
  const slot = state.slots[name]
  if (slot.kind === 'unknown' || slot.kind === 'good' || slot.kind === 'failed') return state
  const attempts = slot.kind === 'written' ? slot.attempts : 0
  const trial = slot.kind === 'trial' ? slot : startedUnasked(slot.image, attempts)
  const reboots = silentReboots(sinceBoot(slot, bootId)) + 1
  const isWhole = slot.kind === 'trial' ? (slot.silence?.isWhole ?? true) : slot.kind === 'written'
  const silence = { reboots, countedIn: bootId, isWhole, why: why.slice(0, WHY_LETTERS_MAX) }
  return withSlot(state, name, { ...trial, silence })
}

/** As it was when this boot began: what was counted in it has not come yet. */
function sinceBoot(slot: OsSlot, bootId: string): OsSlot {
  if (slot.kind !== 'trial' || slot.silence?.countedIn !== bootId) return slot
  const { silence } = slot
  return { ...slot, silence: { ...silence, reboots: silence.reboots - 1, countedIn: '' } }
}

export interface SilentPorts extends RecordPorts {
  /** @throws BoxError `os.unsupported` on a machine that does not even say this */
  boot(state: OsState): Promise<BootFacts>
  reboot(): Promise<void>
}

export class SilentTrials {
  readonly #ports: SilentPorts
  readonly #records: TwoRecords<OsState>

  constructor(ports: SilentPorts, records: TwoRecords<OsState>) {
    this.#ports = ports
    this.#records = records
  }

  /** As `OsSystem.silentTrial`. */
  async look(): Promise<OsStatus | null> {
    const { state, name, bootId } = await this.#look()
    if (name === null) return null
    const { slots, floor, refused } = withSlot(state, name, sinceBoot(state.slots[name], bootId))
    const usual = otherOs(name)
    return {
      ...{ running: name, usual, isTrial: true, wayBack: usual, isGoingDown: false },
      ...{ slots, floor, refused },
    }
  }

  /** As `OsSystem.leave`. */
  async leave(why: string, isAsked: boolean, whyNot: LastLook): Promise<void> {
    const { state, name, bootId } = await this.#look()
    if (name === null) throw refusal('no system is on trial, as far as the records tell')
    if (!isAsked && silentReboots(sinceBoot(state.slots[name], bootId)) >= SILENT_REBOOTS_MAX)
      throw refusal(`${SILENT_REBOOTS_MAX} reboots have led back to it`)
    const next = countReboot(state, name, bootId, why)
    await this.#records.write(next)
    await this.#needMedium()
    // A card near its end takes its time for that. What was counted in this boot is not counted in it again.
    const barred = await whyNot()
    if (barred !== null) throw refusal(barred)
    const { log, reboot } = this.#ports
    log.error('os.left', { system: name, reboots: silentReboots(next.slots[name]), why })
    await reboot()
  }

  async #look(): Promise<{ state: OsState; name: OsName | null; bootId: string }> {
    const state = (await this.#records.read()) ?? nothingKnown
    try {
      const facts = await this.#ports.boot(state)
      return { state, name: silentTrialOf(state, facts), bootId: facts.bootId }
    } catch (error) {
      if (error instanceof BoxError && error.code === 'os.unsupported')
        return { state, name: null, bootId: '' }
      throw error
    }
  }

  /** A card at its end takes what is written, and has forgotten it after the reboot: nothing would end the reboots. */
  async #needMedium(): Promise<void> {
    const { disk } = this.#ports
    let count = 0
    for (const name of osRecords.files) {
      try {
        const written = await disk.sha256(name, 'memory')
        if ((await disk.sha256(name, 'disk')) !== written)
          throw new BoxError('storage.rotten', `${name}: the card does not keep what is written`)
        count++
      } catch (error) {
        // One that cannot be read: that is what the other one is for.
        if (!(error instanceof BoxError) || error.code !== 'storage.io') throw error
      }
    }
    if (count === 0) throw new BoxError('storage.io', 'neither record of the systems can be read')
  }
}
