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
import { FolderCalls, type FolderGuard } from './folder-calls.js'
import { hashedTarget } from './piece-web.js'

const STEP_BYTES = 64 * 1024

/** A folder with the layout of the repository: a stick that somebody plugged in. It may be pulled at any moment. */
export class FolderPieceSource implements PieceSource {
  readonly name: string
  readonly kind = 'folder'
  readonly #folder: string
  readonly #guard: FolderGuard

  /**
   * @param folder that holds `targets`
   * @param guard of the stick that it is on
   */
  constructor(folder: string, guard: FolderGuard = new FolderCalls().of(folder)) {
    this.#folder = resolve(folder)
    this.#guard = guard
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
      await this.#guard.finish(() => file.close())
    }
  }

  async #open(ask: PieceAsk): Promise<FileHandle> {
    const path = join(this.#folder, 'targets', hashedTarget(ask))
    // Whoever wrote the stick may have put a pipe there, which would wait for ever.
    return this.#call(
      ask,
      () => open(path, constants.O_RDONLY | constants.O_NONBLOCK),
      file => file.close(),
    )
  }

  async #call<T>(
    { target }: PieceAsk,
    work: () => Promise<T>,
    late?: (made: T) => Promise<unknown>,
  ): Promise<T> {
    try {
      return await this.#guard.call(work, late)
    } catch (cause) {
      // Not `storage.io`, which is our own disk's: the next source may have it.
      const code = (await this.#isLacking(cause)) ? 'fetch.absent' : 'link.down'
      throw new BoxError(code, `${target}: ${messageOf(cause)}`, { cause })
    }
  }

  /** Whether there is a stick that has not got it; not that there is no stick. */
  async #isLacking(cause: unknown): Promise<boolean> {
    if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'ENOTDIR')) return false
    const targets = join(this.#folder, 'targets')
    const found = await this.#guard.call(() => stat(targets)).catch(() => null)
    return found?.isDirectory() ?? false
  }
}
