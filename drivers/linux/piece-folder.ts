import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
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
      const found = await stick(ask, () => file.stat())
      if (!found.isFile() || found.size !== ask.byteCount)
        throw new BoxError('fetch.refused', `${ask.target}: not a file of ${ask.byteCount} bytes`)
      for (let at = ask.from; at < ask.to; ) {
        const buffer = new Uint8Array(Math.min(STEP_BYTES, ask.to - at))
        const { bytesRead } = await stick(ask, () => file.read(buffer, 0, buffer.length, at))
        if (bytesRead === 0) return
        if (!(await take(at, buffer.subarray(0, bytesRead)))) return
        at += bytesRead
      }
    } finally {
      await stick(ask, () => file.close())
    }
  }

  async #open(ask: PieceAsk): Promise<FileHandle> {
    const path = join(this.#folder, 'targets', hashedTarget(ask))
    // Whoever wrote the stick may have put a pipe there, which would wait for ever.
    return stick(ask, () => open(path, constants.O_RDONLY | constants.O_NONBLOCK))
  }
}

async function stick<T>({ target }: PieceAsk, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const isAbsent = hasCode(cause, 'ENOENT') || hasCode(cause, 'ENOTDIR')
    // Not `storage.io`, which is our own disk's: the next source may have it.
    throw new BoxError(isAbsent ? 'fetch.absent' : 'link.down', `${target}: ${messageOf(cause)}`, {
      cause,
    })
  }
}
