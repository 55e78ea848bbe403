/** The slots as the updater works with them: what is fetched is written by a process of its own, and verified. */
import type { Space } from '../../drivers/linux/space.js'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Fetcher } from '../fetch/fetcher.js'
import type { Shelf } from '../fetch/shelf.js'
import { type ApplyChild, applyInChild } from '../patch/apply-in-child.js'
import type { ReleaseDescription } from '../release/description.js'
import type { SlotAgent } from '../slots/slot-agent.js'
import { slotFolder } from '../slots/slot-check.js'
import { installTarget, type Release, type SlotName } from '../slots/slot-state.js'
import { previousOf, releaseOf, type SlotStatus } from '../slots/slot-status.js'
import { slotContents } from '../slots/slot-words.js'
import { mayGiveWay, UselessObjects, usableObjects } from '../updater/choice-of-object.js'
import type { RunningRelease } from '../updater/criteria.js'
import type { SlotView, SlotWork, StateFormats } from '../updater/parts.js'
import { readOwnRelease } from './settings.js'
import {
  nothingCame,
  progressOf,
  type Tell,
  unlessCancelled,
  type Wishes,
} from './slot-progress.js'

type TransferObject = ReleaseDescription['objects'][number]
interface Base {
  readonly slot: SlotName
  readonly release: RunningRelease | null
}

export interface ProcessSlotsPorts {
  readonly agent: SlotAgent
  readonly fetcher: Pick<Fetcher, 'fetch'>
  readonly shelf: Pick<Shelf, 'keepOnly' | 'heldByteCounts'>
  readonly log: Log
  readonly space: Space
  /** The program that applies objects. */
  readonly apply: ApplyChild
}

export interface ProcessSlotsOptions {
  readonly home: string
  /** Where the objects lie, by their digests. */
  readonly objectsFolder: string
}

export class ProcessSlots implements SlotWork {
  readonly #ports: ProcessSlotsPorts
  readonly #options: ProcessSlotsOptions
  /** Of the slot that the next installation writes over; null: not counted since the last one. */
  #slotBytes: number | null = null
  /** What that slot held when it was seen last. */
  #target = ''
  readonly #useless = new UselessObjects()
  /** While a release is written: as it was before. */
  #roomBefore: { readonly bytes: number | null } | null = null

  constructor(ports: ProcessSlotsPorts, options: ProcessSlotsOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** Of records that are gone nothing is known but that: nothing is installed or switched to before the next start. */
  async view(): Promise<SlotView> {
    try {
      return await this.#view()
    } catch (error) {
      if (!(error instanceof BoxError) || error.code !== 'storage.rotten') throw error
      return { ...nothingKnown, trouble: messageOf(error) }
    }
  }

  async #view(): Promise<SlotView> {
    const status = await this.#ports.agent.status()
    this.#noteTarget(status)
    const running = status.running && status.slots[status.running]
    return {
      slot: status.running,
      contents: status.running && slotContents(status),
      running: releaseOf(running),
      previous: previousOf(status),
      prepared: releaseOf(status.toTry && status.slots[status.toTry]),
      isOnTrial: running?.kind === 'trial',
      isRestartDue: status.isRestartDue,
      formats: await this.#formats(status),
      floor: status.floor,
      refused: status.refused,
      trouble: status.troubles.length === 0 ? null : status.troubles.join('; '),
    }
  }

  async #formats({ running, toTry }: SlotStatus): Promise<SlotView['formats']> {
    if (running === null || toTry === null) return null
    const [own, next] = [await this.#formatsOf(running), await this.#formatsOf(toTry)]
    return own && next && { running: own.reads, prepared: next.writes }
  }

