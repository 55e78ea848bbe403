import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { ReleaseSource } from '../../runtime/ports/release-source.js'
import { FolderCalls, type FolderGuard } from './folder-calls.js'

const READ_AT_ONCE_BYTES = 64 * 1024

/** A repository in a folder: on a stick, or a copy that somebody has brought. */
export class FolderSource implements ReleaseSource {
  readonly #folder: string
  readonly #guard: FolderGuard

  /** @param guard of the stick that the folder is on */
  constructor(folder: string, guard: FolderGuard = new FolderCalls().of(folder)) {
    this.#folder = resolve(folder)
    this.#guard = guard
  }

  async fetch(path: string, byteCountMax: number): Promise<Uint8Array | null> {
    const name = nameOf(path)
    if (name === null) return null
    try {
      // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
      const flags = constants.O_RDONLY | constants.O_NONBLOCK
      const file = await this.#open(name, flags)
      try {
        return await readAll(this.#guard, file, { path, byteCountMax })
      } finally {
        await this.#guard.finish(() => file.close())
      }
    } catch (cause) {
      if (cause instanceof BoxError) throw cause
      if (isMissing(cause)) return this.#missing(path)
      throw new BoxError('link.down', `${path} cannot be read: ${messageOf(cause)}`, { cause })
    }
  }

  #open(name: string, flags: number): Promise<FileHandle> {
    const path = join(this.#folder, name)
    return this.#guard.call(
      () => open(path, flags),
      file => file.close(),
    )
  }

  /** A stick that was pulled out has no file at all; that is not the same as not having this one. */
  async #missing(path: string): Promise<null> {
    try {
      const folder = await this.#open('', constants.O_RDONLY | constants.O_DIRECTORY)
      await this.#guard.finish(() => folder.close())
      return null
    } catch (cause) {
      throw new BoxError('link.down', `${path} cannot be read: the folder is not there`, { cause })
    }
  }
}

/** As a name below the folder; null for one that would leave it, or cannot be the name of a file. */
function nameOf(path: string): string | null {
  const steps = path.split('/').map(decoded)
  const names = steps.filter(step => step !== null)
  return names.length === steps.length ? names.join('/') : null
}

function decoded(step: string): string | null {
  const name = unescaped(step)
  // Role names may hold a slash. A folder keeps those under the name with which they stand in an address.
  const kept = name?.includes('/') === true ? step : name
  return kept === null || kept === '' || kept === '.' || kept === '..' || kept.includes('\0')
    ? null
    : kept
}

function unescaped(step: string): string | null {
  try {
    return decodeURIComponent(step)
  } catch {
    // Percent signs that encode nothing: no such file.
    return null
  }
}

async function readAll(
  { call }: FolderGuard,
  file: FileHandle,
  { path, byteCountMax }: { readonly path: string; readonly byteCountMax: number },
): Promise<Uint8Array> {
  const found = await call(() => file.stat())
  if (!found.isFile()) throw new BoxError('link.down', `${path} is not a file`)
  const parts: Uint8Array[] = []
  let byteCount = 0
  for (;;) {
    const wanted = { buffer: Buffer.alloc(READ_AT_ONCE_BYTES) }
    const { bytesRead, buffer } = await call(() => file.read(wanted))
    if (bytesRead === 0) return Uint8Array.from(Buffer.concat(parts))
    byteCount += bytesRead
    if (byteCount > byteCountMax)
      throw new BoxError('trust.limit', `${path} has more than ${byteCountMax} bytes`)
    parts.push(buffer.subarray(0, bytesRead))
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG')
