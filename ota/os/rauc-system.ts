/**
 * Two operating systems on a machine whose image has RAUC: it checks a bundle with keys of its own, writes it, and tells the
 * boot loader. What may be taken, tried and kept is decided here, as for every other box, and remembered in the same records.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { PieceStore } from '../../runtime/ports/piece-store.js'
import type { Rauc } from '../../runtime/ports/rauc.js'
import { type RecordPorts, TwoRecords } from '../slots/two-records.js'
import { fetchBundle, removeBundles } from './bundle-file.js'
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
  type OsImage,
  type OsName,
  type OsState,
  otherOs,
  refusal,
  type SlotImage,
  wayBackOs,
  whyNotGood,
  whyNotTry,
  whyNotWrite,
} from './os-state.js'
import type { LastLook, OsStatus, OsSystem } from './os-system.js'
import type { OsSource, OsWishes } from './os-writer.js'
import { type RaucLook, RaucSight } from './rauc-sight.js'
import { isStray, type RaucView, slotImagesOf, viewOf, whyStray } from './rauc-state.js'
import { imageProblem, verifiedSlots } from './rauc-writer.js'
import { runningBy, SilentTrials } from './silent-trial.js'

export interface RaucPorts extends RecordPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly rauc: Rauc
  /** A folder for bundles alone: what else lies there is removed. */
  readonly bundles: PieceStore
  /** Where a bundle is that `bundles` holds. */
  readonly pathOf: (sha256: string) => string
  /** Whether a release of Roadcase is on trial, which must not be at the same time. */
  isAppOnTrial(): Promise<boolean>
}

/**
 * As OsSystem promises it; but a trial lasts as many boots as the boot loader gives it, unless it is given up. Where starts are
 * counted, what is good must say so after each of them: the first `status` after a start of the updater does.
 */
export class RaucSystem implements OsSystem {
  readonly #ports: RaucPorts
  readonly #records: TwoRecords<OsState>
  readonly #sight: RaucSight
  readonly #silent: SilentTrials
  #isGoingDown = false
  #isKept = false
  #isBusyTold = false

  constructor(ports: RaucPorts) {
    this.#ports = ports
    this.#records = new TwoRecords(ports, osRecords)
    this.#sight = new RaucSight(ports, this.#records)
    const { rauc } = ports
    const boot = async (state: OsState) => ({
      running: runningBy(state, await rauc.startedFrom()),
      bootId: await rauc.bootId(),
    })
    this.#silent = new SilentTrials({ ...ports, boot, reboot: () => rauc.reboot() }, this.#records)
  }