  async #formatsOf(slot: SlotName): Promise<{ writes: StateFormats; reads: StateFormats } | null> {
    // A release that does not say, or not so that it can be read, must not stop all others.
    const folder = `${this.#options.home}/${slotFolder(slot)}`
    const own = await readOwnRelease(folder).catch(() => null)
    return own && { writes: own.formats, reads: own.reads ?? own.formats }
  }

  async prepare(
    description: ReleaseDescription,
    tell: Tell,
    isCancelled: () => boolean,
  ): Promise<void> {
    this.#roomBefore = { bytes: await this.roomBytes() }
    try {
      await this.#prepare(description, { tell, isCancelled })
    } catch (error) {
      throw await this.#madeRoom(description, error)
    } finally {
      this.#roomBefore = null
      this.#slotBytes = null
    }
  }

  async #prepare(description: ReleaseDescription, wishes: Wishes): Promise<void> {
    const { agent } = this.#ports
    const release: Release = {
      digest: description.manifest.sha256,
      version: description.version,
      floor: description.floor,
    }
    const status = await agent.status()
    const { running, slots } = status
    const base = running === null ? null : { slot: running, release: releaseOf(slots[running]) }
    const usable = this.#useless.leaveOut(usableObjects(description, base?.release?.digest ?? null))
    const mayInstall = (await agent.whyNot(release)).length === 0
    if ((await agent.takingUp.take(release, unlessCancelled(wishes))) !== null) return
    const left = mayInstall ? await this.#fetchBefore(usable, base, wishes) : usable
    await agent.install(
      release,
      { install: folder => this.#fill(description, left, { ...wishes, base, folder }) },
      {
        // What is verified is counted in files.
        progress: () =>
          wishes.tell({ ...nothingCame, phase: 'writing', doneBytes: 0, allBytes: 0 }),
        isCancelled: wishes.isCancelled,
      },
    )
  }

  /**
   * The other slot may be the only place that a file of the running one can be mended from: this is seen to before it is
   * written over. A damaged release is no base for another one.
   */
  async #fetchBefore(
    usable: readonly TransferObject[],
    base: Base | null,
    wishes: Wishes,
  ): Promise<readonly TransferObject[]> {
    const left = await this.#fetchAhead(usable, wishes)
    if (base === null) return left
    const own = unlessCancelled(wishes)
    const problem = await this.#ports.agent.care.audit(base.slot, own.pause, own)
    if (problem === null || left[0]?.from === null) return left
    const full = usable.filter(({ from }) => from === null)
    if (full.length === 0) throw new BoxError('slot.rotten', `slot ${base.slot}: ${problem}`)
    return this.#fetchAhead(full, wishes)
  }

  /**
   * What lies in the slot stays until there is something to write over it, where the card has room for both: nobody knows how
   * long the uplink takes, and a copy against rot may be written meanwhile.
   * @returns what may be used from now on, the object that is there first
   */
  async #fetchAhead(
    usable: readonly TransferObject[],
    wishes: Wishes,
  ): Promise<readonly TransferObject[]> {
    for (const [index, object] of usable.entries())
      try {
        await this.#bring(object, wishes)
        return usable.slice(index)
      } catch (error) {
        if (error instanceof BoxError && error.code === 'storage.full') return usable.slice(index)
        if (!mayGiveWay(error) || index === usable.length - 1) throw error
        this.#ports.log.warn('ota.object-useless', { target: object.target, error })
      }
    return usable
  }

  /** The state of the box lives on the same card: a release that did not find room takes none. */
  async #madeRoom({ version }: ReleaseDescription, error: unknown): Promise<unknown> {
    if (!(error instanceof BoxError) || error.code !== 'storage.full') return error
    const { space, shelf, log } = this.#ports
    const { home } = this.#options
    const isTight = async (): Promise<boolean> =>
      ((await space.free(home)) ?? TIGHT_BYTES) < TIGHT_BYTES
    if (await isTight())
      await shelf.keepOnly([]).catch((problem: unknown) => {
        log.warn('ota.objects-kept', { error: problem })
      })
    const free = Math.floor(((await space.free(home)) ?? 0) / 1e6)
    const words = `the card is full: what was written of ${version} is removed, ${free} MB are free (${messageOf(error)})`
    return new BoxError('storage.full', words, { cause: error })
  }

  activate(): Promise<void> {
    return this.#ports.agent.activate()
  }

  withdraw(): Promise<void> {
    return this.#ports.agent.withdraw()
  }

  markGood(): Promise<void> {
    return this.#ports.agent.markGood()
  }

  async takeLauncher(): Promise<void> {
    await this.#ports.agent.takeLauncher()
  }

  rollBack(reason: string): Promise<void> {
    return this.#ports.agent.rollBack(reason)
  }

  clear(digest: string): Promise<void> {
    return this.#ports.agent.clear(digest)
  }

  async roomBytes(): Promise<number | null> {
    if (this.#roomBefore !== null) return this.#roomBefore.bytes
    const free = await this.#ports.space.free(this.#options.home)
    if (free === null) return null
    this.#slotBytes ??= await this.#countSlot()
    // What others hold stays; what the release itself has fetched already is part of what it needs.
    const { others } = await this.#ports.shelf.heldByteCounts([])
    return free + this.#slotBytes + others
  }

  /** A copy against rot changes what gives way, as an installation does. */
  #noteTarget(status: SlotStatus): void {
    const target = JSON.stringify(status.slots[installTarget(status, status.running)])
    if (target !== this.#target) this.#slotBytes = null
    this.#target = target
  }

  /** Thousands of files: counted once for each thing that is written there. */
  async #countSlot(): Promise<number> {
    const { agent, space } = this.#ports
    const status = await agent.status()
    const target = installTarget(status, status.running)
    return space.taken(`${this.#options.home}/${slotFolder(target)}`)
  }

  /** The smallest object first; what cannot be applied gives way to the next, which needs less of this box. */
  async #fill(
    description: ReleaseDescription,
    usable: readonly TransferObject[],
    work: Wishes & { readonly base: Base | null; readonly folder: string },
  ): Promise<void> {
    const { base } = work
    for (const [index, object] of usable.entries())
      try {
        await this.#bring(object, work)
        const baseFolder = base && `${this.#options.home}/${slotFolder(base.slot)}`
        await this.#apply(description, object, { ...work, baseFolder })
        return
      } catch (error) {
        if (!mayGiveWay(error) || index === usable.length - 1) throw error
        this.#ports.log.warn('ota.object-useless', { target: object.target, error })
      }
    throw new BoxError('release.invalid', `${description.version} has no object for this box`)
  }

  async #bring(object: TransferObject, { tell, isCancelled }: Wishes): Promise<void> {
    // What is not wanted any more makes room.
    await this.#ports.shelf.keepOnly([object.sha256])
    await this.#ports.fetcher.fetch(object, {
      progress: progress => tell(progressOf(progress)),
      isCancelled,
    })
  }

  #apply(
    { manifest, treeByteCount, treeFileCount }: ReleaseDescription,
    object: TransferObject,
    work: Wishes & { readonly folder: string; readonly baseFolder: string | null },
  ): Promise<void> {
    const order = {
      object: `${this.#options.objectsFolder}/${object.sha256}`,
      expected: {
        kind: object.kind,
        from: object.from,
        digest: manifest.sha256,
        manifestByteCount: manifest.byteCount,
        treeByteCount,
        treeFileCount,
      },
      base: object.from === null ? null : work.baseFolder,
      target: work.folder,
    }
    return applyInChild(this.#ports.apply, order, {
      progress: (done, all) =>
        work.tell({ ...nothingCame, phase: 'writing', doneBytes: done, allBytes: all }),
      isCancelled: work.isCancelled,
    }).catch((error: unknown) => {
      this.#useless.note(object, error)
      throw error
    })
  }
}

/** With less than this on the card, the box itself comes before what may be fetched again. */
const TIGHT_BYTES = 32 * 1024 * 1024

const nothingKnown: Omit<SlotView, 'trouble'> = {
  slot: null,
  contents: null,
  running: null,
  previous: null,
  prepared: null,
  isOnTrial: false,
  isRestartDue: false,
  formats: null,
  floor: null,
  refused: [],
}
