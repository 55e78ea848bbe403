/**
 * What is done for the slots while nothing is installed: one that is damaged is mended, and one in which nothing can be
 * started gets a copy of the release that runs, so that rot in one slot does not keep a box from starting.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import { Findings } from './findings.js'
import { HALF_FILE, type Mending, type MendWishes, mend } from './mending.js'
import {
  type CheckPorts,
  type FullCheck,
  fullProblem,
  seal,
  sealFile,
  slotFolder,
  spoilSeal,
} from './slot-check.js'
import { type Beneath, beginCopy, type CopyPlace, copyPlace, finishCopy } from './slot-copy.js'
import {
  emptySlot,
  isRefused,
  markRotten,
  otherSlot,
  type SlotName,
  type State,
  standIn,
} from './slot-state.js'

export interface CarePorts extends CheckPorts {
  readonly log: Log
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** The state as it is on the disk, for one who changes it alone. */
export interface StateTurns {
  inTurn<T>(task: () => Promise<T>): Promise<T>
  /** Only within a turn. */
  read(): Promise<State>
  /** Only within a turn. */
  write(state: State): Promise<void>
}

export interface CareWishes extends MendWishes {
  /** Whether what lies in the slot is of no use to anybody any more. */
  readonly mayReplace: MayReplace
}

/** `nothing` is always replaced. */
export type MayReplace = (beneath: Exclude<Beneath, 'nothing'>) => boolean

export class SlotCare {
  readonly #ports: CarePorts
  readonly #turns: StateTurns
  readonly #running: SlotName | null
  /** For whoever looks. */
  readonly findings: Findings
  #isBarred = false
  #isCopying = false
  #copyTrouble: string | null = null
  #work: Promise<unknown> = Promise.resolve()

  constructor(ports: CarePorts, turns: StateTurns, running: SlotName | null) {
    this.#ports = ports
    this.#turns = turns
    this.#running = running
    this.findings = new Findings(ports.clock)
  }

  /** Whether a copy is being written at this moment. */
  get isCopying(): boolean {
    return this.#isCopying
  }

  /** Why the last copy did not come about; null: it did, or was only put off. */
  get copyTrouble(): string | null {
    return this.#copyTrouble
  }

