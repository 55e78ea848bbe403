/** The slots as the updater sees them: it fills the one that does not run, and says what becomes of it. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Installer, InstallWishes } from './installer.js'
import { LauncherTaking } from './launcher-taking.js'
import type { LauncherUpdate, LauncherUpdatePorts } from './launcher-update.js'
import { HALF_FILE } from './mending.js'
import { type CarePorts, SlotCare } from './slot-care.js'
import {
  atOnce,
  checkBeforeStart,
  type FullCheck,
  fullProblem,
  seal,
  sealFile,
  slotFolder,
} from './slot-check.js'
import {
  activate,
  beginInstall,
  clear,
  emptySlot,
  finishInstall,
  goBack,
  installTarget,
  markGood,
  noSlots,
  otherSlot,
  type Release,
  type Slot,
  type SlotName,
  type State,
  slotNames,
  trialSlot,
  whyNotInstall,
} from './slot-state.js'
import {
  isRestartDue,
  passedOverWords,
  type SlotStart,
  type SlotStatus,
  statusOf,
} from './slot-status.js'
import { StateStore } from './state-store.js'
import { TakingUp } from './taking-up.js'

export interface StartedFrom {
  /** Null on a box without slots. */
  readonly slot: SlotName | null
  /** The records say that the other slot is to be started, and it could not be. */
  readonly isPassedOver: boolean
  /** The launcher in place failed, and the one before it has started this. */
  readonly isPreviousLauncher: boolean
}

/**
 * Every call may be killed at any moment and made again: what is on the disk then is the state before it or after it, or
 * an `installing` slot that nobody starts. Calls are made one after the other, by one process: the updater.
 */
export class SlotAgent {
  readonly #ports: LauncherUpdatePorts & CarePorts
  readonly #store: StateStore
  readonly #running: SlotName | null
  #last: Promise<unknown> = Promise.resolve()
  readonly #launcher: LauncherTaking
  /** Against rot. */
  readonly care: SlotCare
  readonly takingUp: TakingUp
  #startedAs: Slot['kind'] | null = null
  readonly #isPassedOver: boolean
  /** What was in the slot that the launcher could not start; null: it could. */
  #passedOver: Slot | null = null

