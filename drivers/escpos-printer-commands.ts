/** What the driver says to an ESC/POS printer around its tickets, by Epson's command reference. */

/** DLE EOT n, answered at once, whatever waits: the printer, why it is off line, which error, the paper. */
export const Question = { printer: 1, offline: 2, error: 3, paper: 4 } as const
export type Question = (typeof Question)[keyof typeof Question]

/**
 * As many NULs as the longest command that a killed process may have left open wants: a band of a picture (GS v 0, 64
 * rows of 72 bytes), with room to spare. Where no command is open they print nothing.
 */
const FLUSH_BYTES = 8192
/**
 * As many as close whatever was torn before its data began, so that what follows cannot be taken for a length: DLE EOT
 * as the height of a picture would swallow a roll of tickets.
 */
const CLOSING_BYTES = 16
/** Drawer, on line, errors, paper. */
const AUTOMATIC_ITEMS = 0x0f
/** Three lines: what was torn is out of the way of what comes. */
const FEED_LINES = 3

export const initialize = Uint8Array.of(0x1b, 0x40)
export const flush = new Uint8Array(FLUSH_BYTES)
export const closing = new Uint8Array(CLOSING_BYTES)

/** GS a: answered by the status as it is, and from then on told whenever it changes. */
export const automaticStatus = Uint8Array.of(0x1d, 0x61, AUTOMATIC_ITEMS)

/** GS r 1, answered in its turn. */
export const statusInTurn = Uint8Array.of(0x1d, 0x72, 0x01)

export const ask = (question: Question): Uint8Array => Uint8Array.of(0x10, 0x04, question)

/** GS ( H, function 48. @param id four characters of 32..126 */
export const echo = (id: string): Uint8Array =>
  Uint8Array.of(0x1d, 0x28, 0x48, 6, 0, 0x30, 0x30, ...Array.from(id, char => char.charCodeAt(0)))

/** Parts what may hang from the printer, torn, from what comes next. */
export const tearOff = (cutter: 'none' | 'full' | 'partial'): Uint8Array =>
  cutter === 'none'
    ? Uint8Array.of(0x1b, 0x64, FEED_LINES)
    : Uint8Array.of(0x1d, 0x56, cutter === 'full' ? 0x41 : 0x42, 0)

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** A ticket without the initialization that it may begin with: the driver has given it already. */
export const withoutInitialize = (bytes: Uint8Array): Uint8Array =>
  initialize.every((byte, at) => bytes[at] === byte) ? bytes.subarray(initialize.length) : bytes
