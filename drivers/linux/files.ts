import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import { type Folder, FolderFiles } from '../../runtime/core/folder-files.js'
import type { Files } from '../../runtime/ports/files.js'

/** Small state and documents in one folder of the machine. One process writes a file; many may read it. */
export class LinuxFiles implements Files {
  readonly #files: FolderFiles

  /** @param folder absolute, or relative to the working directory; made when something is first written */
  constructor(folder: string) {
    this.#files = new FolderFiles(new LinuxFolder(folder))
  }

  read(name: string): Promise<Uint8Array | null> {
    return this.#files.read(name)
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return this.#files.replace(name, bytes)
  }

  remove(name: string): Promise<void> {
    return this.#files.remove(name)
  }
}

class LinuxFolder implements Folder {
  readonly #path: string

  constructor(path: string) {
    this.#path = resolve(path)
  }

  async read(name: string, byteCountMax: number): Promise<Uint8Array | null> {
    return storage(`${name} cannot be read`, async () => {
      // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
      const file = await openUnlessMissing(
        this.#at(name),
        constants.O_RDONLY | constants.O_NONBLOCK,
      )
      if (file === null) return null
      try {
        return await readAll(file, name, byteCountMax)
      } finally {
        await file.close()
      }
    })
  }

  async writeSynced(name: string, bytes: Uint8Array): Promise<void> {
    return storage(`${name} cannot be written`, async () => {
      await makeFolder(dirname(this.#at(name)))
      const file = await open(this.#at(name), 'w', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
    })
  }

  async rename(from: string, to: string): Promise<void> {
    return storage(`${to} cannot be replaced`, () => rename(this.#at(from), this.#at(to)))
  }

  async remove(name: string): Promise<void> {
    return storage(`${name} cannot be removed`, () => rm(this.#at(name), { force: true }))
  }

  async syncFolder(name: string): Promise<void> {
    return storage(`the folder of ${name} cannot be synced`, () => sync(dirname(this.#at(name))))
  }

  #at(name: string): string {
    return join(this.#path, name)
  }
}

async function readAll(file: FileHandle, name: string, byteCountMax: number): Promise<Uint8Array> {
  if (!(await file.stat()).isFile()) throw new BoxError('storage.io', `${name} is not a file`)
  const parts: Uint8Array[] = []
  let byteCount = 0
  for (;;) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(64 * 1024) })
    if (bytesRead === 0) return Uint8Array.from(Buffer.concat(parts))
    parts.push(buffer.subarray(0, bytesRead))
    byteCount += bytesRead
    if (byteCount > byteCountMax)
      throw new BoxError('storage.limit', `${name} has more than ${byteCountMax} bytes`)
  }
}

async function openUnlessMissing(path: string, flags: number): Promise<FileHandle | null> {
  try {
    return await open(path, flags)
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null
    throw error
  }
}

/** A new folder is lost in a power cut unless the folder above it is synced too. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made))
    await sync(dirname(made))
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function storage<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof BoxError) throw cause
    const isFull = hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT')
    throw new BoxError(isFull ? 'storage.full' : 'storage.io', `${what}: ${messageOf(cause)}`, {
      cause,
    })
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
