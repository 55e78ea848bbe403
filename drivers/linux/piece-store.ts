import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { assert, BoxError, messageOf } from '../../runtime/core/errors.js'
import type { PieceFile, PieceStore, StoredObject } from '../../runtime/ports/piece-store.js'
import { hasCode } from './errno.js'

const NAME = /^[0-9a-f]{64}$/
/** stat(2): whatever the file system's own blocks are. */
const STAT_BLOCK_BYTES = 512
const HASH_STEP_BYTES = 1024 * 1024

/** One folder of files, each named by the SHA-256 that it is to have. What else lies there is left alone. */
export class LinuxPieceStore implements PieceStore {
  readonly #folder: string

  /** @param folder made when something is first written */
  constructor(folder: string) {
    this.#folder = resolve(folder)
  }

  async list(): Promise<readonly StoredObject[]> {
    return storage('the folder of objects cannot be read', async () => {
      const names = await readdir(this.#folder).catch(missing<string[]>([]))
      const objects: StoredObject[] = []
      for (const sha256 of names.filter(name => NAME.test(name)).sort()) {
        const found = await stat(this.#at(sha256)).catch(missing(null))
        if (found?.isFile())
          objects.push({
            sha256,
            byteCount: found.size,
            heldByteCount: found.blocks * STAT_BLOCK_BYTES,
          })
      }
      return objects
    })
  }

  async freeByteCount(): Promise<number> {
    return storage('the disk does not say its room', async () => {
      await mkdir(this.#folder, { recursive: true })
      const { bavail, bsize } = await statfs(this.#folder)
      return bavail * bsize
    })
  }

  async open(sha256: string): Promise<PieceFile> {
    assert(NAME.test(sha256), 'an object is named by its hash')
    return storage(`${sha256} cannot be opened`, async () => {
      const made = await mkdir(this.#folder, { recursive: true })
      // Neither a link to elsewhere nor a pipe that waits for ever.
      const flags =
        constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK
      const file = await open(this.#at(sha256), flags, 0o600)
      return new LinuxPieceFile(file, sha256, () => this.#syncFolders(made))
    })
  }

  async remove(sha256: string): Promise<void> {
    assert(NAME.test(sha256), 'an object is named by its hash')
    await storage(`${sha256} cannot be removed`, () => rm(this.#at(sha256), { force: true }))
  }

  /** A new folder is lost in a power cut unless the folder above it is synced too. */
  async #syncFolders(made: string | undefined): Promise<void> {
    await syncFolder(this.#folder)
    if (made === undefined) return
    for (let above = dirname(this.#folder); above.length >= dirname(made).length; ) {
      await syncFolder(above)
      if (above === dirname(above)) return
      above = dirname(above)
    }
  }

  #at(sha256: string): string {
    return join(this.#folder, sha256)
  }
}

class LinuxPieceFile implements PieceFile {
  readonly #file: FileHandle
  readonly #sha256: string
  readonly #syncName: () => Promise<void>
  #isNameSafe = false

  constructor(file: FileHandle, sha256: string, syncName: () => Promise<void>) {
    this.#file = file
    this.#sha256 = sha256
    this.#syncName = syncName
  }

  async read(at: number, byteCount: number): Promise<Uint8Array> {
    return storage(`${this.#sha256} cannot be read`, async () => {
      const into = new Uint8Array(byteCount)
      return into.subarray(0, await this.#fill(into, at))
    })
  }

  async write(at: number, bytes: Uint8Array): Promise<void> {
    await storage(`${this.#sha256} cannot be written`, async () => {
      let done = 0
      // A disk that fills up takes a part, and only then says no.
      while (done < bytes.length)
        done += (await this.#file.write(bytes, done, bytes.length - done, at + done)).bytesWritten
    })
  }

  async sync(): Promise<void> {
    await storage(`${this.#sha256} cannot be synced`, async () => {
      await this.#file.datasync()
      if (!this.#isNameSafe) await this.#syncName()
      this.#isNameSafe = true
    })
  }

  async sha256Hex(byteCount: number): Promise<string> {
    return storage(`${this.#sha256} cannot be read`, async () => {
      const hash = createHash('sha256')
      const buffer = new Uint8Array(Math.min(HASH_STEP_BYTES, Math.max(1, byteCount)))
      for (let at = 0; at < byteCount; ) {
        const step = buffer.subarray(0, byteCount - at)
        const filled = await this.#fill(step, at)
        if (filled === 0) break
        hash.update(step.subarray(0, filled))
        at += filled
      }
      return hash.digest('hex')
    })
  }

  async close(): Promise<void> {
    await storage(`${this.#sha256} cannot be closed`, () => this.#file.close())
  }

  async #fill(into: Uint8Array, at: number): Promise<number> {
    let done = 0
    while (done < into.length) {
      const { bytesRead } = await this.#file.read(into, done, into.length - done, at + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function missing<T>(instead: T): (error: unknown) => T {
  return error => {
    if (hasCode(error, 'ENOENT')) return instead
    throw error
  }
}

async function storage<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause
    const isFull = hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT')
    throw new BoxError(isFull ? 'storage.full' : 'storage.io', `${what}: ${messageOf(cause)}`, {
      cause,
    })
  }
}
