import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { CopyWishes, FoundFile, SlotDisk } from '../../runtime/ports/slot-disk.js'
import type { Libc } from './libc.js'

const READ_BYTES = 256 * 1024
const EXECUTABLE = 0o100
/** So much is written between two pauses, and synced: what waits to be written later would hold up others. */
const COPY_BYTES = 1024 * 1024
const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants

/** What the C library adds: without it, single files are synced, and `disk` reads what memory holds. */
export type DiskCalls = Pick<Libc, 'syncFileSystem' | 'dropCache'>

/** The folder of the slots on a real disk. */
export class LinuxSlotDisk implements SlotDisk {
  readonly #home: string
  readonly #calls: DiskCalls | null

  /** @param calls null for the launcher, which has no packages and writes nothing but small files */
  constructor(home: string, calls: DiskCalls | null) {
    this.#home = resolve(home)
    this.#calls = calls
  }

  pathOf(name: string): string {
    return join(this.#home, name)
  }

  read(name: string, byteCountMax: number): Promise<Uint8Array | null> {
    return storage(`${name} cannot be read`, async () => {
      const file = await openUnlessMissing(this.pathOf(name))
      if (file === null) return null
      try {
        const { size } = await file.stat()
        if (size > byteCountMax)
          throw new BoxError('storage.limit', `${name} has more than ${byteCountMax} bytes`)
        return Uint8Array.from(await file.readFile())
      } finally {
        await file.close()
      }
    })
  }

  writeSynced(name: string, bytes: Uint8Array): Promise<void> {
    return storage(`${name} cannot be written`, async () => {
      await makeFolder(dirname(this.pathOf(name)))
      const file = await open(this.pathOf(name), 'w', 0o644)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await syncFolder(dirname(this.pathOf(name)))
    })
  }

  copy(from: string, to: string, wishes: CopyWishes): Promise<string> {
    return storage(`${to} cannot be made from ${from}`, async () => {
      const source = await open(this.pathOf(from), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      try {
        await makeFolder(dirname(this.pathOf(to)))
        return await copyInto(this.pathOf(to), source, wishes)
      } finally {
        await source.close()
      }
    })
  }

  rename(from: string, to: string): Promise<void> {
    return storage(`${to} cannot be replaced`, async () => {
      await makeFolder(dirname(this.pathOf(to)))
      await rename(this.pathOf(from), this.pathOf(to))
      await syncFolder(dirname(this.pathOf(to)))
    })
  }

  remove(name: string): Promise<void> {
    return this.#remove(name, false)
  }

  removeTree(folder: string): Promise<void> {
    return this.#remove(folder, true)
  }

  list(folder: string): Promise<readonly FoundFile[]> {
    return storage(`${folder} cannot be listed`, async () => {
      const found = await walk(this.pathOf(folder), '')
      return found.toSorted((one, other) => (one.path < other.path ? -1 : 1))
    })
  }

  sha256(name: string, from: 'memory' | 'disk'): Promise<string> {
    return storage(`${name} cannot be read`, async () => {
      const file = await open(this.pathOf(name), constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        // Only what is on the disk already can be let go of: whoever wrote has synced.
        if (from === 'disk') this.#calls?.dropCache(file.fd)
        return await digestOf(file)
      } finally {
        await file.close()
      }
    })
  }

  syncTree(folder: string): Promise<void> {
    return storage(`${folder} cannot be synced`, async () => {
      const path = this.pathOf(folder)
      await makeFolder(path)
      if (this.#calls !== null)
        await withOpen(path, async ({ fd }) => this.#calls?.syncFileSystem(fd))
      else await syncEach(path)
      await syncFolder(dirname(path))
    })
  }

  #remove(name: string, recursive: boolean): Promise<void> {
    return storage(`${name} cannot be removed`, async () => {
      await rm(this.pathOf(name), { force: true, recursive })
      const folder = dirname(this.pathOf(name))
      if (await isThere(folder)) await syncFolder(folder)
    })
  }
}

async function walk(root: string, below: string): Promise<FoundFile[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(
    (error: unknown) => {
      if (below === '' && hasCode(error, 'ENOENT')) return []
      throw error
    },
  )
  const found: FoundFile[] = []
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) found.push(...(await walk(root, path)))
    else found.push(await lookAt(join(root, path), path))
  }
  return found
}

async function lookAt(file: string, path: string): Promise<FoundFile> {
  const facts = await lstat(file, { bigint: true })
  return {
    path,
    isRegular: facts.isFile(),
    isExecutable: (Number(facts.mode) & EXECUTABLE) !== 0,
    byteCount: Number(facts.size),
    inode: Number(facts.ino),
    modified: String(facts.mtimeNs),
  }
}

async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
  }
}

async function copyInto(
  path: string,
  source: FileHandle,
  { isExecutable, pause }: CopyWishes,
): Promise<string> {
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644)
  try {
    // Whatever the process was told to mask.
    await file.chmod(isExecutable ? 0o755 : 0o644)
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(COPY_BYTES)
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, COPY_BYTES, null)
      if (bytesRead === 0) break
      const bytes = buffer.subarray(0, bytesRead)
      hash.update(bytes)
      await file.writeFile(bytes)
      await file.datasync()
      await pause()
    }
    await file.sync()
    return hash.digest('hex')
  } finally {
    await file.close()
    await syncFolder(dirname(path))
  }
}

/** Each file and each folder, where the disk cannot be synced as a whole. */
async function syncEach(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await syncEach(path)
    else if (entry.isFile()) await syncFolder(path)
  }
  await syncFolder(folder)
}

/** A new folder is lost in a power cut unless the folder above it is synced too. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made))
    await syncFolder(dirname(made))
}

const syncFolder = (path: string): Promise<void> => withOpen(path, handle => handle.sync())

async function withOpen(path: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await work(handle)
  } finally {
    await handle.close()
  }
}

async function openUnlessMissing(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null
    throw error
  }
}

const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => null)) !== null

async function storage<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof BoxError) throw cause
    const isFull = hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT')
    const problem = `${what}: ${messageOf(cause)}`
    throw new BoxError(isFull ? 'storage.full' : 'storage.io', problem, { cause })
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