  /** Nothing is mended or copied while this lasts, and what was begun is given up first. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    this.#isBarred = true
    try {
      await this.#work
      return await work()
    } finally {
      this.#isBarred = false
    }
  }

  /**
   * Reads a whole slot from the disk, as slowly as `pause` wishes. One that is damaged is mended from the other, or else
   * remembered as rotten: the next start is from the other one. Nothing that runs is disturbed.
   * @param wishes null: this is no time to write. It is read as a whole before the next start, and to be audited again soon
   * @returns null when all is right, or nothing complete is in the slot; else what is damaged
   * @throws BoxError `fetch.cancelled` when something is to be installed, `storage.full`; whatever `wishes` throw
   */
  async audit(
    name: SlotName,
    pause: FullCheck['pause'],
    wishes: MendWishes | null,
  ): Promise<string | null> {
    // What a cut has left of a copy is of no use to a slot that is whole.
    if (wishes !== null) await this.#alone(wishes, () => this.#ports.disk.remove(HALF_FILE))
    const slot = (await this.#read()).slots[name]
    // One that failed is started for want of a better only, and makes room for a copy.
    if (!('release' in slot) || slot.kind === 'installing' || slot.kind === 'failed') return null
    const { digest } = slot.release
    const problem = await this.#readWhole(name, digest, pause)
    if (problem === null) return null
    this.#ports.log.error('slot.rotten', { slot: name, problem })
    await spoilSeal(this.#ports, name)
    return wishes === null ? problem : this.#mend(name, digest, wishes)
  }

  async #readWhole(
    name: SlotName,
    digest: string,
    pause: FullCheck['pause'],
  ): Promise<string | null> {
    const problem = await fullProblem(this.#ports, name, digest, { from: 'disk', pause })
    // Whoever wants the slot for something else says so before a file of it is removed.
    if (!(await this.#holds(name, digest))) return null
    this.findings.note(name, digest, problem)
    return problem
  }

  #mend(name: SlotName, digest: string, wishes: MendWishes): Promise<string | null> {
    return this.#alone(wishes, async own => {
      if (!(await this.#holds(name, digest))) return null
      const mending = await mend(this.#ports, name, digest, own)
      if (!mending.isWhole) {
        if (await this.#isOtherWhole(name, own)) await this.#giveUp(name, digest, mending.problem)
        return mending.problem
      }
      await this.#settle(name, digest, mending)
      return null
    })
  }

  /**
   * Whether a box could be started from the other slot. What is damaged on the card may run well from memory, and would be
   * given up for what does not start, or for a release that a person has refused.
   */
  async #isOtherWhole(name: SlotName, { pause }: MendWishes): Promise<boolean> {
    const state = await this.#read()
    const other = standIn(state, name)
    const slot = other && state.slots[other]
    if (other === null || slot?.kind !== 'good' || isRefused(state, slot.release)) return false
    const problem = await this.#readWhole(other, slot.release.digest, pause)
    if (problem !== null) this.#ports.log.error('slot.rotten', { slot: other, problem })
    return problem === null
  }

  /** Still: something else may have been installed there meanwhile. */
  async #holds(name: SlotName, digest: string): Promise<boolean> {
    const slot = (await this.#read()).slots[name]
    return slot.kind !== 'empty' && slot.kind !== 'installing' && slot.release.digest === digest
  }

  #read(): Promise<State> {
    return this.#turns.inTurn(() => this.#turns.read())
  }

  async #settle(
    name: SlotName,
    digest: string,
    { putRight }: Mending & { isWhole: true },
  ): Promise<void> {
    const { floor } = await this.#read()
    this.findings.note(name, digest, null)
    await seal(this.#ports, name, digest, floor)
    const files = putRight.slice(0, FILES_TOLD)
    this.#ports.log.warn('slot.mended', { slot: name, count: putRight.length, files })
  }

  #giveUp(name: SlotName, digest: string, problem: string): Promise<void> {
    return this.#turns.inTurn(async () => {
      const state = await this.#turns.read()
      const slot = state.slots[name]
      if (slot.kind === 'empty' || slot.release.digest !== digest) return
      const next = markRotten(state, name, problem)
      if (next !== state) await this.#turns.write(next)
    })
  }

  /** Whether `copy` would do something. */
  async isCopyWanted(mayReplace: MayReplace): Promise<boolean> {
    return this.#place(await this.#read(), mayReplace) !== null
  }

  #place(state: State, mayReplace: MayReplace): CopyPlace | null {
    const place = copyPlace(state, this.#running)
    if (place === null || place.beneath === 'nothing') return place
    return mayReplace(place.beneath) ? place : null
  }

  /**
   * What runs is read first, and mended from what the other slot still holds: a release that could be started for want of
   * a better is not written over by one that could not. Goes on where a cut has left it. Each file is read back before it
   * has its name, and all of them once more at the end.
   * @returns where the copy is now; null when none is wanted
   * @throws BoxError `slot.rotten` when it did not come about, `storage.full`, `fetch.cancelled`; whatever `wishes` throw
   */
  async copy(wishes: CareWishes): Promise<SlotName | null> {
    const running = this.#running
    if (running === null) return null
    try {
      if (!(await this.isCopyWanted(wishes.mayReplace))) return null
      const problem = await this.audit(running, this.#unlessBarred(wishes.pause), wishes)
      if (problem !== null) throw noCopy(otherSlot(running), problem)
      const target = await this.#alone(wishes, own => this.#copy(own, wishes.mayReplace))
      this.#copyTrouble = null
      return target
    } catch (error) {
      const isPutOff = error instanceof BoxError && error.code === 'fetch.cancelled'
      if (!isPutOff) this.#copyTrouble = messageOf(error)
      throw error
    } finally {
      this.#isCopying = false
    }
  }

  async #copy(own: MendWishes, mayReplace: MayReplace): Promise<SlotName | null> {
    const begun = await this.#turns.inTurn(() => this.#begin(own, mayReplace))
    if (begun === null) return null
    this.#isCopying = true
    const { target, digest } = begun
    const mending = await this.#fill(target, digest, own)
    if (mending.isWhole) {
      await this.#turns.inTurn(() => this.#finish(target, digest))
      return target
    }
    await this.#turns.inTurn(() => this.#clear(target, digest))
    throw noCopy(target, mending.problem)
  }

