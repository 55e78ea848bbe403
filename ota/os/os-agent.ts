/** The operating systems as the updater sees them: it fills the one that does not run, and says what becomes of it. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Firmware } from '../../runtime/ports/firmware.js'
import { type RecordPorts, TwoRecords } from '../slots/two-records.js'
import { type Autoboot, digitOf, parseAutoboot } from './autoboot.js'
import { osRecords } from './os-record.js'
import {
  beginTrial,
  beginWrite,
  clear,
  fail,
  finishWrite,
  forget,
  isBundle,
  isTrial,
  markGood,
  mayBeTrial,
  nothingKnown,
  type OsFacts,
  type OsImage,
  type OsName,
  type OsState,
  osNames,
  otherOs,
  refusal,
  settle,
  wayBackOs,
  whyNotGood,
  whyNotTry,
  whyNotWrite,
} from './os-state.js'
import type { LastLook, OsStatus, OsSystem } from './os-system.js'
import {
  imageProblem,
  makeUnbootable,
  needRoom,
  type OsPartitions,
  type OsSource,
  type OsWishes,
  writeImages,
} from './os-writer.js'
import { SilentTrials } from './silent-trial.js'

export interface OsPlace {
  /** Number of the partition that the firmware reads, 1 to 9. */
  readonly number: number
  readonly partitions: OsPartitions
}

export interface OsPorts extends RecordPorts {
  readonly firmware: Firmware
  readonly places: Readonly<Record<OsName, OsPlace>>
  /** Whether a release of Roadcase is on trial, which must not be at the same time. */
  isAppOnTrial(): Promise<boolean>
}

interface Look {
  /** As it is in the records. */
  readonly known: OsState
  readonly state: OsState
  readonly facts: OsFacts
  readonly autoboot: Autoboot
}

/**
 * Every call may be killed at any moment and made again. Calls are made one after the other, by one process: the updater.
 * Once a reboot was asked for, all but questions throw `os.refused`. All of them throw `os.unsupported` on a machine that starts in another way.
 */
export class OsAgent implements OsSystem {
  readonly #ports: OsPorts
  readonly #records: TwoRecords<OsState>
  readonly #silent: SilentTrials
  #isGoingDown = false

  constructor(ports: OsPorts) {
    this.#ports = ports
    this.#records = new TwoRecords(ports, osRecords)
    const { firmware } = ports
    const boot = async () => {
      const { partition, bootId } = await firmware.booted()
      return { running: this.#nameOf(partition), bootId }
    }
    this.#silent = new SilentTrials(
      { ...ports, boot, reboot: () => firmware.reboot() },
      this.#records,
    )
  }

  /** What is known, after what the last boots mean; changes nothing. */
  async status(): Promise<OsStatus> {
    const { state, facts } = await this.#look()
    const { slots, floor, refused } = state
    const { running, usual } = facts
    const wayBack = wayBackOs(state, facts)
    return {
      running,
      usual,
      isTrial: isTrial(state, facts),
      slots,
      floor,
      refused,
      wayBack,
      isGoingDown: this.#isGoingDown,
    }
  }

