import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type {
  PieceAsk,
  PieceSource,
  PieceTransfer,
  TakeBytes,
} from '../../runtime/ports/piece-source.js'
import { hasCode } from './errno.js'
import { hashedTarget } from './piece-web.js'

const STEP_BYTES = 64 * 1024

/** A folder with the layout of the repository: a stick that somebody plugged in. It may be pulled at any moment. */
export class FolderPieceSource implements PieceSource {
  readonly name: string
  readonly kind = 'folder'
  readonly #folder: string
  /** Calls to the disk that have not come back: each holds one of the few threads that all files are read with. */
  #pending = 0

  /** @param folder that holds `targets` */
  constructor(folder: string) {
    this.#folder = resolve(folder)
    this.name = this.#folder
  }

  ask(ask: PieceAsk, take: TakeBytes): PieceTransfer {
    const state = { isCancelled: false }
    const done = this.#read(ask, async (at, bytes) => !state.isCancelled && (await take(at, bytes)))
    return {
      done,
      cancel: () => {
        state.isCancelled = true
      },
    }
  }

  async #read(ask: PieceAsk, take: TakeBytes): Promise<void> {
    const file = await this.#open(ask)
    try {
      const found = await this.#call(ask, () => file.stat())
      if (!found.isFile() || found.size !== ask.byteCount)
        throw new BoxError('fetch.refused', `${ask.target}: not a file of ${ask.byteCount} bytes`)
      for (let at = ask.from; at < ask.to; ) {
        const buffer = new Uint8Array(Math.min(STEP_BYTES, ask.to - at))
        const { bytesRead } = await this.#call(ask, () => file.read(buffer, 0, buffer.length, at))
        if (bytesRead === 0) return
        if (!(await take(at, buffer.subarray(0, bytesRead)))) return
        at += bytesRead
      }
    } finally {
      await this.#call(ask, () => file.close())
    }
  }

  async #open(ask: PieceAsk): Promise<FileHandle> {
    const path = join(this.#folder, 'targets', hashedTarget(ask))
    // Whoever wrote the stick may have put a pipe there, which would wait for ever.
    // Whoever asks again while a broken stick is silent would wait in one thread more.
    if (this.#pending > 0) throw new BoxError('link.down', `${this.#folder} does not answer`)
    return this.#call(ask, () => open(path, constants.O_RDONLY | constants.O_NONBLOCK))
  }

  async #call<T>({ target }: PieceAsk, work: () => Promise<T>): Promise<T> {
    this.#pending++
    try {
      return await work()
    } catch (cause) {
      // Not `storage.io`, which is our own disk's: the next source may have it.
      const code = (await this.#isLacking(cause)) ? 'fetch.absent' : 'link.down'
      throw new BoxError(code, `${target}: ${messageOf(cause)}`, { cause })
    } finally {
      this.#pending--
    }
  }

  /** Whether there is a stick that has not got it; not that there is no stick. */
  async #isLacking(cause: unknown): Promise<boolean> {
    if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'ENOTDIR')) return false
    const found = await stat(join(this.#folder, 'targets')).catch(() => null)
    return found?.isDirectory() ?? false
  }
}