  async #begin(
    wishes: MendWishes,
    mayReplace: MayReplace,
  ): Promise<{ target: SlotName; digest: string } | null> {
    const { disk } = this.#ports
    const state = await this.#turns.read()
    const target = this.#place(state, mayReplace)?.slot
    const own = this.#running && state.slots[this.#running]
    if (target === undefined || own?.kind !== 'good') return null
    const { digest } = own.release
    const before = state.slots[target]
    if (before.kind === 'installing' && before.release.digest === digest) return { target, digest }
    await wishes.makeSure(await this.#moreBytes(target))
    const begun = beginCopy(state, target)
    await this.#turns.write(emptySlot(begun, target))
    await disk.remove(sealFile(target))
    await disk.removeTree(slotFolder(target))
    await this.#turns.write(begun)
    return { target, digest }
  }

  /** That a copy takes, beyond what gives way to it. */
  async #moreBytes(target: SlotName): Promise<number> {
    const taken = async (name: SlotName): Promise<number> => {
      const files = await this.#ports.disk.list(slotFolder(name))
      return files.reduce((sum, { byteCount }) => sum + byteCount, 0)
    }
    return Math.max(0, (await taken(otherSlot(target))) - (await taken(target)))
  }

  async #fill(target: SlotName, digest: string, wishes: MendWishes): Promise<Mending> {
    try {
      return await mend(this.#ports, target, digest, wishes)
    } catch (error) {
      // The card is full: what the box writes needs the room more than a copy.
      if (error instanceof BoxError && error.code === 'storage.full')
        await this.#turns.inTurn(() => this.#clear(target, digest))
      throw error
    }
  }

  async #finish(target: SlotName, digest: string): Promise<void> {
    const state = await this.#turns.read()
    const slot = state.slots[target]
    if (slot.kind !== 'installing' || slot.release.digest !== digest) return
    if (copyPlace(state, this.#running)?.slot !== target) return
    await seal(this.#ports, target, digest, state.floor)
    await this.#turns.write(finishCopy(state, target))
    this.findings.note(target, digest, null)
    this.#ports.log.info('slot.copied', { slot: target, version: slot.release.version })
  }

  async #clear(target: SlotName, digest: string): Promise<void> {
    const { disk } = this.#ports
    const state = await this.#turns.read()
    const slot = state.slots[target]
    if (slot.kind !== 'installing' || slot.release.digest !== digest) return
    await this.#turns.write(emptySlot(state, target))
    await disk.removeTree(slotFolder(target))
    await disk.remove(HALF_FILE)
  }

  #giveUpIfBarred(): void {
    if (this.#isBarred) throw new BoxError('fetch.cancelled', 'a release is to be written')
  }

  readonly #unlessBarred = (pause: MendWishes['pause']) => async (): Promise<void> => {
    this.#giveUpIfBarred()
    await pause()
  }

  /** One after the other, and none while something is installed. */
  #alone<T>(wishes: MendWishes, work: (own: MendWishes) => Promise<T>): Promise<T> {
    const pause = this.#unlessBarred(wishes.pause)
    const done = this.#work.then(async () => {
      this.#giveUpIfBarred()
      return work({ ...wishes, pause })
    })
    this.#work = done.catch(() => {})
    return done
  }
}

const FILES_TOLD = 20

const noCopy = (target: SlotName, problem: string): BoxError =>
  new BoxError('slot.rotten', `no copy in slot ${target}: ${problem}`)
