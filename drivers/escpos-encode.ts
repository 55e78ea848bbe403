/**
 * A ticket as the bytes of ESC/POS (Epson ESC/POS Application Programming Guide). Whatever the printer did before, the
 * bytes mean the same: they begin with a reset, and pin the code page, the country and the unit of every feed.
 */
import { codePageNames } from '../runtime/core/code-pages.js'
import { assert } from '../runtime/core/errors.js'
import { Speller } from '../runtime/core/letters.js'
import {
  type BarcodePiece,
  type CutPiece,
  type DrawerPiece,
  dotsOf,
  fonts,
  layoutTicket,
  lettersPerLine,
  lineDots,
  type Piece,
  plainStyle,
  type QrPiece,
  type RulePiece,
} from '../runtime/core/ticket-layout.js'
import type { Paper } from '../runtime/ports/printer.js'
import type { Bitmap, Ticket } from '../runtime/ports/ticket.js'
import { enlarged, hasRealTime, rasterBands } from './escpos-raster.js'
import { nativeBarcode, nativeQr } from './escpos-symbols.js'
import { codePageNumbers, ESC, FS, GS, LF, type PrintState, transition } from './escpos-text.js'

export interface EscposOptions {
  /** Whether the printer draws QR codes and barcodes, or is sent their dots. */
  readonly codes: 'native' | 'raster'
  readonly hasCutter: boolean
  /** Where it has not, a partial cut is a full one. */
  readonly hasPartialCut: boolean
  /** From the head to the cutter, or to the edge where the paper is torn off. */
  readonly tearMillimetres: number
  /** Whether it may be in a mode for Chinese or Japanese letters, which `FS .` ends; nearly all know the command. */
  readonly hasKanjiMode: boolean
  /** Whether it knows `GS P`. Without it some count feeds in half dots. */
  readonly hasMotionUnits: boolean
}

export const escposOptionsUsual: EscposOptions = {
  codes: 'native',
  hasCutter: true,
  hasPartialCut: true,
  tearMillimetres: 14,
  hasKanjiMode: true,
  hasMotionUnits: true,
}

export interface EncodedTicket {
  readonly bytes: Uint8Array
  /** Paper that it takes. */
  readonly millimetres: number
}

/** @throws BoxError `ticket.invalid` naming the block and what of it cannot be printed */
export function encodeTicket(ticket: Ticket, paper: Paper, options: EscposOptions): EncodedTicket {
  assert(codePageNames.includes(paper.codePage), 'a code page has a number')
  const layout = layoutTicket(ticket, paper)
  const writer = new EscposWriter(paper, options)
  for (const piece of layout.pieces) writer.write(piece)
  return writer.end()
}

const PLAIN: PrintState = { style: plainStyle, align: 'left', lineDots: null }
const FEED_DOTS_MAX = 255
const MILLIMETRES_PER_INCH = 25.4

/** Keeps what the printer has been told, so that it is told nothing twice. */
class EscposWriter {
  readonly #paper: Paper
  readonly #options: EscposOptions
  readonly #speller: Speller
  readonly #chunks: ArrayLike<number>[]
  #state: PrintState = PLAIN
  #dots = 0
  /** Printed, and not yet past the cutter. */
  #isInside = false

