/** The slots as the updater works with them: what is fetched is written by a process of its own, and verified. */
import { statfs } from 'node:fs/promises'
import { BoxError } from '../../runtime/core/errors.js'
import type { Log } from '../../runtime/ports/log.js'
import type { FetchProgress } from '../fetch/fetch-progress.js'
import type { Fetcher } from '../fetch/fetcher.js'
import type { Shelf } from '../fetch/shelf.js'
import { type ApplyChild, applyInChild } from '../patch/apply-in-child.js'
import type { ReleaseDescription } from '../release/description.js'
import type { SlotAgent, SlotStatus } from '../slots/slot-agent.js'
import { slotFolder } from '../slots/slot-check.js'
import { type Release, type Slot, type SlotName, slotNames } from '../slots/slot-state.js'
import { usableObjects } from '../updater/choice-of-object.js'
import type { RunningRelease } from '../updater/criteria.js'
import type { SlotView, SlotWork, StateFormats, TransferProgress } from '../updater/parts.js'
import { readOwnRelease } from './settings.js'

type TransferObject = ReleaseDescription['objects'][number]
type Tell = (progress: TransferProgress) => void

export interface ProcessSlotsPorts {
  readonly agent: SlotAgent
  readonly fetcher: Fetcher
  readonly shelf: Shelf
  readonly log: Log
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

  constructor(ports: ProcessSlotsPorts, options: ProcessSlotsOptions) {
    this.#ports = ports
    this.#options = options
  }

  async view(): Promise<SlotView> {
    const status = await this.#ports.agent.status()
    const running = status.running && status.slots[status.running]
    const ready = Object.values(status.slots).find(({ kind }) => kind === 'ready')
    return {
      slot: status.running,
      running: releaseOf(running),
      previous: previousOf(status),
      prepared: releaseOf(ready ?? null),
      isOnTrial: running?.kind === 'trial',
      isRestartDue: status.isRestartDue,
      formats: await this.#formats(status),
      floor: status.floor,
      refused: status.refused,
    }
  }

  async #formats({ running, slots }: SlotStatus): Promise<SlotView['formats']> {
    const ready = slotNames.find(name => slots[name].kind === 'ready')
    if (running === null || ready === undefined) return null
    const [own, next] = [await this.#formatsOf(running), await this.#formatsOf(ready)]
    return own && next && { running: own, prepared: next }
  }

  async #formatsOf(slot: SlotName): Promise<StateFormats | null> {
    // A release that does not say, or not so that it can be read, must not stop all others.
    const folder = `${this.#options.home}/${slotFolder(slot)}`
    return (await readOwnRelease(folder).catch(() => null))?.formats ?? null
  }

  async prepare(
    description: ReleaseDescription,
    tell: Tell,
    isCancelled: () => boolean,
  ): Promise<void> {
    const release: Release = {
      digest: description.manifest.sha256,
      version: description.version,
      floor: description.floor,
    }
    const { running, slots } = await this.#ports.agent.status()
    const base = running === null ? null : { slot: running, release: releaseOf(slots[running]) }
    await this.#ports.agent.install(
      release,
      {
        install: slotFolderPath =>
          this.#fill(description, base, { folder: slotFolderPath, tell, isCancelled }),
      },
      {
        progress: ({ step, done, all }) =>
          tell({
            ...nothingCame,
            phase: 'writing',
            doneBytes: done,
            allBytes: step === 'verifying' ? all : 0,
          }),
        isCancelled,
      },
    )
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
    const taken = await this.#ports.agent.takeLauncher()
    this.#ports.log.info('ota.launcher', { taken })
  }

  rollBack(reason: string): Promise<void> {
    return this.#ports.agent.rollBack(reason)
  }

  clear(digest: string): Promise<void> {
    return this.#ports.agent.clear(digest)
  }

  async freeBytes(): Promise<number | null> {
    const found = await statfs(this.#options.home).catch(() => null)
    return found && found.bavail * found.bsize
  }

  /** The smallest object first; what cannot be applied gives way to the next, which needs less of this box. */
  async #fill(
    description: ReleaseDescription,
    base: { readonly slot: SlotName; readonly release: RunningRelease | null } | null,
    work: { readonly folder: string; readonly tell: Tell; readonly isCancelled: () => boolean },
  ): Promise<void> {
    const digest = base?.release?.digest ?? null
    const usable = usableObjects(description, digest)
    for (const [index, object] of usable.entries())
      try {
        await this.#bring(object, work)
        const baseFolder = base && `${this.#options.home}/${slotFolder(base.slot)}`
        await this.#apply(description, object, { ...work, baseFolder })
        return
      } catch (error) {
        const isLast = index === usable.length - 1
        if (isLast || !(error instanceof BoxError) || !MAY_GIVE_WAY.includes(error.code))
          throw error
        this.#ports.log.warn('ota.object-useless', { target: object.target, error })
      }
    throw new BoxError('release.invalid', `${description.version} has no object for this box`)
  }

  async #bring(
    object: TransferObject,
    { tell, isCancelled }: { readonly tell: Tell; readonly isCancelled: () => boolean },
  ): Promise<void> {
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
    work: {
      readonly folder: string
      readonly baseFolder: string | null
      readonly tell: Tell
      readonly isCancelled: () => boolean
    },
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
    })
  }
}

/** A base that has rotted, an object that was made wrong, that nobody has, or that needs more memory than there is. */
const MAY_GIVE_WAY: readonly string[] = [
  'storage.rotten',
  'release.invalid',
  'release.unapplied',
  'fetch.invalid',
  'fetch.unavailable',
]

const nothingCame = { uplinkBytes: 0, peerBytes: 0, stickBytes: 0 }

const progressOf = (progress: FetchProgress): TransferProgress => ({
  phase: 'fetching',
  doneBytes: progress.haveByteCount,
  allBytes: progress.byteCount,
  uplinkBytes: progress.uplinkByteCount,
  peerBytes: progress.peerByteCount,
  stickBytes: progress.folderByteCount,
})

function releaseOf(slot: Slot | null): RunningRelease | null {
  if (slot === null || slot.kind === 'empty' || slot.kind === 'installing') return null
  return { digest: slot.release.digest, version: slot.release.version }
}

const previousOf = ({ wayBack, running, slots }: SlotStatus): RunningRelease | null =>
  wayBack === null || wayBack === running ? null : releaseOf(slots[wayBack])
