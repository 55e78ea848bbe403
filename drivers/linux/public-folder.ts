import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import { checkName, UNFINISHED } from '../../runtime/core/folder-files.js'
import type { MeasuredFile, PublicFolder } from '../../runtime/ports/public-folder.js'
import { errnoOf } from './errno.js'

const BLOCK_BYTES = 1024 * 1024
const FILES_MAX = 200_000

/** A folder of the machine, or of a stick that is mounted, as others are to see it. */
export class LinuxPublicFolder implements PublicFolder {
  readonly #path: string

  /** @param path made when something is first written */
  constructor(path: string) {
    this.#path = resolve(path)
  }

  async read(name: string, byteCountMax: number): Promise<Uint8Array | null> {
    return this.#open(name, async file => {
      const { size } = await file.stat()
      if (size > byteCountMax)
        throw new BoxError('storage.limit', `${name} has more than ${byteCountMax} bytes`)
      return Uint8Array.from(await file.readFile())
    })
  }

  async *stream(name: string): AsyncIterable<Uint8Array> {
    const file = await storage(`${name} cannot be read`, () => open(this.#at(name), readOnly))
    try {
      yield* blocksOf(file, name)
    } finally {
      await file.close()
    }
  }

  async write(
    name: string,
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const path = this.#at(name)
    const unfinished = `${path}${UNFINISHED}`
    await storage(`${name} cannot be written`, async () => {
      await makeFolder(dirname(path))
      try {
        await writeSynced(unfinished, bytes)
        await rename(unfinished, path)
      } catch (error) {
        // Half a file on a full disk only takes up room. Should this fail too, the first failure is the one to report.
        await rm(unfinished, { force: true }).catch(() => {})
        throw error
      }
      await syncFolder(dirname(path))
    })
  }

  async measure(name: string, pieceByteCount: number): Promise<MeasuredFile | null> {
    return this.#open(name, async file => {
      const whole = createHash('sha256')
      const pieces: Buffer[] = []
      let [byteCount, room] = [0, pieceByteCount]
      let piece = createHash('sha256')
      for await (const block of blocksOf(file, name)) {
        whole.update(block)
        byteCount += block.length
        for (let rest = block; rest.length > 0; ) {
          const part = rest.subarray(0, room)
          piece.update(part)
          room -= part.length
          rest = rest.subarray(part.length)
          if (room > 0) continue
          pieces.push(piece.digest())
          piece = createHash('sha256')
          room = pieceByteCount
        }
      }
      if (room < pieceByteCount) pieces.push(piece.digest())
      return {
        byteCount,
        sha256: whole.digest('hex'),
        pieces: Uint8Array.from(Buffer.concat(pieces)),
      }
    })
  }

  async list(folder: string): Promise<readonly string[]> {
    return storage(`${folder} cannot be listed`, async () => {
      const names: string[] = []
      const waiting = [folder]
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { files, folders } = await insideOf(this.#at(next), next)
        names.push(...files)
        waiting.push(...folders)
        if (names.length > FILES_MAX)
          throw new BoxError('storage.limit', `${folder} has more than ${FILES_MAX} files`)
      }
      return names.sort()
    })
  }

  async remove(name: string): Promise<void> {
    const path = this.#at(name)
    await storage(`${name} cannot be removed`, () => rm(path, { force: true }))
  }

  async #open<T>(name: string, work: (file: FileHandle) => Promise<T>): Promise<T | null> {
    const path = this.#at(name)
    return storage(`${name} cannot be read`, async () => {
      const file = await open(path, readOnly).catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null
        throw error
      })
      if (file === null) return null
      try {
        if (!(await file.stat()).isFile()) throw new BoxError('storage.io', `${name} is not a file`)
        return await work(file)
      } finally {
        await file.close()
      }
    })
  }

  #at(name: string): string {
    checkName(name)
    return join(this.#path, name)
  }
}

/** Without O_NONBLOCK, opening a named pipe would wait for a writer for ever. */
const readOnly = constants.O_RDONLY | constants.O_NONBLOCK

async function* blocksOf(file: FileHandle, name: string): AsyncIterable<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await storage(`${name} cannot be read`, () =>
      file.read({ buffer: Buffer.alloc(BLOCK_BYTES) }),
    )
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function writeSynced(
  path: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'w', 0o644)
  try {
    for await (const block of bytes) await file.writeFile(block)
    await file.sync()
  } finally {
    await file.close()
  }
  // Whatever umask the publisher has: a web server reads it as another user. A stick without rights has none to set.
  await chmod(path, 0o644).catch(() => {})
}

/** A new folder is lost in a power cut unless the folder above it is synced too. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o755 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made))
    await syncFolder(dirname(made))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function insideOf(
  path: string,
  name: string,
): Promise<{ readonly files: readonly string[]; readonly folders: readonly string[] }> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  })
  const [folders, files] = [true, false].map(isFolder =>
    entries
      .filter(entry => entry.isDirectory() === isFolder && !entry.name.endsWith(UNFINISHED))
      .map(entry => `${name}/${entry.name}`),
  )
  return { files: files ?? [], folders: folders ?? [] }
}

async function storage<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof BoxError || errnoOf(cause) === null) throw cause
    const isFull = errnoOf(cause) === 'ENOSPC' || errnoOf(cause) === 'EDQUOT'
    throw new BoxError(isFull ? 'storage.full' : 'storage.io', `${what}: ${messageOf(cause)}`, {
      cause,
    })
  }
}
