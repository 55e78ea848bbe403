/**
 * What an ESC/POS printer says of itself. Bits as in Epson's command reference (DLE EOT, GS a, GS r, GS ( H function 48)
 * and in the specification of the TM-T88III, appendix G, "Transmission status identification": the kinds of replies are
 * told apart by bits that are fixed, for nothing else says what a byte answers.
 */
import type { Hindrance, PrinterStatus } from '../runtime/ports/printer.js'

export type PrinterReply =
  /** Automatic status: four bytes that come whenever something changes. */
  | { readonly kind: 'automatic'; readonly bytes: readonly number[] }
  /** The answer to DLE EOT; it does not say to which. */
  | { readonly kind: 'real-time'; readonly byte: number }
  /** The answer to GS r, and to older questions that nobody here asks. */
  | { readonly kind: 'status'; readonly byte: number }
  /** GS ( H: everything before it has been processed, and printed. */
  | { readonly kind: 'process-id'; readonly id: string }
  /** Some other block; what it says is not used. */
  | { readonly kind: 'block'; readonly header: number }
  /** XON and XOFF of a serial line. */
  | { readonly kind: 'flow'; readonly isTaking: boolean }

const XON = 0x11
const XOFF = 0x13
const NUL = 0x00
const BLOCK_HEADERS: readonly number[] = [0x35, 0x37, 0x3b, 0x3d, 0x5f]
/** Header and identifier of a process id. */
const PROCESS_ID = [0x37, 0x22] as const
const PROCESS_ID_BYTES = 4
/** Longer than any block that a printer sends; what begins like one and does not end is none. */
const BLOCK_BYTES_MAX = 96

const isAutomaticFirst = (byte: number): boolean => (byte & 0x93) === 0x10
const isRealTime = (byte: number): boolean => (byte & 0x93) === 0x12
/** The second to fourth byte of an automatic status look the same. */
const isStatus = (byte: number): boolean => (byte & 0x90) === 0

/** Takes a printer's bytes apart, wherever they were split. Never throws; what it does not know it passes over. */
export class ReplyReader {
  readonly #isSerial: boolean
  /** Of an automatic status, as far as it has come. */
  #automatic: number[] | null = null
  /** From the header on, as far as it has come. */
  #block: number[] | null = null

  /** @param options isSerial: XON and XOFF may come between any two bytes */
  constructor(options: { readonly isSerial: boolean }) {
    this.#isSerial = options.isSerial
  }

  read(bytes: Uint8Array): readonly PrinterReply[] {
    const replies: PrinterReply[] = []
    for (const byte of bytes) this.#step(byte, replies)
    return replies
  }

  /** Forgets what has come in part: the stream was opened anew. */
  reset(): void {
    this.#automatic = null
    this.#block = null
  }

