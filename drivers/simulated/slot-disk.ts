import { createHash } from 'node:crypto'
import { BoxError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { FoundFile, SlotDisk } from '../../runtime/ports/slot-disk.js'
import { type Power, SimulatedPower } from './power.js'

/** A file's bytes: what the disk has for sure, and what memory has. */
interface Inode {
  readonly number: number
  safe: Uint8Array
  written: Uint8Array
  isExecutable: boolean
  modified: number
}

/** Of one folder: names of files and of folders (null). */
type Names = ReadonlyMap<string, Inode | null>

interface Folder {
  /** After every change since the last sync; the first is the one that is safe. */
  history: Names[]
}

/** What a power cut met that was not synced. */
export interface SlotDiskPowerCut {
  readonly tornFiles: number
  readonly lostNames: number
}

/** What an installer writes with. Nothing of it is safe before the tree is synced. */
export interface SimulatedWriter {
  put(name: string, bytes: Uint8Array, isExecutable: boolean): Promise<void>
  /** A call to something else in the same machine: it counts, too, and nobody is answered after the cut. */
  beside<T>(action: () => T): Promise<T>
}

/**
 * Folders and files on a disk with a write cache. A cut keeps of each folder the first few changes of names since its
 * sync, and of each file some first part of what was not synced, its last byte perhaps rotten: drawn from the seed.
 * `rot` changes what is on the disk while memory still holds what was written.
 */
export class SimulatedSlotDisk {
  readonly powerCut = new Signal<SlotDiskPowerCut>()
  /** Calls that the running boot has made. */
  calls = 0
  /** A card that says "synced" and has only noted it. */
  isLying = false
  readonly #random: () => number
  readonly #power: SimulatedPower
  readonly #folders = new Map<string, Folder>([['', { history: [new Map()] }]])
  #inodes = 0
  #tick = 0

  constructor(random: () => number = () => 0) {
    this.#random = random
    this.#power = new SimulatedPower(() => this.#loseUnsynced())
  }

  /** Power comes back, and goes again after so many calls. */
  boot(options: { callsUntilPowerCut: number }): SlotDisk & SimulatedWriter {
    const power = this.#power.on(options)
    this.calls = 0
    const step = <T>(action: () => T): Promise<T> => this.#powered(power, action)
    return {
      pathOf: name => name,
      read: (name, byteCountMax) => step(() => this.#read(name, byteCountMax)),
      writeSynced: async (name, bytes) => {
        await step(() => this.#write(name, bytes, false))
        await step(() => this.#syncFile(name))
        await step(() => this.#syncFolderOf(name))
      },
      copy: async (from, to, { isExecutable, pause }) => {
        const bytes = await step(() => this.#bytes(from))
        // A megabyte is half a file here, so that a cut may fall between two.
        const half = bytes.length >> 1
        await step(() => this.#write(to, bytes.subarray(0, half), isExecutable))
        await pause()
        await step(() => this.#write(to, bytes, isExecutable))
        await step(() => this.#syncFile(to))
        await pause()
        await step(() => this.#syncFolderOf(to))
        return createHash('sha256').update(bytes).digest('hex')
      },
      rename: async (from, to) => {
        await step(() => this.#rename(from, to))
        await step(() => this.#syncFolderOf(to))
      },
      remove: async name => {
        await step(() => this.#change(folderOf(name), names => names.delete(baseOf(name))))
        await step(() => this.#syncFolderOf(name))
      },
      list: folder => step(() => this.#list(folder)),
      sha256: (name, from) => step(() => this.#sha256(name, from)),
      removeTree: async folder => {
        for (const name of this.#below(folder)) await step(() => this.#unlink(name))
        await step(() => this.#unlink(folder))
        await step(() => this.#syncFolderOf(folder))
      },
      syncTree: async folder => {
        for (const { path } of this.#list(folder))
          await step(() => this.#syncFile(`${folder}/${path}`))
        await step(() => this.#syncFolders(folder))
      },
      beside: step,
      put: (name, bytes, isExecutable) => step(() => this.#write(name, bytes, isExecutable)),
    }
  }

  cutPower(): void {
    this.#power.cut()
  }

  /** One bit of the file goes over, on the disk only, or in what memory holds as well. */
  rot(name: string, options: { isCached: boolean }): void {
    const inode = this.#inode(name)
    if (inode === null) throw new BoxError('storage.io', `${name} is not there`)
    const rotten = inode.safe.slice()
    rotten[rotten.length >> 1] = (rotten[rotten.length >> 1] ?? 0) ^ 1
    inode.safe = rotten
    if (!options.isCached) inode.written = rotten
  }

  /** The whole disk as it would be after a cut now, for a look from outside. */
  has(name: string): boolean {
    return this.#inode(name) !== null
  }

  /** A call from before a power cut never returns. */
  async #powered<T>(power: Power, action: () => T): Promise<T> {
    await Promise.resolve()
    if (!power.isThere()) return new Promise<T>(() => {})
    this.calls++
    return action()
  }

  #names(folder: string): Names | null {
    return this.#folders.get(folder)?.history.at(-1) ?? null
  }

  #inode(name: string): Inode | null {
    return this.#names(folderOf(name))?.get(baseOf(name)) ?? null
  }

  #read(name: string, byteCountMax: number): Uint8Array | null {
    const inode = this.#inode(name)
    if (inode && inode.written.length > byteCountMax)
      throw new BoxError('storage.limit', `${name} has more than ${byteCountMax} bytes`)
    return inode?.written.slice() ?? null
  }

  #bytes(name: string): Uint8Array {
    const inode = this.#inode(name)
    if (inode === null) throw new BoxError('storage.io', `${name} is not there`)
    return inode.written
  }

  #write(name: string, bytes: Uint8Array, isExecutable: boolean): void {
    this.#makeFolder(folderOf(name))
    const there = this.#inode(name)
    if (there !== null) {
      there.written = bytes.slice()
      there.modified = ++this.#tick
      there.isExecutable = isExecutable
      return
    }
    const inode: Inode = {
      number: ++this.#inodes,
      safe: new Uint8Array(),
      written: bytes.slice(),
      isExecutable,
      modified: ++this.#tick,
    }
    this.#change(folderOf(name), names => names.set(baseOf(name), inode))
  }

  #makeFolder(folder: string): void {
    if (folder === '' || this.#folders.has(folder)) return
    this.#makeFolder(folderOf(folder))
    this.#folders.set(folder, { history: [new Map()] })
    this.#change(folderOf(folder), names => names.set(baseOf(folder), null))
  }

  #rename(from: string, to: string): void {
    const inode = this.#inode(from)
    if (inode === null) throw new BoxError('storage.io', `${from} is not there`)
    this.#makeFolder(folderOf(to))
    // A cut may keep one without the other, which a journal would not: whoever stands that stands the other.
    this.#change(folderOf(from), names => names.delete(baseOf(from)))
    this.#change(folderOf(to), names => names.set(baseOf(to), inode))
  }

  #change(folder: string, change: (names: Map<string, Inode | null>) => unknown): void {
    const found = this.#folders.get(folder)
    if (!found) return
    const names = new Map(found.history.at(-1))
    change(names)
    found.history.push(names)
  }

  #unlink(name: string): void {
    this.#folders.delete(name)
    this.#change(folderOf(name), names => names.delete(baseOf(name)))
  }

  /** Names of all that is in a folder, deepest first. */
  #below(folder: string): string[] {
    const names = this.#names(folder)
    if (names === null) return []
    return [...names].flatMap(([base, inode]) => {
      const name = `${folder}/${base}`
      return inode === null ? [...this.#below(name), name] : [name]
    })
  }

  #list(folder: string): FoundFile[] {
    return this.#below(folder)
      .flatMap(name => {
        const inode = this.#inode(name)
        if (inode === null) return []
        return {
          path: name.slice(folder.length + 1),
          isRegular: true,
          isExecutable: inode.isExecutable,
          byteCount: inode.written.length,
          inode: inode.number,
          modified: String(inode.modified),
        }
      })
      .toSorted((one, other) => (one.path < other.path ? -1 : 1))
  }

  #sha256(name: string, from: 'memory' | 'disk'): string {
    const inode = this.#inode(name)
    if (inode === null) throw new BoxError('storage.io', `${name} is not there`)
    const bytes = from === 'disk' ? inode.safe : inode.written
    return createHash('sha256').update(bytes).digest('hex')
  }

  #syncFile(name: string): void {
    const inode = this.#inode(name)
    if (inode && !this.isLying) inode.safe = inode.written
  }

  #syncFolderOf(name: string): void {
    this.#syncNames(folderOf(name))
    // ext4 makes the way to a new folder safe together with it.
    for (let at = folderOf(name); at !== ''; at = folderOf(at)) this.#syncNames(folderOf(at))
  }

  #syncFolders(folder: string): void {
    for (const name of [folder, ...this.#below(folder)]) this.#syncNames(name)
    this.#syncFolderOf(folder)
  }

  #syncNames(folder: string): void {
    const found = this.#folders.get(folder)
    const names = this.#names(folder)
    if (found && names && !this.isLying) found.history = [names]
  }

  #loseUnsynced(): void {
    let lostNames = 0
    for (const folder of this.#folders.values()) {
      const kept = Math.floor(this.#random() * folder.history.length)
      lostNames += folder.history.length - 1 - kept
      folder.history = [folder.history[kept] ?? new Map()]
    }
    for (const name of this.#folders.keys()) if (!this.#isReached(name)) this.#folders.delete(name)
    let tornFiles = 0
    for (const inode of this.#living('')) {
      if (inode.written === inode.safe) continue
      tornFiles++
      inode.safe = this.#torn(inode.written)
      inode.written = inode.safe
    }
    this.powerCut.emit({ tornFiles, lostNames })
  }

  #isReached(folder: string): boolean {
    if (folder === '') return true
    const above = folderOf(folder)
    return this.#isReached(above) && this.#names(above)?.get(baseOf(folder)) === null
  }

  /** Of the files that can be reached; a folder whose removal was lost is there again, and empty. */
  #living(folder: string): Inode[] {
    const names = this.#names(folder) ?? new Map()
    const inodes: Inode[] = []
    for (const [base, inode] of names) {
      const name = folder === '' ? base : `${folder}/${base}`
      if (inode !== null) inodes.push(inode)
      else if (this.#folders.has(name)) inodes.push(...this.#living(name))
      else this.#folders.set(name, { history: [new Map()] })
    }
    return inodes
  }

  #torn(written: Uint8Array): Uint8Array {
    const kept = written.slice(0, Math.floor(this.#random() * (written.length + 1)))
    if (kept.length > 0 && this.#random() < 0.5)
      kept[kept.length - 1] = Math.floor(this.#random() * 256)
    return kept
  }
}

const folderOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')))
const baseOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1)