  /** @param started as the launcher told the process that calls */
  constructor(ports: LauncherUpdatePorts & CarePorts, started: StartedFrom) {
    this.#ports = ports
    this.#store = new StateStore(ports)
    this.#launcher = new LauncherTaking(ports, started.isPreviousLauncher)
    this.#running = started.slot
    this.#isPassedOver = started.isPassedOver
    const turns = {
      inTurn: <T>(task: () => Promise<T>) => this.#inTurn(task),
      read: () => this.#read(),
      write: (state: State) => this.#store.write(state),
    }
    this.care = new SlotCare(ports, turns, started.slot)
    this.takingUp = new TakingUp(this.care, () => this.#read(), started.slot)
  }

  /**
   * Brings a release into the slot that does not run, and verifies it from the disk. Done before is done.
   * @throws BoxError `slot.refused` for a release that may not be installed now; `slot.rotten` when what was written is
   * not the release; whatever the installer throws
   */
  install(release: Release, installer: Installer, wishes: InstallWishes): Promise<SlotName> {
    return this.care.without(() => this.#install(release, installer, wishes))
  }

  async #install(release: Release, installer: Installer, wishes: InstallWishes): Promise<SlotName> {
    const { target, isThere } = await this.#inTurn(() => this.#prepare(release))
    if (isThere) return target
    await this.#write(target, installer, wishes).catch(async (error: unknown) => {
      if (error instanceof BoxError && error.code === 'storage.full')
        await this.#inTurn(() => this.#giveBack(target, release))
      throw error
    })
    const problem = await this.#verify(target, release, wishes.progress)
    await this.#inTurn(() => this.#finish(target, release, problem))
    return target
  }

  async #write(target: SlotName, installer: Installer, wishes: InstallWishes): Promise<void> {
    const { disk } = this.#ports
    const folder = slotFolder(target)
    await installer.install(disk.pathOf(folder), wishes.progress, wishes.isCancelled)
    await disk.syncTree(folder)
  }

  /** The card is full: what the box writes needs the room more than half a release. A copy against rot, which needs less, may find it. */
  async #giveBack(target: SlotName, { digest }: Release): Promise<void> {
    const state = await this.#read()
    const slot = state.slots[target]
    if (slot.kind !== 'installing' || slot.release.digest !== digest) return
    await this.#ports.disk.removeTree(slotFolder(target))
    await this.#store.write(emptySlot(state, target))
  }

  async #prepare(release: Release): Promise<{ target: SlotName; isThere: boolean }> {
    const state = await this.#read()
    const target = installTarget(state, this.#running)
    if (isRestartDue(state, this.#start))
      throw new BoxError(
        'slot.refused',
        `slot ${target} is started next: it is not written before that`,
      )
    const isThere = await this.#isThere(state, target, release)
    if (!isThere) await this.#begin(state, target, release)
    return { target, isThere }
  }

  /** With the state as it is by now: a person may have cleared a release meanwhile. */
  async #finish(target: SlotName, release: Release, problem: string | null): Promise<void> {
    const state = await this.#read()
    const slot = state.slots[target]
    if (slot.kind !== 'installing' || slot.release.digest !== release.digest)
      throw new BoxError('slot.refused', `slot ${target} was given to something else meanwhile`)
    if (problem !== null) {
      await this.#store.write(emptySlot(state, target))
      await this.#ports.disk.removeTree(slotFolder(target))
      throw new BoxError('slot.rotten', `${release.version} was not written right: ${problem}`)
    }
    await seal(this.#ports, target, release.digest, state.floor)
    await this.#store.write(finishInstall(state, target))
    this.care.findings.note(target, release.digest, null)
    this.#ports.log.info('slot.ready', { slot: target, version: release.version })
  }

  /** Whoever changes the state has it for himself: it is read, changed and written whole. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task)
    this.#last = done.catch(() => {})
    return done
  }

  /** From the next start of the slots on, the ready release is on trial. @throws BoxError `slot.refused`, `slot.rotten` */
  activate(): Promise<void> {
    return this.#inTurn(() => this.#activate())
  }

  async #activate(): Promise<void> {
    const state = await this.#read()
    if (trialSlot(state) !== null) return
    const next = activate(this.takingUp.begin(state))
    const name = trialSlot(next)
    const slot = name && next.slots[name]
    if (slot?.kind !== 'trial' || name === null) return
    const sound = await checkBeforeStart(this.#ports, name, slot.release, state.floor)
    if (!sound.isSound) {
      // What was good is mended, or installed anew.
      if (state.slots[name].kind === 'good') this.takingUp.forget()
      else await this.#store.write(emptySlot(state, name))
      throw new BoxError('slot.rotten', `slot ${name}: ${sound.problem}`)
    }
    await this.#store.write(next)
  }

  /** What `activate` did is taken back, as long as the launcher has started nothing of it. */
  withdraw(): Promise<void> {
    return this.#inTurn(async () => {
      const state = await this.#read()
      const next = this.takingUp.end(state)
      if (next !== state) await this.#store.write(next)
    })
  }

  /**
   * The gate of the running trial is passed: from now on its starts are not counted, and the floor is its own.
   * @throws BoxError `slot.refused` when the running slot is not on trial
   */
  markGood(): Promise<void> {
    return this.#inTurn(() => this.#markGood())
  }

  async #markGood(): Promise<void> {
    const state = await this.#read()
    const running = this.#running
    if (running === null) throw new BoxError('slot.refused', 'this box does not run from a slot')
    const next = markGood(state, running)
    if (next === state) return
    await this.#store.write(next)
    this.#ports.log.info('slot.good', { slot: running, floor: next.floor })
  }

  /**
   * The launcher that the good release brings takes its place, if it proves itself. Not before `markGood`.
   * @throws BoxError `slot.refused`, `storage.io`, `storage.full`
   */
  async takeLauncher(): Promise<LauncherUpdate['kind']> {
    const { chosen, slots } = await this.#read()
    const running = this.#running
    const slot = running && slots[running]
    if (running === null || chosen !== running || slot?.kind !== 'good')
      throw new BoxError('slot.refused', 'only a release that was found good brings a launcher')
    return this.#launcher.take(running, slot.release.version)
  }

  /** From the next start on, the other release. @throws BoxError `slot.refused` when there is none to go back to */
  rollBack(reason: string): Promise<void> {
    return this.#inTurn(() => this.#rollBack(reason))
  }

  async #rollBack(reason: string): Promise<void> {
    const next = goBack(await this.#read(), reason)
    await this.#store.write(next)
    this.#ports.log.warn('slot.rolled-back', { to: next.chosen, reason })
  }

  /** A person says that a release that failed may be tried again. */
  clear(digest: string): Promise<void> {
    return this.#inTurn(() => this.#clear(digest))
  }

  async #clear(digest: string): Promise<void> {
    await this.#store.write(clear(await this.#read(), digest))
  }

  async status(): Promise<SlotStatus> {
    const state = await this.#read()
    const { findings, isCopying, copyTrouble } = this.care
    const troubles = this.#troubles
    const takenUp = this.takingUp.place(state)
    return statusOf(state, this.#start, { findings, isCopying, copyTrouble, troubles, takenUp })
  }

  /** Every reason why this release is not installed, or not started; none: it may be. */
  async whyNot(release: Release): Promise<readonly string[]> {
    const reason = whyNotInstall(await this.#read(), release)
    return reason === null ? [] : [reason]
  }

  async #isThere(state: State, target: SlotName, release: Release): Promise<boolean> {
    const slot = state.slots[target]
    if (slot.kind !== 'ready' || slot.release.digest !== release.digest) return false
    return (await checkBeforeStart(this.#ports, target, release, state.floor)).isSound
  }

  /**
   * `installing` is said only of a folder that holds nothing, or what an earlier call for the same release left: the
   * files of another one are gone by then.
   */
  async #begin(state: State, target: SlotName, release: Release): Promise<void> {
    const { disk } = this.#ports
    const before = state.slots[target]
    const begun = beginInstall(state, this.#running, release)
    if (before.kind === 'installing' && before.release.digest === release.digest) return
    await this.#store.write(emptySlot(begun, target))
    await disk.remove(sealFile(target))
    await disk.remove(HALF_FILE)
    await disk.removeTree(slotFolder(target))
    await this.#store.write(begun)
  }

  async #verify(
    target: SlotName,
    release: Release,
    progress: InstallWishes['progress'],
  ): Promise<string | null> {
    const pause: FullCheck['pause'] = async ({ fileCount, fileCountMax }) => {
      progress({ step: 'verifying', done: fileCount, all: fileCountMax })
      await atOnce()
    }
    return fullProblem(this.#ports, target, release.digest, { from: 'disk', pause })
  }

  get #troubles(): readonly string[] {
    const { trouble } = this.#launcher
    const launcher = trouble === null ? [] : [trouble]
    return [...this.#store.troubles, ...passedOverWords(this.#passedOver), ...launcher]
  }

  get #start(): SlotStart {
    const passedOver = this.#passedOver
    return { running: this.#running, startedAs: this.#startedAs, passedOver }
  }

  /**
   * What a person or the card has destroyed meanwhile is as it was: this process alone writes.
   * @throws BoxError `storage.rotten` when both records were gone before this process first looked
   */
  async #read(): Promise<State> {
    const running = this.#running
    const state = await this.#store.readAndMend()
    if (state === null && running === null) return noSlots
    if (state === null)
      throw new BoxError(
        'storage.rotten',
        `the records of slots ${slotNames.join(' and ')} are gone: restart the unit of the box, and its launcher finds out what is there`,
      )
    if (running !== null && this.#startedAs === null) {
      this.#startedAs = state.slots[running].kind
      this.#passedOver = this.#isPassedOver ? state.slots[otherSlot(running)] : null
    }
    return state
  }
}
