import { BoxError } from '../../runtime/core/errors.js'
import type { Folder } from '../../runtime/core/folder-files.js'
import { Signal } from '../../runtime/core/signal.js'
import { type Power, SimulatedPower } from './power.js'

/** A file's bytes: what the disk has for sure, and what was written since. */
interface Inode {
  safe: Uint8Array
  written: Uint8Array
}

export interface ListedFolder extends Folder {
  /** Of all files, in no order. */
  names(): Promise<readonly string[]>
}

type Names = ReadonlyMap<string, Inode>

/** What a power cut met that was not synced. */
export interface DiskPowerCut {
  /** Files of which only a part, or rubbish, was on the disk. */
  readonly tornFiles: number
  /** Files made, renamed or removed that were lost again. */
  readonly lostNames: number
}

/**
 * A folder on a disk with a write cache. A cut keeps, drawn from the seed, some first part of what was written and not
 * synced, its last byte perhaps rotten; and the first few of the names that were made, renamed or removed.
 */
export class SimulatedDisk {
  readonly powerCut = new Signal<DiskPowerCut>()
  /** What every write fails with; null when the disk is well. */
  fault: 'storage.full' | 'storage.io' | null = null
  /** A card that says "synced" and has only noted it: `files`, `folder`, or none of them. */
  liesAbout: 'files' | 'folder' | null = null
  readonly #random: () => number
  readonly #power: SimulatedPower
  /** The names after every change since the last sync of the folder; the first is the one that is safe. */
  #history: Names[] = [new Map()]
  #inodes: Inode[] = []

  constructor(random: () => number = () => 0) {
    this.#random = random
    this.#power = new SimulatedPower(() => this.#loseUnsynced())
  }

  /** Power comes back, and goes again after so many calls. */
  boot(options: { callsUntilPowerCut: number }): ListedFolder {
    const power = this.#power.on(options)
    return {
      read: (name, byteCountMax) => powered(power, () => this.#read(name, byteCountMax)),
      writeSynced: async (name, bytes) => {
        await powered(power, () => this.#write(name, bytes))
        await powered(power, () => this.#syncFile(name))
      },
      rename: (from, to) => powered(power, () => this.#rename(from, to)),
      remove: name => powered(power, () => this.#change(names => names.delete(name))),
      syncFolder: () => powered(power, () => this.#syncFolder()),
      names: () => powered(power, () => [...this.#names.keys()]),
    }
  }

  cutPower(): void {
    this.#power.cut()
  }

  get #names(): Names {
    return this.#history.at(-1) ?? new Map()
  }

  #read(name: string, byteCountMax: number): Uint8Array | null {
    const inode = this.#names.get(name)
    if (inode && inode.written.length > byteCountMax)
      throw new BoxError('storage.limit', `${name} has more than ${byteCountMax} bytes`)
    return inode?.written.slice() ?? null
  }

  #write(name: string, bytes: Uint8Array): void {
    if (this.fault !== null) throw new BoxError(this.fault, 'the disk is at fault')
    const there = this.#names.get(name)
    if (there !== undefined) {
      there.written = bytes.slice()
      return
    }
    const inode: Inode = { safe: new Uint8Array(), written: bytes.slice() }
    this.#inodes.push(inode)
    this.#change(names => names.set(name, inode))
  }

  #syncFile(name: string): void {
    const inode = this.#names.get(name)
    if (inode && this.liesAbout !== 'files') inode.safe = inode.written
  }

  #rename(from: string, to: string): void {
    const inode = this.#names.get(from)
    if (inode === undefined) throw new BoxError('storage.io', `${from} is not there`)
    this.#change(names => {
      names.delete(from)
      names.set(to, inode)
    })
  }

  #change(change: (names: Map<string, Inode>) => unknown): void {
    const names = new Map(this.#names)
    change(names)
    this.#history.push(names)
  }

  #syncFolder(): void {
    if (this.liesAbout !== 'folder') this.#history = [this.#names]
  }

  #loseUnsynced(): void {
    const kept = Math.floor(this.#random() * this.#history.length)
    const lostNames = this.#history.length - 1 - kept
    this.#history = [this.#history[kept] ?? new Map()]
    let tornFiles = 0
    for (const inode of this.#inodes) {
      if (inode.written !== inode.safe) inode.safe = this.#torn(inode.written)
      if (inode.written.length !== inode.safe.length) tornFiles++
      inode.written = inode.safe
    }
    const living = new Set(this.#names.values())
    this.#inodes = this.#inodes.filter(inode => living.has(inode))
    this.powerCut.emit({ tornFiles, lostNames })
  }

  #torn(written: Uint8Array): Uint8Array {
    const kept = written.slice(0, Math.floor(this.#random() * (written.length + 1)))
    if (kept.length > 0 && this.#random() < 0.5)
      kept[kept.length - 1] = Math.floor(this.#random() * 256)
    return kept
  }
}

/** A call from before a power cut never returns. */
async function powered<T>(power: Power, action: () => T): Promise<T> {
  await Promise.resolve()
  return power.isThere() ? action() : new Promise<T>(() => {})
}
