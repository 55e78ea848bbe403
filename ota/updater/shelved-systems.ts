/** The transfer objects of operating systems, among those of releases. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Brotli } from '../../runtime/ports/brotli.js'
import type { FetchedObject } from '../fetch/fetched-object.js'
import type { Fetcher } from '../fetch/fetcher.js'
import type { Shelf } from '../fetch/shelf.js'
import { type OsDescription, objectsOf, osFiles } from '../os/os-description.js'
import type { OsSource } from '../os/os-writer.js'
import { unpacked } from '../os/unpacking.js'
import type { OsObjects } from './os-parts.js'
import type { TransferProgress } from './parts.js'

export interface ShelvedSystemsPorts {
  readonly fetcher: Pick<Fetcher, 'fetch'>
  readonly shelf: Pick<Shelf, 'keepOnly' | 'heldByteCounts'>
  readonly brotli: Pick<Brotli, 'decompress'>
  /** What others want of the shelf, by their digests. */
  readonly othersWant: () => readonly string[]
  readonly freeBytes: () => Promise<number | null>
  readonly mayUseUplink: () => boolean
}

export class ShelvedSystems implements OsObjects {
  readonly #ports: ShelvedSystemsPorts
  #wanted: readonly string[] = []

  constructor(ports: ShelvedSystemsPorts) {
    this.#ports = ports
  }

  /** What nobody else may remove. */
  get wanted(): readonly string[] {
    return this.#wanted
  }

  /** What is ordered, as soon as that is known: after a start, before anybody removes what nobody wants. */
  expect(description: OsDescription | null): void {
    if (this.#wanted.length > 0 || description === null) return
    this.#wanted = objectsOf(description).map(({ sha256 }) => sha256)
  }

  async bring(
    description: OsDescription,
    tell: (progress: TransferProgress) => void,
    isCancelled: () => boolean,
  ): Promise<OsSource> {
    const { fetcher, shelf, brotli, mayUseUplink } = this.#ports
    const files = osFiles(description)
    const objects = files.map(({ object }) => object)
    this.#wanted = objects.map(({ sha256 }) => sha256)
    await shelf.keepOnly([...this.#wanted, ...this.#ports.othersWant()])
    const allBytes = objects.reduce((sum, { byteCount }) => sum + byteCount, 0)
    const came = new Sum()
    const fetched = new Map<string, FetchedObject>()
    for (const { part, object } of files) {
      const progress: Parameters<Fetcher['fetch']>[1]['progress'] = now => {
        came.current = {
          doneBytes: now.haveByteCount,
          uplinkBytes: now.uplinkByteCount,
          peerBytes: now.peerByteCount,
          stickBytes: now.folderByteCount,
        }
        tell({ phase: 'fetching', allBytes, ...came.all })
      }
      fetched.set(part, await fetcher.fetch(object, { progress, isCancelled, mayUseUplink }))
      came.next(object.byteCount)
    }
    return { open: part => unpacked(brotli, objectFor(fetched, part)) }
  }

  async drop(): Promise<void> {
    this.#wanted = []
    await this.#ports.shelf.keepOnly(this.#ports.othersWant())
  }

  async roomBytes(): Promise<number | null> {
    const { shelf, othersWant, freeBytes } = this.#ports
    const free = await freeBytes()
    if (free === null) return null
    // What has come of the system before a power cut is part of what it needs.
    return free + (await shelf.heldByteCounts(othersWant())).others
  }
}

function objectFor(fetched: ReadonlyMap<string, FetchedObject>, part: string): FetchedObject {
  const object = fetched.get(part)
  if (object === undefined) throw new BoxError('os.refused', `nothing was signed for ${part}`)
  return object
}

type Bytes = Omit<TransferProgress, 'phase' | 'allBytes'>
const none: Bytes = { doneBytes: 0, uplinkBytes: 0, peerBytes: 0, stickBytes: 0 }

/** Of the objects that are there, and the one that comes. */
class Sum {
  #before = none
  current = none

  get all(): Bytes {
    const [before, now] = [this.#before, this.current]
    return {
      doneBytes: before.doneBytes + now.doneBytes,
      uplinkBytes: before.uplinkBytes + now.uplinkBytes,
      peerBytes: before.peerBytes + now.peerBytes,
      stickBytes: before.stickBytes + now.stickBytes,
    }
  }

  /** The one that came is there, also when nothing of it had to come. */
  next(byteCount: number): void {
    this.current = { ...this.current, doneBytes: byteCount }
    this.#before = this.all
    this.current = none
  }
}
