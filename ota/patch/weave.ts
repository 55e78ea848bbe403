/** Puts the frames of an object's streams in the order in which a box will ask for them, by asking as it will. */
import type { Brotli } from '../../runtime/ports/brotli.js'
import type { Operation } from './control.js'
import {
  FRAME_BYTES_MAX,
  formatFrameHead,
  formatHead,
  type ObjectKind,
  Stream,
  type StreamNumber,
} from './frames.js'

export interface PackedStream {
  readonly number: StreamNumber
  /** Not compressed. */
  readonly byteCount: number
  readonly packed: Uint8Array
}

interface Frames {
  readonly stream: StreamNumber
  readonly bytes: readonly Uint8Array[]
  /** How much is made of the frames before each. */
  readonly madeBefore: readonly number[]
  next: number
}

export async function weave(
  brotli: Brotli,
  object: {
    kind: ObjectKind
    streams: readonly PackedStream[]
    operations: readonly Operation[]
    blocks: readonly { operationCount: number; byteCount: number }[]
  },
): Promise<Uint8Array> {
  const frames = await Promise.all(object.streams.map(stream => cut(brotli, stream)))
  const plan = object.streams.find(({ number }) => number === Stream.plan)
  const parts = [formatHead(object.kind, plan?.byteCount ?? 0)]
  const need = (stream: StreamNumber, byteCount: number): void => {
    const of = frames.find(each => each.stream === stream)
    while (of !== undefined && (of.madeBefore[of.next] ?? Number.POSITIVE_INFINITY) < byteCount)
      parts.push(...frameParts(of))
  }
  const needAll = (stream: StreamNumber): void => {
    const of = frames.find(each => each.stream === stream)
    while (of !== undefined && of.next < of.bytes.length) parts.push(...frameParts(of))
  }
  needAll(Stream.plan)
  let [at, diff, extra] = [0, 0, 0]
  for (const { operationCount, byteCount } of object.blocks) {
    need(Stream.control, byteCount)
    for (const end = at + operationCount; at < end; at++) {
      diff += object.operations[at]?.oldByteCount ?? 0
      need(Stream.diff, diff)
      extra += object.operations[at]?.newByteCount ?? 0
      need(Stream.extra, extra)
    }
  }
  for (const { stream } of frames) needAll(stream)
  return joined(parts)
}

function frameParts(frames: Frames): Uint8Array[] {
  const bytes = frames.bytes[frames.next++] ?? new Uint8Array()
  return [formatFrameHead(frames.stream, bytes.length), bytes]
}

async function cut(brotli: Brotli, { number, packed }: PackedStream): Promise<Frames> {
  const bytes: Uint8Array[] = []
  const madeBefore: number[] = []
  let made = 0
  if (packed.length > 0) {
    const reader = brotli.decompress(async () => {
      const at = bytes.length * FRAME_BYTES_MAX
      if (at >= packed.length) return null
      madeBefore.push(made)
      bytes.push(packed.subarray(at, at + FRAME_BYTES_MAX))
      return bytes.at(-1) ?? null
    })
    for (;;) {
      const chunk = await reader.read()
      if (chunk === null) break
      made += chunk.length
    }
    reader.close()
  }
  return { stream: number, bytes, madeBefore, next: 0 }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