  constructor(paper: Paper, options: EscposOptions) {
    this.#paper = paper
    this.#options = options
    this.#speller = new Speller(paper.codePage)
    const { hasKanjiMode, hasMotionUnits } = options
    const unitsPerInch = Math.round(paper.dotsPerMillimetre * MILLIMETRES_PER_INCH)
    this.#chunks = [
      [ESC, 0x40, ESC, 0x74, codePageNumbers[paper.codePage]],
      hasKanjiMode ? [FS, 0x2e] : [],
      // Country 0, the United States: the others have letters of their own for # $ @ [ \ ] ^ ` { | } ~.
      [ESC, 0x52, 0],
      hasMotionUnits ? [GS, 0x50, unitsPerInch, unitsPerInch] : [],
    ]
  }

  write(piece: Piece): void {
    switch (piece.kind) {
      case 'line':
        this.#line(piece.text, piece)
        break
      case 'rule':
        this.#rule(piece)
        break
      case 'feed':
        this.#feed(piece.heightDots)
        break
      case 'image':
        this.#raster(piece.bitmap, piece.leftDots)
        break
      case 'qr':
        this.#qr(piece)
        break
      case 'barcode':
        this.#barcode(piece)
        break
      case 'cut':
        this.#cut(piece)
        break
      case 'drawer':
        this.#drawer(piece)
    }
  }

  /** Nothing stays between head and tear bar, and no style stays on. */
  end(): EncodedTicket {
    if (this.#isInside) this.#feed(dotsOf(this.#options.tearMillimetres, this.#paper))
    this.#become(PLAIN)
    const bytes = joined(this.#chunks)
    assert(!hasRealTime(bytes), 'a ticket holds no real-time command')
    return { bytes, millimetres: this.#dots / this.#paper.dotsPerMillimetre }
  }

  #become(state: PrintState): void {
    this.#chunks.push(transition(this.#state, state))
    this.#state = { ...state, lineDots: state.lineDots ?? this.#state.lineDots }
  }

  #printed(dots: number): void {
    this.#dots += dots
    this.#isInside = true
  }

  #line(text: string, { style, align }: Pick<PrintState, 'style' | 'align'>): void {
    this.#become({ style, align, lineDots: lineDots(style) })
    this.#chunks.push([...this.#speller.bytesOf(text), LF])
    this.#printed(lineDots(style))
  }

  #rule({ line }: RulePiece): void {
    const letter = ruleLetters[line].find(candidate => this.#speller.has(candidate)) ?? '-'
    this.#line(letter.repeat(lettersPerLine(plainStyle, this.#paper)), PLAIN)
  }

  /** `ESC J` prints what is left in the line and feeds; 255 dots are the most that one command feeds. */
  #feed(dots: number): void {
    if (dots === 0) return
    this.#become(PLAIN)
    for (let left = dots; left > 0; left -= FEED_DOTS_MAX)
      this.#chunks.push([ESC, 0x4a, Math.min(left, FEED_DOTS_MAX)])
    this.#dots += dots
  }

  #raster(bitmap: Bitmap, leftDots: number): void {
    this.#become(PLAIN)
    this.#chunks.push(...rasterBands(bitmap, leftDots))
    this.#printed(bitmap.height)
  }

  #qr(piece: QrPiece): void {
    const { modules, moduleDots, align } = piece.code
    const native = this.#options.codes === 'native' ? nativeQr(piece) : null
    this.#feed(piece.quietDots)
    if (native === null) {
      const size = { dotWidth: moduleDots, dotHeight: moduleDots }
      this.#raster(enlarged(modules, size), piece.leftDots)
    } else {
      this.#become({ ...PLAIN, align })
      this.#chunks.push(native)
      this.#printed(modules.height * moduleDots)
    }
    this.#feed(piece.quietDots)
  }

  #barcode(piece: BarcodePiece): void {
    const { code } = piece
    const native = this.#options.codes === 'native' ? nativeBarcode(piece) : null
    const captionDots = piece.captionLeftDots === null ? 0 : lineDots(plainStyle)
    if (native === null) {
      const size = { dotWidth: code.moduleDots, dotHeight: code.heightDots }
      this.#raster(enlarged(code.modules, size), piece.leftDots)
      this.#caption(piece)
    } else {
      this.#become({ ...PLAIN, align: code.align })
      this.#chunks.push(native)
      this.#printed(code.heightDots + captionDots)
    }
    this.#feed(piece.heightDots - code.heightDots - captionDots)
  }

  /** Beneath the middle of its bars; to a letter where they do not stand in the middle of the paper. */
  #caption({ code: { align }, content, captionLeftDots }: BarcodePiece): void {
    if (captionLeftDots === null) return
    const isCentered = align === 'center'
    const indent = isCentered ? 0 : Math.floor(captionLeftDots / fonts.a.widthDots)
    this.#line(`${' '.repeat(indent)}${content}`, isCentered ? { ...PLAIN, align } : PLAIN)
  }

  /** `GS V 65` and `66` feed to the cutter first, and then so many dots further. */
  #cut({ cut, heightDots }: CutPiece): void {
    const { hasCutter, hasPartialCut, tearMillimetres } = this.#options
    const tearDots = dotsOf(tearMillimetres, this.#paper)
    if (!hasCutter) {
      this.#feed(tearDots + heightDots)
    } else {
      const atOnce = Math.min(heightDots, FEED_DOTS_MAX)
      this.#feed(heightDots - atOnce)
      this.#become(PLAIN)
      this.#chunks.push([GS, 0x56, cut === 'partial' && hasPartialCut ? 66 : 65, atOnce])
      this.#dots += tearDots + atOnce
    }
    this.#isInside = false
  }

  /** `ESC p m t1 t2`, in units of 2 ms. */
  #drawer({ pin, onMs, offMs }: DrawerPiece): void {
    const on = Math.round(onMs / 2)
    const off = Math.round(offMs / 2)
    this.#become(PLAIN)
    const isRealTime = hasRealTime([on, off])
    this.#chunks.push([ESC, 0x70, pin === 2 ? 0 : 1, isRealTime ? on + 1 : on, off])
  }
}

function joined(chunks: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** The first that the page has. */
const ruleLetters = {
  single: ['─', '-'],
  double: ['═', '='],
  dashed: ['-'],
} as const
