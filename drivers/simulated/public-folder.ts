import { createHash } from 'node:crypto'
import { BoxError } from '../../runtime/core/errors.js'
import { checkName, UNFINISHED } from '../../runtime/core/folder-files.js'
import type { MeasuredFile, PublicFolder } from '../../runtime/ports/public-folder.js'
import { type ListedFolder, SimulatedDisk } from './disk.js'

const BLOCK_BYTES = 65_536

/** A served folder on a simulated disk: one that never loses power, or a boot of one that does. */
export class SimulatedPublicFolder implements PublicFolder {
  readonly #folder: ListedFolder

  constructor(
    folder: ListedFolder = new SimulatedDisk().boot({
      callsUntilPowerCut: Number.POSITIVE_INFINITY,
    }),
  ) {
    this.#folder = folder
  }

  async read(name: string, byteCountMax: number): Promise<Uint8Array | null> {
    checkName(name)
    return this.#folder.read(name, byteCountMax)
  }

  async *stream(name: string): AsyncIterable<Uint8Array> {
    const bytes = await this.read(name, Number.MAX_SAFE_INTEGER)
    if (bytes === null) throw new BoxError('storage.io', `${name} is not there`)
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) yield bytes.slice(at, at + BLOCK_BYTES)
  }

  async write(
    name: string,
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    checkName(name)
    const blocks: Uint8Array[] = []
    for await (const block of bytes) blocks.push(block)
    const unfinished = `${name}${UNFINISHED}`
    await this.#folder.writeSynced(unfinished, Uint8Array.from(Buffer.concat(blocks)))
    await this.#folder.rename(unfinished, name)
    await this.#folder.syncFolder(name)
  }

  async measure(name: string, pieceByteCount: number): Promise<MeasuredFile | null> {
    const bytes = await this.read(name, Number.MAX_SAFE_INTEGER)
    if (bytes === null) return null
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += pieceByteCount)
      pieces.push(digestOf(bytes.subarray(at, at + pieceByteCount)))
    return {
      byteCount: bytes.length,
      sha256: digestOf(bytes).toString('hex'),
      pieces: Uint8Array.from(Buffer.concat(pieces)),
    }
  }

  async list(folder: string): Promise<readonly string[]> {
    checkName(folder)
    const names = await this.#folder.names()
    return names.filter(name => name.startsWith(`${folder}/`) && !name.endsWith(UNFINISHED)).sort()
  }

  async remove(name: string): Promise<void> {
    checkName(name)
    await this.#folder.remove(name)
  }
}

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