  #step(byte: number, replies: PrinterReply[]): void {
    if (this.#isSerial && (byte === XON || byte === XOFF))
      replies.push({ kind: 'flow', isTaking: byte === XON })
    else if (this.#block) this.#stepInBlock(this.#block, byte, replies)
    else if (BLOCK_HEADERS.includes(byte)) this.#block = [byte]
    else if (isRealTime(byte)) replies.push({ kind: 'real-time', byte })
    else if (isAutomaticFirst(byte)) this.#automatic = [byte]
    else if (isStatus(byte)) this.#stepStatus(byte, replies)
  }

  #stepStatus(byte: number, replies: PrinterReply[]): void {
    if (this.#automatic === null) {
      replies.push({ kind: 'status', byte })
      return
    }
    this.#automatic.push(byte)
    if (this.#automatic.length < 4) return
    replies.push({ kind: 'automatic', bytes: this.#automatic })
    this.#automatic = null
  }

  #stepInBlock(block: number[], byte: number, replies: PrinterReply[]): void {
    if (byte === NUL) {
      this.#block = null
      replies.push(...repliesOfBlock(block))
      return
    }
    block.push(byte)
    if (block.length <= BLOCK_BYTES_MAX) return
    // A disturbed byte only looked like a header: what came after it is read for what it is.
    this.#block = null
    for (const rest of block.slice(1)) this.#step(rest, replies)
  }
}

/**
 * Printers do not put real-time replies into a block, by the book. Where one does, its fixed bits show it, since our own
 * process ids avoid them.
 */
function repliesOfBlock(block: readonly number[]): PrinterReply[] {
  const [header, identifier, ...body] = block
  if (header === undefined) return []
  if (header !== PROCESS_ID[0] || identifier !== PROCESS_ID[1]) return [{ kind: 'block', header }]
  const isPlain = body.length === PROCESS_ID_BYTES
  const id = isPlain ? body : body.filter(byte => !isRealTime(byte))
  const strays = isPlain ? [] : body.filter(isRealTime)
  return [
    { kind: 'process-id', id: String.fromCharCode(...id) },
    ...strays.map(byte => ({ kind: 'real-time' as const, byte })),
  ]
}

/** The printer has said nothing. */
export const silentStatus: PrinterStatus = {
  isOnline: null,
  paper: null,
  isCoverOpen: null,
  error: null,
  isDrawerOpen: null,
}

/** Which level of the drawer connector's pin 3 means open; null: there is no drawer, or nobody has looked. */
export type DrawerLevel = 'high' | 'low' | null

/** The answers to DLE EOT 1, 2, 3 and 4; null where none came or none was wanted. */
export interface RealTimeReplies {
  readonly printer: number
  readonly offline: number | null
  readonly error: number | null
  readonly paper: number | null
}

export function statusOfReplies(replies: RealTimeReplies, drawer: DrawerLevel): PrinterStatus {
  const { printer, offline, paper } = replies
  const isStoppedByPaper = offline !== null && has(offline, 0x20)
  return {
    isOnline: !has(printer, 0x08),
    paper: isStoppedByPaper ? 'end' : paper === null ? null : paperOf(paper, 0x60, 0x0c),
    isCoverOpen: offline === null ? null : has(offline, 0x04),
    error: errorOfReplies(replies),
    isDrawerOpen: drawerOf(has(printer, 0x04), drawer),
  }
}

/** DLE EOT 2 says whether there is an error, DLE EOT 3 which. */
function errorOfReplies({ offline, error }: RealTimeReplies): PrinterStatus['error'] {
  if (offline === null) return null
  if (!has(offline, 0x40)) return 'none'
  return error === null ? 'recoverable' : errorOf(error)
}

/** @param bytes four, as `ReplyReader` found them */
export function statusOfAutomatic(bytes: readonly number[], drawer: DrawerLevel): PrinterStatus {
  const [printer = 0, error = 0, paper = 0] = bytes
  return {
    isOnline: !has(printer, 0x08),
    paper: paperOf(paper, 0x0c, 0x03),
    isCoverOpen: has(printer, 0x20),
    error: errorOf(error),
    isDrawerOpen: drawerOf(has(printer, 0x04), drawer),
  }
}

/** The bits are the same in DLE EOT 3 and in the second byte of an automatic status. */
function errorOf(byte: number): PrinterStatus['error'] {
  if (has(byte, 0x20)) return 'unrecoverable'
  if (has(byte, 0x08)) return 'cutter'
  // Bit 2 waits for a hand; bit 6 goes by itself: a hot head, a cover that was opened in the middle of a line.
  return has(byte, 0x44) ? 'recoverable' : 'none'
}

const paperOf = (byte: number, endMask: number, nearEndMask: number): PrinterStatus['paper'] =>
  has(byte, endMask) ? 'end' : has(byte, nearEndMask) ? 'near-end' : 'enough'

const drawerOf = (isHigh: boolean, level: DrawerLevel): boolean | null =>
  level === null ? null : isHigh === (level === 'high')

const has = (byte: number, mask: number): boolean => (byte & mask) !== 0

export const isSameStatus = (a: PrinterStatus, b: PrinterStatus): boolean =>
  a.isOnline === b.isOnline &&
  a.paper === b.paper &&
  a.isCoverOpen === b.isCoverOpen &&
  a.error === b.error &&
  a.isDrawerOpen === b.isDrawerOpen

/** What keeps the printer from printing, by its own word; the cause before what follows from it. */
export function hindranceOf(status: PrinterStatus): Hindrance | null {
  if (status.isCoverOpen === true) return 'cover-open'
  if (status.paper === 'end') return 'paper-end'
  if (status.error !== null && status.error !== 'none') return 'error'
  return status.isOnline === false ? 'offline' : null
}

/** What follows the name of the printer in a message. */
export const hindranceWords: Readonly<Record<Hindrance, string>> = {
  absent: 'is not there',
  busy: 'is busy',
  offline: 'is off line',
  'paper-end': 'is out of paper',
  'cover-open': 'has its cover open',
  error: 'reports an error',
}
