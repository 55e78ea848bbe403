/** How words of 16 bits travel, and what a bus reads like when the chip on it does not drive it. */

export type ByteOrder = 'high-first' | 'low-first'

/** A read runs on within the word only. */
export function wireBytesOf(word: number, order: ByteOrder, byteCount: number): Uint8Array {
  const pair = order === 'high-first' ? [word >> 8, word & 0xff] : [word & 0xff, word >> 8]
  return Uint8Array.from({ length: byteCount }, (_, at) => pair[at % 2] ?? 0)
}

export function wordFrom(bytes: Uint8Array, order: ByteOrder): number {
  const [first = 0, second = 0] = bytes
  return order === 'high-first' ? (first << 8) | second : (second << 8) | first
}

/** Two's complement in 16 bits. */
export const wordOfSigned = (value: number): number => value & 0xffff

export const clamp = (value: number, from: number, to: number): number =>
  Math.min(to, Math.max(from, value))

/** What every bit reads like: nobody drives the bus, or somebody holds it down. Null: the chip answers. */
export type Pattern = 'all-ones' | 'all-zeros' | null

export const patternBytes = (pattern: 'all-ones' | 'all-zeros', byteCount: number): Uint8Array =>
  new Uint8Array(byteCount).fill(pattern === 'all-ones' ? 0xff : 0)
