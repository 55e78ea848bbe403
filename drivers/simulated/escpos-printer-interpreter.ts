/** What each ESC/POS command means to a simulated printer: settings that it keeps, and effects that the world notices. */

import type { PrintedItem } from './escpos-printer-paper.js'
import type { Command } from './escpos-printer-parser.js'

export type Effect =
  /** Paper moves by so many dots, and the item is on it when `item.heightDots` of them have passed. */
  | { readonly kind: 'print'; readonly dots: number; readonly item: PrintedItem | null }
  | { readonly kind: 'cut' }
  /** ESC @: whatever was printed before belongs to something else. */
  | { readonly kind: 'begin'; readonly isBroken: boolean }
  | { readonly kind: 'drawer'; readonly pin: 2 | 5 }
  /** An answer in turn: when everything before it is on paper. */
  | { readonly kind: 'answer'; readonly what: 'status' | { readonly id: string } }
  /** GS a: which changes are told from now on; 0 for none. */
  | { readonly kind: 'automatic'; readonly items: number }

export interface InterpreterOptions {
  readonly dotsPerLine: number
  /** From the head to the cutter: GS V 65 and 66 feed so far by themselves. */
  readonly cutterDots: number
}

const LINE_DOTS_USUAL = 30
const FONTS = { a: { width: 12, height: 24 }, b: { width: 9, height: 17 } } as const
/** A run of NULs that no ticket has: somebody flushes what an earlier life may have left. */
const FLUSH_NULS = 64

export class Interpreter {
  readonly #options: InterpreterOptions
  #line = ''
  #lineDots = LINE_DOTS_USUAL
  #font: keyof typeof FONTS = 'a'
  #widthScale = 1
  #heightScale = 1
  #usedDots = 0
  #heightDots = 0
  #barcodeDots = 162
  #moduleDots = 3
  #qr = ''
  #nulCount = 0
  /** Since the last piece began somebody has flushed. */
  #isFlushed = false

  constructor(options: InterpreterOptions) {
    this.#options = options
  }

  /** As after power-on. */
  reset(): void {
    this.#initialize()
    this.#nulCount = 0
    this.#isFlushed = false
  }

  execute(command: Command): readonly Effect[] {
    this.#countNuls(command)
    if (command.name === 'NUL') return []
    if (command.name === 'text') return this.#letters(command.bytes)
    // What stands behind the name of a command that it does not have is text to it.
    if (command.name === 'unknown') return this.#letters(command.bytes.slice(2))
    const run = commands[command.name]
    return run ? run(this.#meanings, command.bytes) : []
  }

  /** A torn picture is completed by NULs, too. */
  #countNuls({ name, bytes }: Command): void {
    if (name === 'NUL') this.#nulCount++
    else this.#nulCount = trailingNuls(bytes)
    if (this.#nulCount >= FLUSH_NULS) this.#isFlushed = true
  }

  #letters(bytes: Uint8Array): readonly Effect[] {
    return Array.from(bytes).flatMap(byte => (byte >= 0x20 ? this.#letter(byte) : []))
  }

  /** Bytes beyond ASCII as ISO 8859-1 reads them: serials and most words are the same in every code page. */
  #letter(byte: number): readonly Effect[] {
    const { width, height } = FONTS[this.#font]
    const dots = width * this.#widthScale
    const isFull = this.#usedDots + dots > this.#options.dotsPerLine
    const effects = isFull ? this.#feedLine() : []
    this.#line += String.fromCharCode(byte)
    this.#usedDots += dots
    this.#heightDots = Math.max(this.#heightDots, height * this.#heightScale)
    return effects
  }

  #feedLine(): readonly Effect[] {
    return this.#feed(Math.max(this.#lineDots, this.#heightDots))
  }

  /** Prints what is in the line, and moves the paper. */
  #feed(dots: number): readonly Effect[] {
    const item: PrintedItem | null = this.#line === '' ? null : { kind: 'text', text: this.#line }
    const move = Math.max(dots, item ? this.#heightDots : 0)
    this.#clearLine()
    return [{ kind: 'print', dots: move, item }]
  }

  #clearLine(): void {
    this.#line = ''
    this.#usedDots = 0
    this.#heightDots = 0
  }

