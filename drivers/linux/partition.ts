import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile, realpath } from 'node:fs/promises'
import { basename } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Partition } from '../../runtime/ports/partition.js'
import type { Libc } from './libc.js'

const READ_BYTES = 1024 * 1024
const SECTOR_BYTES = 512

/** A block device, or a file in place of one. */
export class LinuxPartition implements Partition {
  readonly #path: string
  readonly #calls: Pick<Libc, 'dropCache'>

  constructor(path: string, calls: Pick<Libc, 'dropCache'>) {
    this.#path = path
    this.#calls = calls
  }

  byteCount(): Promise<number> {
    return this.#with(constants.O_RDONLY, file => this.#sizeOf(file))
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#with(constants.O_RDWR, async file => {
      if (offset + bytes.length > (await this.#sizeOf(file)))
        throw new BoxError('storage.limit', `${this.#path} ends before that`)
      for (let done = 0; done < bytes.length; ) {
        const left = bytes.length - done
        done += (await file.write(bytes, done, left, offset + done)).bytesWritten
      }
    })
  }

  sync(): Promise<void> {
    return this.#with(constants.O_RDWR, file => file.sync())
  }

  sha256({ byteCount, head }: { byteCount: number; head: Uint8Array }): Promise<string> {
    return this.#with(constants.O_RDONLY, async file => {
      this.#calls.dropCache(file.fd)
      const hash = createHash('sha256').update(head)
      const buffer = Buffer.allocUnsafe(READ_BYTES)
      for (let at = head.length; at < byteCount; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, byteCount - at), at)
        if (bytesRead === 0) break
        hash.update(buffer.subarray(0, bytesRead))
        at += bytesRead
      }
      return hash.digest('hex')
    })
  }

  /** stat(2) says 0 for a block device; sysfs counts it in sectors of 512 bytes, whatever the disk has. */
  async #sizeOf(file: FileHandle): Promise<number> {
    const facts = await file.stat()
    if (!facts.isBlockDevice()) return facts.size
    const name = basename(await realpath(this.#path))
    return Number(await readFile(`/sys/class/block/${name}/size`, 'utf8')) * SECTOR_BYTES
  }

  /** O_EXCL: what is mounted is busy, and is not written to (open(2)). */
  async #with<T>(flags: number, work: (file: FileHandle) => Promise<T>): Promise<T> {
    try {
      const file = await open(this.#path, flags | constants.O_EXCL)
      try {
        return await work(file)
      } finally {
        await file.close()
      }
    } catch (cause) {
      if (cause instanceof BoxError) throw cause
      throw new BoxError('storage.io', `${this.#path}: ${messageOf(cause)}`, { cause })
    }
  }
}
