/**
 * Takes a stream of ESC/POS apart into commands, as a printer does: byte by byte, by its own table of lengths. Knows
 * nothing of how the runtime writes tickets.
 */

/** One command with all its bytes, or one byte of text. */
export interface Command {
  /** `ESC @`, `GS v`, `GS ( k`, `LF`; `text` for a letter; `unknown` for what is none. */
  readonly name: string
  readonly bytes: Uint8Array
}

const ESC = 0x1b
const GS = 0x1d
const FS = 0x1c
const DLE = 0x10

const controls: Readonly<Record<number, string>> = {
  0: 'NUL',
  9: 'HT',
  10: 'LF',
  12: 'FF',
  13: 'CR',
  24: 'CAN',
}

/** Bytes after the two that name the command. */
const fixedLengths: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [ESC]: {
    '@': 0,
    ' ': 1,
    '!': 1,
    $: 2,
    '%': 1,
    '-': 1,
    '2': 0,
    '3': 1,
    '=': 1,
    '?': 1,
    E: 1,
    G: 1,
    J: 1,
    L: 0,
    M: 1,
    R: 1,
    S: 0,
    T: 1,
    V: 1,
    W: 8,
    '\\': 2,
    a: 1,
    c: 2,
    d: 1,
    e: 1,
    i: 0,
    m: 0,
    p: 3,
    t: 1,
    u: 1,
    v: 0,
    '{': 1,
  },
  [GS]: {
    '!': 1,
    $: 2,
    '/': 1,
    ':': 0,
    B: 1,
    H: 1,
    I: 1,
    L: 2,
    P: 2,
    T: 1,
    W: 2,
    '\\': 2,
    '^': 3,
    a: 1,
    b: 1,
    f: 1,
    h: 1,
    r: 1,
    w: 1,
  },
  [FS]: { '!': 1, '&': 0, '.': 0, '-': 1, C: 1, S: 2, W: 1, p: 2 },
}

const prefixes: Readonly<Record<number, string>> = { [ESC]: 'ESC', [GS]: 'GS', [FS]: 'FS' }

/** What a printer does not have; the bytes after the first two are then text to it. */
export type Unknown = (name: string) => boolean

/** Thousands of them come in a row. */
const nul: Command = { name: 'NUL', bytes: new Uint8Array(1) }

export class CommandParser {
  readonly #isUnknown: Unknown
  #bytes: number[] = []

  /** @param isUnknown for commands of the table that this printer does not have: `GS a`, `GS ( H` */
  constructor(isUnknown: Unknown) {
    this.#isUnknown = isUnknown
  }

  /** True in the middle of a command. */
  get isOpen(): boolean {
    return this.#bytes.length > 0
  }

  /** The power was off. */
  reset(): void {
    this.#bytes = []
  }

  /** The command that ends with this byte; null when none does. */
  push(byte: number): Command | null {
    if (byte === 0 && this.#bytes.length === 0) return nul
    this.#bytes.push(byte)
    const name = nameOf(this.#bytes)
    if (name === null) return null
    if (this.#isUnknown(name)) return this.#take('unknown')
    const length = lengthOf(name, this.#bytes)
    if (length === null || this.#bytes.length < length) return null
    return this.#take(name)
  }

  #take(name: string): Command {
    const bytes = Uint8Array.from(this.#bytes)
    this.#bytes = []
    return { name, bytes }
  }
}

/** Null while it cannot be told yet. */
function nameOf(bytes: readonly number[]): string | null {
  const [first = 0, second] = bytes
  if (prefixes[first] === undefined && first !== DLE) return singleName(first)
  if (second === undefined) return null
  return first === DLE ? 'DLE' : prefixedName(bytes)
}

const singleName = (byte: number): string => controls[byte] ?? (byte >= 0x20 ? 'text' : 'unknown')

function prefixedName([first = 0, second = 0, third]: readonly number[]): string | null {
  const name = `${prefixes[first]} ${String.fromCharCode(second)}`
  if (second !== 0x28) return name
  return third === undefined ? null : `${name} ${String.fromCharCode(third)}`
}

/** Of the whole command; null while it cannot be told yet. */
function lengthOf(name: string, bytes: readonly number[]): number | null {
  const [first = 0, second = 0] = bytes
  if (name === 'DLE') return realTimeLength(bytes)
  if (prefixes[first] === undefined) return 1
  if (name.includes('(')) return withLength(bytes, 3, 5)
  const fixed = fixedLengths[first]?.[String.fromCharCode(second)]
  if (fixed !== undefined) return 2 + fixed
  const special = specialLengths[name]
  return special ? special(bytes) : 2
}

/** A count of two bytes, low first, at `at`, of what follows from `from` on. */
function withLength(bytes: readonly number[], at: number, from: number): number | null {
  const [low, high] = [bytes[at], bytes[at + 1]]
  return low === undefined || high === undefined ? null : from + low + high * 256
}

function realTimeLength(bytes: readonly number[]): number | null {
  const [, second, third] = bytes
  if (second === 0x04 || second === 0x05) return 3
  if (second !== 0x14) return 1
  if (third === undefined) return null
  return third === 8 ? 10 : 5
}

const specialLengths: Readonly<Record<string, (bytes: readonly number[]) => number | null>> = {
  'ESC *': bytes => {
    const columns = withLength(bytes, 3, 0)
    const bytesEach = (bytes[2] ?? 0) >= 32 ? 3 : 1
    return columns === null ? null : 5 + columns * bytesEach
  },
  'ESC D': bytes =>
    bytes.length >= 3 && (bytes.at(-1) === 0 || bytes.length > 34) ? bytes.length : null,
  'GS V': bytes => (bytes[2] === undefined ? null : (bytes[2] & ~0x30) <= 1 ? 3 : 4),
  'GS k': bytes => {
    const [, , system, count] = bytes
    if (system === undefined || count === undefined) return null
    if (system >= 65) return 4 + count
    return bytes.at(-1) === 0 && bytes.length > 3 ? bytes.length : null
  },
  'GS v': bytes => {
    const width = withLength(bytes, 4, 0)
    const height = withLength(bytes, 6, 0)
    return width === null || height === null ? null : 8 + width * height
  },
  'GS 8': bytes => {
    const [, , , a, b, c, d] = bytes
    if (a === undefined || b === undefined || c === undefined || d === undefined) return null
    return 7 + a + b * 256 + c * 65_536 + d * 16_777_216
  },
}