  #initialize(): readonly Effect[] {
    this.#clearLine()
    this.#lineDots = LINE_DOTS_USUAL
    this.#font = 'a'
    this.#widthScale = 1
    this.#heightScale = 1
    this.#qr = ''
    const isBroken = this.#isFlushed
    this.#isFlushed = false
    return [
      { kind: 'automatic', items: 0 },
      { kind: 'begin', isBroken },
    ]
  }

  #cut(bytes: Uint8Array): readonly Effect[] {
    const [, , way = 0, dots = 0] = bytes
    const feed = way >= 65 ? this.#options.cutterDots + dots : 0
    return [...(feed > 0 || this.#line !== '' ? this.#feed(feed) : []), { kind: 'cut' }]
  }

  #picture(bytes: Uint8Array): readonly Effect[] {
    const rowBytes = (bytes[4] ?? 0) + (bytes[5] ?? 0) * 256
    const dots = (bytes[6] ?? 0) + (bytes[7] ?? 0) * 256
    if (rowBytes === 0 || dots === 0) return []
    return [{ kind: 'print', dots, item: { kind: 'raster', rowBytes, rows: bytes.slice(8) } }]
  }

  #twoDimensional(bytes: Uint8Array): readonly Effect[] {
    const [, , , , , , fn = 0, first = 0] = bytes
    if (fn === 67) this.#moduleDots = first
    else if (fn === 80) this.#qr = utf8(bytes.slice(8))
    else if (fn === 81 && this.#qr !== '') {
      const item = { kind: 'qr' as const, content: this.#qr, moduleDots: this.#moduleDots }
      return [{ kind: 'print', dots: qrModules(this.#qr) * this.#moduleDots, item }]
    }
    return []
  }

  #barcode(bytes: Uint8Array): readonly Effect[] {
    const [, , system = 0] = bytes
    const data = system >= 65 ? bytes.slice(4) : bytes.slice(3, -1)
    if (data.length === 0) return []
    const content = system === 73 ? code128Text(data) : latin1(data)
    return [{ kind: 'print', dots: this.#barcodeDots, item: { kind: 'barcode', content } }]
  }

  /** The settings and effects that the table of commands speaks of. */
  readonly #meanings: Meanings = {
    feedLine: () => this.#feedLine(),
    feed: dots => this.#feed(dots),
    feedLines: count => this.#feed(this.#lineDots * count),
    initialize: () => this.#initialize(),
    cut: bytes => this.#cut(bytes),
    picture: bytes => this.#picture(bytes),
    twoDimensional: bytes => this.#twoDimensional(bytes),
    barcode: bytes => this.#barcode(bytes),
    set: ({ lineDots, font, widthScale, heightScale, barcodeDots }) => {
      this.#lineDots = lineDots ?? this.#lineDots
      this.#font = font ?? this.#font
      this.#widthScale = widthScale ?? this.#widthScale
      this.#heightScale = heightScale ?? this.#heightScale
      this.#barcodeDots = barcodeDots ?? this.#barcodeDots
      return []
    },
  }
}

type Run = (bytes: Uint8Array) => readonly Effect[]

interface Settings {
  readonly lineDots?: number
  readonly font?: 'a' | 'b'
  readonly widthScale?: number
  readonly heightScale?: number
  readonly barcodeDots?: number
}

interface Meanings {
  readonly feedLine: () => readonly Effect[]
  readonly feed: (dots: number) => readonly Effect[]
  readonly feedLines: (count: number) => readonly Effect[]
  readonly initialize: () => readonly Effect[]
  readonly cut: Run
  readonly picture: Run
  readonly twoDimensional: Run
  readonly barcode: Run
  readonly set: (settings: Settings) => readonly Effect[]
}

/** Those without an entry change nothing that the paper, the drawer or the line would show here. */
const commands: Readonly<Record<string, (now: Meanings, bytes: Uint8Array) => readonly Effect[]>> =
  {
    LF: now => now.feedLine(),
    'ESC @': now => now.initialize(),
    'ESC 2': now => now.set({ lineDots: LINE_DOTS_USUAL }),
    'ESC 3': (now, [, , dots = 0]) => now.set({ lineDots: dots }),
    'ESC J': (now, [, , dots = 0]) => now.feed(dots),
    'ESC M': (now, [, , font = 0]) => now.set({ font: (font & 1) === 1 ? 'b' : 'a' }),
    'ESC d': (now, [, , count = 0]) => now.feedLines(count),
    'ESC i': () => [{ kind: 'cut' }],
    'ESC m': () => [{ kind: 'cut' }],
    'ESC p': (_, [, , pin = 0]) => [{ kind: 'drawer', pin: (pin & 1) === 1 ? 5 : 2 }],
    'GS !': (now, [, , size = 0]) =>
      now.set({ widthScale: ((size >> 4) & 7) + 1, heightScale: (size & 7) + 1 }),
    'GS V': (now, bytes) => now.cut(bytes),
    'GS a': (_, [, , items = 0]) => [{ kind: 'automatic', items }],
    'GS h': (now, [, , dots = 1]) => now.set({ barcodeDots: dots }),
    'GS k': (now, bytes) => now.barcode(bytes),
    'GS r': () => [{ kind: 'answer', what: 'status' }],
    'GS v': (now, bytes) => now.picture(bytes),
    'GS ( k': (now, bytes) => now.twoDimensional(bytes),
    'GS ( H': (_, bytes) =>
      bytes.length === 11 && bytes[5] === 0x30
        ? [{ kind: 'answer', what: { id: latin1(bytes.slice(7)) } }]
        : [],
  }

function trailingNuls(bytes: Uint8Array): number {
  let count = 0
  while (count < bytes.length && bytes[bytes.length - 1 - count] === 0) count++
  return count
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Sets A and B are letters, set C is pairs of digits; a doubled brace is one. */
function code128Text(data: Uint8Array): string {
  let text = ''
  let isPairs = false
  for (let at = 0; at < data.length; at++) {
    const byte = data[at] ?? 0
    if (byte !== 0x7b) {
      text += isPairs ? String(byte).padStart(2, '0') : String.fromCharCode(byte)
      continue
    }
    at++
    if (data[at] === 0x7b) text += '{'
    else isPairs = data[at] === 0x43
  }
  return text
}

/** Of the smallest symbol that holds so much with medium correction, roughly: 16 bytes a version. */
const qrModules = (content: string): number =>
  17 + 4 * Math.max(1, Math.ceil(new TextEncoder().encode(content).length / 16))
