/**
 * How a release's bytes follow from its base's: so many old ones changed, so many new ones, and where the old ones go on.
 * In blocks of numbers of one sort each, which compress better than mixed.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Segment } from './alignment.js'
import type { StreamReader } from './frames.js'
import { unfolded, VarintWriter } from './varints.js'

export interface Operation {
  /** Place of the old bytes. */
  readonly oldAt: number
  readonly oldByteCount: number
  /** New bytes behind them. */
  readonly newByteCount: number
}

const BLOCK_OPERATIONS_MAX = 8192

/** New bytes join the old ones before them. */
export function operationsOf(segments: readonly Segment[]): Operation[] {
  const operations: Operation[] = []
  let open: { oldAt: number; oldByteCount: number } | null = null
  let oldAt = 0
  for (const { oldAt: at, byteCount } of segments) {
    if (at >= 0) {
      if (open !== null) operations.push({ ...open, newByteCount: 0 })
      open = { oldAt: at, oldByteCount: byteCount }
      continue
    }
    operations.push({ ...(open ?? { oldAt, oldByteCount: 0 }), newByteCount: byteCount })
    oldAt = operations.at(-1)?.oldAt ?? 0
    open = null
  }
  if (open !== null) operations.push({ ...open, newByteCount: 0 })
  return operations
}

/** Where the old bytes would go on if the new ones had taken the place of as many. */
const expectedAfter = ({ oldAt, oldByteCount, newByteCount }: Operation): number =>
  oldAt + oldByteCount + newByteCount

/** @returns the bytes, and after how many of them which count of operations is known */
export function formatControl(operations: readonly Operation[]): {
  bytes: Uint8Array
  blocks: readonly { operationCount: number; byteCount: number }[]
} {
  const blocks: { operationCount: number; byteCount: number }[] = []
  const writer = new VarintWriter()
  let expected = 0
  for (let at = 0; at < operations.length; at += BLOCK_OPERATIONS_MAX) {
    const block = operations.slice(at, at + BLOCK_OPERATIONS_MAX)
    writer.put(block.length)
    for (const { oldByteCount } of block) writer.put(oldByteCount)
    for (const { newByteCount } of block) writer.put(newByteCount)
    for (const operation of block) {
      writer.putSigned(operation.oldAt - expected)
      expected = expectedAfter(operation)
    }
    blocks.push({ operationCount: block.length, byteCount: writer.byteCount })
  }
  return { bytes: writer.bytes(), blocks }
}

/** Reads block by block. @throws BoxError `release.invalid` */
export class ControlReader {
  readonly #stream: StreamReader
  #expected = 0
  #block: { old: number[]; new: number[]; seek: number[] } = { old: [], new: [], seek: [] }
  #at = 0

  constructor(stream: StreamReader) {
    this.#stream = stream
  }

  async next(): Promise<Operation> {
    if (this.#at === this.#block.old.length) await this.#fill()
    const at = this.#at++
    const operation = {
      oldAt: this.#expected + unfolded(this.#block.seek[at] ?? 0),
      oldByteCount: this.#block.old[at] ?? 0,
      newByteCount: this.#block.new[at] ?? 0,
    }
    // Billions of nothing would compress to nothing.
    if (operation.oldByteCount + operation.newByteCount === 0)
      throw new BoxError('release.invalid', 'the transfer object has an empty step')
    this.#expected = expectedAfter(operation)
    return operation
  }

  /** No operation is left in the block; the stream's own end is looked at with that of the object. */
  get isAtEnd(): boolean {
    return this.#at === this.#block.old.length
  }

  async #fill(): Promise<void> {
    const count = await this.#stream.takeVarint()
    if (count === 0 || count > BLOCK_OPERATIONS_MAX)
      throw new BoxError('release.invalid', 'the transfer object has a block of a wrong length')
    this.#at = 0
    this.#block = {
      old: await this.#column(count),
      new: await this.#column(count),
      seek: await this.#column(count),
    }
  }

  async #column(count: number): Promise<number[]> {
    const numbers: number[] = []
    while (numbers.length < count) numbers.push(await this.#stream.takeVarint())
    return numbers
  }
}
