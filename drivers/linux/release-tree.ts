/**
 * A release as a folder of the machine. Calls block: who writes a hundred megabytes does so in a process of its own, which
 * is lighter so by half; between them others get their turn.
 */
import { execFile } from 'node:child_process'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type {
  ByteSource,
  NewFile,
  OpenFile,
  ReleaseTree,
  ReleaseTreeWriter,
} from '../../runtime/ports/release-tree.js'
import { errnoOf } from './errno.js'

const MANIFEST = 'manifest'
const UNFINISHED_MANIFEST = 'manifest.new'
const CALLS_PER_TURN = 64
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const run = promisify(execFile)

/** Reads a release. */
export class LinuxReleaseTree implements ReleaseTree {
  readonly #folder: string

  /** @param folder absolute, or relative to the working directory */
  constructor(folder: string) {
    this.#folder = resolve(folder)
  }

  async open(path: string): Promise<OpenFile | null> {
    return openForReading(join(this.#folder, path))
  }
}

/** Any file of the machine, such as a transfer object. Throws BoxError `storage.io` when it is not there. */
export async function openBytes(path: string): Promise<ByteSource & OpenFile> {
  const file = openForReading(path)
  if (file === null) throw new BoxError('storage.io', `${path} is not a file`)
  return file
}

/** Writes a release. One process at a time. */
export class LinuxReleaseTreeWriter implements ReleaseTreeWriter {
  readonly #folder: string
  readonly #tree: LinuxReleaseTree
  readonly #made = new Set<string>()
  #calls = 0

  /** @param folder is emptied by `clear`, with everything that lies in it */
  constructor(folder: string) {
    this.#folder = resolve(folder)
    this.#tree = new LinuxReleaseTree(folder)
  }

  open(path: string): Promise<OpenFile | null> {
    return this.#tree.open(path)
  }

  async clear(): Promise<void> {
    storage(`${this.#folder} cannot be emptied`, () => {
      mkdirSync(this.#folder, { recursive: true })
      syncFolder(dirname(this.#folder))
      rmSync(join(this.#folder, MANIFEST), { force: true, recursive: true })
      syncFolder(this.#folder)
      rmSync(this.#folder, { force: true, recursive: true })
      mkdirSync(this.#folder)
      syncFolder(dirname(this.#folder))
    })
    this.#made.clear()
  }

  async create(path: string, mode: '644' | '755'): Promise<NewFile> {
    await this.#turn()
    const file = storage(`${path} cannot be made`, () => {
      this.#makeFolder(dirname(path))
      const made = openSync(this.#at(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
      // Whatever the process was told to mask.
      fchmodSync(made, Number.parseInt(mode, 8))
      return made
    })
    return {
      write: async bytes => {
        await this.#turn()
        storage(`${path} cannot be written`, () => writeAll(file, bytes))
      },
      close: async () => storage(`${path} cannot be closed`, () => closeSync(file)),
    }
  }

  /** One syncfs(2) in place of thousands of fsync(2); Linux reports in it what could not be written (since 5.8). */
  async settle(): Promise<void> {
    try {
      await run('sync', ['-f', this.#folder])
    } catch (cause) {
      throw new BoxError('storage.io', `${this.#folder} cannot be synced`, { cause })
    }
  }

  async finish(manifest: Uint8Array): Promise<void> {
    storage('the manifest cannot be written', () => {
      const file = openSync(this.#at(UNFINISHED_MANIFEST), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
      try {
        fchmodSync(file, 0o644)
        writeAll(file, manifest)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(this.#at(UNFINISHED_MANIFEST), this.#at(MANIFEST))
      syncFolder(this.#folder)
    })
  }

  #makeFolder(path: string): void {
    if (path === '.' || this.#made.has(path)) return
    mkdirSync(this.#at(path), { recursive: true, mode: 0o755 })
    this.#made.add(path)
  }

  #at(path: string): string {
    return join(this.#folder, path)
  }

  async #turn(): Promise<void> {
    if (++this.#calls % CALLS_PER_TURN === 0) await new Promise(setImmediate)
  }
}

function openForReading(path: string): OpenFile | null {
  return storage(`${path} cannot be opened`, () => {
    const file = openUnlessMissing(path)
    if (file === null) return null
    const status = fstatSync(file)
    if (!status.isFile()) {
      closeSync(file)
      return null
    }
    return {
      byteCount: status.size,
      read: async (at, into) => storage(`${path} cannot be read`, () => readAll(file, at, into)),
      close: async () => storage(`${path} cannot be closed`, () => closeSync(file)),
    }
  })
}

/** A link would lead out of the tree, a pipe would be waited for. */
function openUnlessMissing(path: string): number | null {
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return null
    throw error
  }
}

function readAll(file: number, at: number, into: Uint8Array): number {
  let count = 0
  while (count < into.length) {
    const read = readSync(file, into, count, into.length - count, at + count)
    if (read === 0) break
    count += read
  }
  return count
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

function syncFolder(path: string): void {
  const folder = openSync(path, O_RDONLY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function storage<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const isFull = ['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '')
    throw new BoxError(isFull ? 'storage.full' : 'storage.io', `${what}: ${messageOf(cause)}`, {
      cause,
    })
  }
}