  async mayBeTrial(): Promise<boolean> {
    return mayBeTrial(await this.#records.read())
  }

  silentTrial(): Promise<OsStatus | null> {
    return this.#silent.look()
  }

  async leave(why: string, isAsked: boolean, whyNot: LastLook): Promise<void> {
    if (this.#isGoingDown) throw refusal('the machine goes down')
    await this.#silent.leave(why, isAsked, whyNot)
    this.#isGoingDown = true
  }

  /** Every reason why this system is not written now; none: it may be. */
  async whyNot(image: OsImage): Promise<readonly string[]> {
    const { state, facts } = await this.#look()
    const reason = whyNotWrite(state, facts, image)
    return reason === null ? [] : [reason]
  }

  /** Every reason why what is written is not tried now; none: it may be. */
  async whyNoTrial(): Promise<readonly string[]> {
    const { state, facts } = await this.#look()
    const reason = whyNotTry(state, facts, await this.#ports.isAppOnTrial())
    return reason === null ? [] : [reason]
  }

  /**
   * Brings a system to the partitions that do not run, and verifies it from the medium. Done before is done.
   * @throws BoxError `os.refused`, `os.rotten`; whatever the source throws
   */
  async write(image: OsImage, source: OsSource, wishes: OsWishes): Promise<OsName> {
    const { state, facts } = await this.#settled()
    const target = otherOs(facts.running)
    const { partitions } = this.#ports.places[target]
    if (isBundle(image)) throw new BoxError('os.unsupported', 'a bundle is for a box with RAUC')
    if (await this.#isThere(state, target, image)) return target
    const begun = beginWrite(state, facts, image)
    await needRoom(partitions, image)
    await this.#records.write(begun)
    await makeUnbootable(partitions)
    try {
      await writeImages(partitions, image, source, wishes)
    } catch (error) {
      if (error instanceof BoxError && error.code === 'os.rotten') await this.#spoil(begun, target)
      throw error
    }
    await this.#records.write(finishWrite(begun, target))
    this.#ports.log.info('os.written', { system: target, version: image.version })
    return target
  }

  /**
   * Reboots into the written system, for one boot. Resolves when the machine goes down.
   * @param lastWord asked when all that takes long is done, and nothing is changed yet: a reason not to, or null
   * @throws BoxError `os.refused`, `os.rotten` when it is not any more what was written, `power.refused`
   */
  async tryBoot(lastWord: () => Promise<string | null> = nothingAgainst): Promise<void> {
    const { state, facts } = await this.#settled()
    const target = otherOs(facts.running)
    const next = beginTrial(state, facts, await this.#ports.isAppOnTrial())
    const { number, partitions } = this.#ports.places[target]
    const slot = next.slots[target]
    const problem = slot.kind === 'trial' ? await problemOf(partitions, slot.image) : null
    if (problem !== null) {
      await this.#spoil(state, target)
      throw new BoxError('os.rotten', `system ${target}: ${problem}`)
    }
    const objection = await lastWord()
    if (objection !== null) throw refusal(objection)
    await this.#records.write(next)
    await this.#choose('trial', number)
    this.#ports.log.warn('os.trial', { system: target })
    try {
      await this.#goDown(() => this.#ports.firmware.rebootOnTrial())
    } catch (error) {
      await this.#settled()
      throw error
    }
  }

  /**
   * The gate of the running trial is passed: a plain reboot starts it from now on.
   * @throws BoxError `os.refused` when what runs is not on trial
   */
  async markGood(): Promise<void> {
    const { state, facts } = await this.#settled()
    const next = markGood(state, facts)
    if (next === state) return
    await this.#choose('usual', this.#ports.places[facts.running].number)
    await this.#records.write(next)
    this.#ports.log.info('os.good', { system: facts.running, floor: next.floor })
  }

  /**
   * What is on trial, or waits for one, is refused from now on. Out of a trial this reboots, and the firmware goes back.
   * @throws BoxError `os.refused` when nothing is on trial, or written; `power.refused`
   */
  async giveUp(reason: string): Promise<void> {
    const { state, facts } = await this.#settled()
    const { running } = facts
    const name = isTrial(state, facts) ? running : otherOs(running)
    const isPending = ['trial', 'written'].includes(state.slots[name].kind)
    if (!isPending && !isTrial(state, facts))
      throw refusal('no system is on trial, and none is written')
    if (isPending) await this.#records.write(fail(state, name, reason))
    this.#ports.log.error('os.failed', { system: name, reason })
    if (isTrial(state, facts)) await this.#goDown(() => this.#ports.firmware.reboot())
  }

  /** Back from a good system to the one before it, with a reboot. @throws BoxError `os.refused`, `power.refused` */
  async rollBack(reason: string): Promise<void> {
    const { state, facts } = await this.#settled()
    if (isTrial(state, facts)) return await this.giveUp(reason)
    const back = wayBackOs(state, facts)
    if (back === null) throw refusal('no other good system that is not below the floor')
    // First the refusal: a system that was left must not be taken again because the power went.
    await this.#records.write(fail(state, facts.running, reason))
    await this.#choose('usual', this.#ports.places[back].number)
    this.#ports.log.warn('os.rolled-back', { to: back, reason })
    await this.#goDown(() => this.#ports.firmware.reboot())
  }

  /** A person says that a system that failed may be tried again. */
  async clear(digest: string): Promise<void> {
    const { state } = await this.#settled()
    await this.#records.write(clear(state, digest))
  }

  /** Null: what runs is on trial, and may be found good. */
  async whyNotGood(): Promise<string | null> {
    const { state, facts } = await this.#look()
    return whyNotGood(state, facts)
  }

  async #look(): Promise<Look> {
    const { firmware } = this.#ports
    const { partition, bootId } = await firmware.booted()
    const autoboot = parseAutoboot(await firmware.readAutoboot())
    const usual = this.#nameOf(autoboot.usual.partition)
    const facts = { running: this.#nameOf(partition), usual, bootId }
    const known = (await this.#records.read()) ?? nothingKnown
    return { known, state: settle(known, facts), facts, autoboot }
  }

  #nameOf(number: number): OsName {
    const name = osNames.find(one => this.#ports.places[one].number === number)
    if (name !== undefined) return name
    throw new BoxError('os.unsupported', `partition ${number} is none of the two systems`)
  }

  /**
   * Writes down what the last boots mean. What runs and is good becomes the usual one, if the usual one did not start; and
   * a wish for a trial leads home when there is none, so that a stray one does no harm.
   */
  async #settled(): Promise<Look> {
    if (this.#isGoingDown) throw refusal('the machine goes down')
    const look = await this.#look()
    const { known, state, facts, autoboot } = look
    await this.#records.repair()
    if (state !== known) await this.#records.write(state)
    if (isTrial(state, facts)) return look
    const { running, usual } = facts
    const home = this.#ports.places[running].number
    if (usual !== running) {
      this.#ports.log.error('os.fell-back', { to: running, from: usual })
      await this.#choose('usual', home)
    }
    if (autoboot.trial.partition !== home) await this.#choose('trial', home)
    return { ...look, facts: { ...facts, usual: running } }
  }

  async #goDown(ask: () => Promise<void>): Promise<void> {
    await ask()
    this.#isGoingDown = true
  }

  async #choose(which: keyof Autoboot, partition: number): Promise<void> {
    const { firmware } = this.#ports
    const { offset } = parseAutoboot(await firmware.readAutoboot())[which]
    await firmware.overwriteAutoboot(offset, digitOf(partition))
    const now = parseAutoboot(await firmware.readAutoboot())
    if (now[which].partition !== partition)
      throw new BoxError('storage.rotten', `autoboot.txt does not take partition ${partition}`)
  }

  async #isThere(state: OsState, target: OsName, image: OsImage): Promise<boolean> {
    const slot = state.slots[target]
    if (slot.kind !== 'written' || slot.image.digest !== image.digest) return false
    return (await problemOf(this.#ports.places[target].partitions, image)) === null
  }

  async #spoil(state: OsState, target: OsName): Promise<void> {
    await makeUnbootable(this.#ports.places[target].partitions)
    await this.#records.write(forget(state, target))
  }
}

const problemOf = async (partitions: OsPartitions, image: OsImage): Promise<string | null> =>
  isBundle(image) ? 'RAUC wrote it' : await imageProblem(partitions, image)

const nothingAgainst = async (): Promise<null> => null