  async status(): Promise<OsStatus> {
    if (!this.#isKept && !this.#sight.isHeld) await this.#keep()
    const { state, facts, view } = await this.#sight.look()
    const { slots, floor, refused } = state
    const { running } = facts
    return {
      running,
      usual: view.primary ?? running,
      isTrial: isTrial(state, facts),
      slots,
      floor,
      refused,
      wayBack: wayBackOs(state, facts),
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

  async whyNot(image: OsImage): Promise<readonly string[]> {
    const { state, facts, view } = await this.#sight.look()
    const reasons = [whyNotWrite(state, facts, image), whyStray(state, view)]
    return reasons.flatMap(reason => reason ?? [])
  }

  async whyNoTrial(): Promise<readonly string[]> {
    const { state, facts } = await this.#sight.look()
    const reason = whyNotTry(state, facts, await this.#ports.isAppOnTrial())
    return reason === null ? [] : [reason]
  }

  async whyNotGood(): Promise<string | null> {
    const { state, facts } = await this.#sight.look()
    return whyNotGood(state, facts)
  }

  async write(image: OsImage, source: OsSource, wishes: OsWishes): Promise<OsName> {
    if (!isBundle(image)) throw new BoxError('os.unsupported', 'RAUC takes bundles only')
    const { state, facts, view } = await this.#settled()
    const target = otherOs(facts.running)
    if (await this.#isThere(state, view, image)) return target
    beginWrite(state, facts, image)
    const stray = whyStray(state, view)
    if (stray !== null) throw refusal(stray)
    const { bundles, pathOf, rauc, log } = this.#ports
    try {
      await fetchBundle(bundles, image.bundle, source, wishes)
      const path = pathOf(image.bundle.sha256)
      // Before anything is lost: a bundle of another key, or of another machine.
      const status = await this.#sight.status()
      const slots = slotImagesOf(await rauc.inspect(path), status, view.places[target])
      const begun = beginWrite(state, facts, { ...image, slots })
      await this.#records.write(begun)
      this.#sight.hold(status)
      const verified = await this.#install({ slots, target, path }, wishes)
      const written = beginWrite(state, facts, { ...image, slots: verified })
      await this.#records.write(finishWrite(written, target))
    } catch (error) {
      const isRotten = error instanceof BoxError && error.code === 'os.rotten'
      if (isRotten && this.#sight.isHeld) await this.#spoil(state, view, target)
      throw error
    } finally {
      this.#sight.release()
      await removeBundles(bundles)
    }
    log.info('os.written', { system: target, version: image.version })
    return target
  }

  async tryBoot(lastWord: () => Promise<string | null> = nothingAgainst): Promise<void> {
    const { state, facts, view } = await this.#settled()
    const target = otherOs(facts.running)
    const next = beginTrial(state, facts, await this.#ports.isAppOnTrial())
    const slot = next.slots[target]
    const { rauc } = this.#ports
    const problem =
      slot.kind === 'trial' ? await imageProblem(rauc, slot.image, view.places[target]) : null
    if (problem !== null) {
      await this.#spoil(state, view, target)
      throw new BoxError('os.rotten', `system ${target}: ${problem}`)
    }
    const objection = await lastWord()
    if (objection !== null) throw refusal(objection)
    await this.#records.write(next)
    try {
      await this.#activate(view, target)
      this.#ports.log.warn('os.trial', { system: target })
      await this.#goDown()
    } catch (error) {
      await this.#settled()
      throw error
    }
  }

  async markGood(): Promise<void> {
    const { state, facts, view } = await this.#settled()
    const next = markGood(state, facts)
    if (next === state) return
    const { running } = facts
    await this.#ports.rauc.mark('good', view.places[running].slot)
    this.#sight.renew()
    if ((await this.#sight.look()).view.primary !== running) await this.#activate(view, running)
    await this.#records.write(next)
    this.#ports.log.info('os.good', { system: running, floor: next.floor })
  }

  async giveUp(reason: string): Promise<void> {
    const { state, facts, view } = await this.#settled()
    const { running } = facts
    const isRunning = isTrial(state, facts)
    const name = isRunning ? running : otherOs(running)
    const isPending = ['trial', 'written'].includes(state.slots[name].kind)
    if (!isPending && !isRunning) throw refusal('no system is on trial, and none is written')
    // First the boot loader: it would start what is refused, after a cut, as often as it has attempts left.
    if (isRunning) await this.#leadHome(view)
    if (isPending) await this.#records.write(fail(state, name, reason))
    this.#ports.log.error('os.failed', { system: name, reason })
    if (isRunning) await this.#goDown()
  }

  async rollBack(reason: string): Promise<void> {
    const { state, facts, view } = await this.#settled()
    if (isTrial(state, facts)) return await this.giveUp(reason)
    const back = wayBackOs(state, facts)
    if (back === null) throw refusal('no other good system that is not below the floor')
    // First the refusal: a system that was left must not be taken again because the power went.
    await this.#records.write(fail(state, facts.running, reason))
    this.#ports.log.warn('os.rolled-back', { to: back, reason })
    await this.#leadHome(view)
    await this.#goDown()
  }

  async clear(digest: string): Promise<void> {
    const { state } = await this.#settled()
    await this.#records.write(clear(state, digest))
  }

  /** Made up for later when RAUC is busy. */
  async #keep(): Promise<void> {
    try {
      await this.#settled()
      await removeBundles(this.#ports.bundles)
    } catch (error) {
      if (!(error instanceof BoxError) || error.code !== 'os.refused') throw error
      if (!this.#isBusyTold) this.#ports.log.warn('os.rauc-busy', { problem: messageOf(error) })
      this.#isBusyTold = true
    }
  }

  /**
   * Writes down what the last boots mean. Out of a trial, what RAUC starts next is what runs; or the good one, where the
   * boot loader has fallen back to one that was refused.
   */
  async #settled(): Promise<RaucLook> {
    if (this.#isGoingDown) throw refusal('the machine goes down')
    if (this.#sight.isHeld) throw refusal('a system is being written')
    this.#sight.renew()
    const seen = await this.#sight.look()
    const { known, facts, view } = seen
    const look = { ...seen, state: await this.#withHome(seen) }
    const { state } = look
    await this.#records.repair()
    if (state !== known) await this.#records.write(state)
    if (isTrial(state, facts)) return look
    const { running } = facts
    const stray = isStray(state, view)
    if (!stray && !this.#isKept) await this.#ports.rauc.mark('good', view.places[running].slot)
    this.#isKept = true
    const home = stray ? otherOs(running) : running
    if (view.primary === home) return look
    this.#ports.log.warn('os.led-home', { to: home, from: view.primary })
    await this.#activate(view, home)
    return look
  }

  /** What tells home from a trial on which RAUC does not answer. */
  async #withHome({ state, facts, view }: RaucLook): Promise<OsState> {
    if (isTrial(state, facts) || isStray(state, view)) return state
    const startedFrom = await this.#ports.rauc.startedFrom()
    const { running } = facts
    const { home } = state
    if (startedFrom === null) return home === null ? state : { ...state, home: null }
    if (home?.name === running && home.startedFrom === startedFrom) return state
    return { ...state, home: { name: running, startedFrom } }
  }

  /** @throws BoxError `os.unsupported` where RAUC cannot tell the boot loader */
  async #activate({ places }: RaucView, name: OsName): Promise<void> {
    const { slot } = places[name]
    await this.#ports.rauc.mark('active', slot)
    this.#sight.renew()
    const { primary } = await this.#ports.rauc.status()
    if (primary === slot) return
    const why = `RAUC: ${slot} does not become what is started, but ${primary ?? 'nothing'}`
    throw new BoxError('os.unsupported', why)
  }

  /** Bad, too: or three hasty starts of the good one would lead here again. */
  async #leadHome(view: RaucView): Promise<void> {
    await this.#activate(view, otherOs(view.running))
    await this.#ports.rauc.mark('bad', view.places[view.running].slot)
  }

  async #goDown(): Promise<void> {
    await this.#ports.rauc.reboot()
    this.#isGoingDown = true
  }

  /** @returns the slots, as they can be verified from now on */
  async #install(
    { slots, target, path }: { slots: readonly SlotImage[]; target: OsName; path: string },
    { progress }: OsWishes,
  ): Promise<readonly SlotImage[]> {
    const { rauc } = this.#ports
    await rauc.install(path, done => progress({ part: 'install', done, all: 100 }))
    const view = viewOf(await rauc.status(), await rauc.bootId())
    // As images are usually made, RAUC has made it the primary one. Not yet: there may be a show.
    if (view.primary !== view.running) await this.#activate(view, view.running)
    return await verifiedSlots(rauc, slots, view.places[target])
  }

  async #isThere(state: OsState, view: RaucView, image: OsImage): Promise<boolean> {
    const target = otherOs(view.running)
    const slot = state.slots[target]
    if (slot.kind !== 'written' || slot.image.digest !== image.digest) return false
    return (await imageProblem(this.#ports.rauc, slot.image, view.places[target])) === null
  }

  async #spoil(state: OsState, { places }: RaucView, target: OsName): Promise<void> {
    await this.#ports.rauc.mark('bad', places[target].slot)
    await this.#records.write(forget(state, target))
  }
}

const nothingAgainst = async (): Promise<null> => null
