/**
 * Where everything of a ticket stands on its paper, in dots of the head. The bytes for a printer and the preview are made
 * of the same layout, so what one shows the other prints.
 */
import type { Paper } from '../ports/printer.js'
import type { Align, Bitmap, TextStyle, Ticket, TicketBlock } from '../ports/ticket.js'
import { barcodeContent } from './barcode.js'
import { BoxError } from './errors.js'
import { Speller } from './letters.js'
import { columnWidths, tableRow, wrapText } from './ticket-lines.js'

type BlockOf<K extends TicketBlock['kind']> = Extract<TicketBlock, { readonly kind: K }>

/** One line of text, spelled with the letters of the code page. */
export interface LinePiece {
  readonly kind: 'line'
  readonly text: string
  readonly align: Align
  readonly style: TextStyle
  readonly leftDots: number
  readonly heightDots: number
}

export interface RulePiece {
  readonly kind: 'rule'
  readonly line: 'single' | 'double' | 'dashed'
  readonly heightDots: number
}

export interface FeedPiece {
  readonly kind: 'feed'
  readonly heightDots: number
}

export interface ImagePiece {
  readonly kind: 'image'
  readonly bitmap: Bitmap
  readonly leftDots: number
  readonly heightDots: number
}

export interface QrPiece {
  readonly kind: 'qr'
  readonly code: BlockOf<'qr'>
  readonly leftDots: number
  /** White above and below that belongs to the symbol; beside it is the paper. */
  readonly quietDots: number
  readonly heightDots: number
}

export interface BarcodePiece {
  readonly kind: 'barcode'
  readonly code: BlockOf<'barcode'>
  /** What the symbol holds: for EAN-13 with its check digit. */
  readonly content: string
  readonly leftDots: number
  /** Where the content stands beneath the middle of the bars, in the plain style; null where it is not to. */
  readonly captionLeftDots: number | null
  readonly heightDots: number
}

export interface CutPiece {
  readonly kind: 'cut'
  readonly cut: 'full' | 'partial'
  /** Fed before the cut, beyond what lies between head and cutter. */
  readonly heightDots: number
}

export interface DrawerPiece {
  readonly kind: 'drawer'
  readonly pin: 2 | 5
  readonly onMs: number
  readonly offMs: number
  readonly heightDots: 0
}

export type Piece =
  | LinePiece
  | RulePiece
  | FeedPiece
  | ImagePiece
  | QrPiece
  | BarcodePiece
  | CutPiece
  | DrawerPiece

export interface TicketLayout {
  readonly pieces: readonly Piece[]
  /** Of all pieces together. */
  readonly heightDots: number
}

/** Letters of the two fonts, and the white between two lines. */
export const fonts = {
  a: { widthDots: 12, heightDots: 24, leadingDots: 6 },
  b: { widthDots: 9, heightDots: 17, leadingDots: 5 },
} as const

export const plainStyle: TextStyle = {
  isBold: false,
  isUnderlined: false,
  isInverted: false,
  widthScale: 1,
  heightScale: 1,
  font: 'a',
}

/** ISO/IEC 18004, 9.1: four modules of white on every side. */
const QR_QUIET_MODULES = 4
const BARCODE_GAP_DOTS = 6
/** Nobody tears off more; a mistake must not empty the roll. */
const MILLIMETRES_MAX = 3_000

interface Setting {
  readonly paper: Paper
  readonly speller: Speller
}

/** @throws BoxError `ticket.invalid` naming the block and what of it does not fit this paper */
export function layoutTicket(ticket: Ticket, paper: Paper): TicketLayout {
  const setting = { paper, speller: new Speller(paper.codePage) }
  const pieces: Piece[] = []
  let heightDots = 0
  for (const [index, block] of ticket.blocks.entries()) {
    const more = named(index, block.kind, () => piecesOf(block, setting))
    heightDots += more.reduce((sum, piece) => sum + piece.heightDots, 0)
    if (heightDots > MILLIMETRES_MAX * paper.dotsPerMillimetre)
      throw refusal(index, block.kind, `makes the ticket longer than ${MILLIMETRES_MAX} mm`)
    pieces.push(...more)
  }
  return { pieces, heightDots }
}

/** How many letters of a style stand in one line; 0 where not even one fits. */
export const lettersPerLine = (style: TextStyle, paper: Paper): number =>
  Math.floor(paper.dotsPerLine / (fonts[style.font].widthDots * style.widthScale))

/** From the top of a line to the top of the next. */
export const lineDots = ({ font, heightScale }: TextStyle): number =>
  fonts[font].heightDots * heightScale + fonts[font].leadingDots

/** `ticket.blocks[3] (qr): …`, as every complaint about a block begins. */
export const refusal = (
  index: number,
  kind: string,
  message: string,
  options?: ErrorOptions,
): BoxError =>
  new BoxError('ticket.invalid', `ticket.blocks[${index}] (${kind}): ${message}`, options)

/** What a block brings up is told with the block's name. */
export function named<T>(index: number, kind: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof BoxError && cause.code === 'ticket.invalid')
      throw refusal(index, kind, cause.message, { cause: cause.cause })
    throw cause
  }
}

const invalid = (message: string): BoxError => new BoxError('ticket.invalid', message)

function piecesOf(block: TicketBlock, setting: Setting): readonly Piece[] {
  switch (block.kind) {
    case 'text':
      return textPieces(block, setting)
    case 'table':
      return tablePieces(block, setting)
    case 'rule':
      return [{ kind: 'rule', line: block.line, heightDots: lineDots(plainStyle) }]
    case 'space':
      return [{ kind: 'feed', heightDots: dotsOf(block.millimetres, setting.paper) }]
    case 'image':
      return [imagePiece(block, setting)]
    case 'qr':
      return [qrPiece(block, setting)]
    case 'barcode':
      return [barcodePiece(block, setting)]
    case 'cut':
      return [cutPiece(block, setting)]
    case 'drawer':
      return [{ ...block, heightDots: 0 }]
  }
}

export const dotsOf = (millimetres: number, paper: Paper): number =>
  Math.round(millimetres * paper.dotsPerMillimetre)

function textPieces(block: BlockOf<'text'>, { paper, speller }: Setting): readonly LinePiece[] {
  const { align, style } = block
  const width = requireLetter(style, paper)
  return wrapText(speller.spell(block.text).text, width).map(text =>
    linePiece(text, align, style, paper),
  )
}

function tablePieces(block: BlockOf<'table'>, { paper, speller }: Setting): readonly LinePiece[] {
  const { columns, style } = block
  const width = requireLetter(style, paper)
  const widths = columnWidths(columns, width)
  if (widths === null)
    throw invalid(`${columns.length} columns do not fit into ${width} letters of this style`)
  const most = Math.max(0, ...block.rows.map(row => row.length))
  if (most > columns.length)
    throw invalid(
      `a row has ${most} cells and the table ${columns.length} ${columns.length === 1 ? 'column' : 'columns'}`,
    )
  return block.rows
    .flatMap(row =>
      tableRow(
        row.map(cell => speller.spell(cell).text),
        columns,
        widths,
      ),
    )
    .map(text => linePiece(style.isInverted ? text : text.trimEnd(), 'left', style, paper))
}

function requireLetter(style: TextStyle, paper: Paper): number {
  const width = lettersPerLine(style, paper)
  if (width > 0) return width
  throw invalid(`not one letter of this size fits into ${paper.dotsPerLine} dots`)
}

function linePiece(text: string, align: Align, style: TextStyle, paper: Paper): LinePiece {
  const widthDots = text.length * fonts[style.font].widthDots * style.widthScale
  const leftDots = leftOf(widthDots, align, paper)
  return { kind: 'line', text, align, style, leftDots, heightDots: lineDots(style) }
}

function imagePiece({ bitmap, align }: BlockOf<'image'>, { paper }: Setting): ImagePiece {
  requireBitmap(bitmap)
  requireRoom(bitmap.width, paper)
  const leftDots = leftOf(bitmap.width, align, paper)
  return { kind: 'image', bitmap, leftDots, heightDots: bitmap.height }
}

function qrPiece(code: BlockOf<'qr'>, { paper }: Setting): QrPiece {
  requireBitmap(code.modules)
  const sizeDots = code.modules.width * code.moduleDots
  requireRoom(sizeDots, paper)
  const leftDots = leftOf(sizeDots, code.align, paper)
  const quietDots = QR_QUIET_MODULES * code.moduleDots
  return { kind: 'qr', code, leftDots, quietDots, heightDots: sizeDots + 2 * quietDots }
}

function barcodePiece(code: BlockOf<'barcode'>, { paper }: Setting): BarcodePiece {
  requireBitmap(code.modules)
  const content = barcodeContent(code.symbology, code.content)
  const widthDots = code.modules.width * code.moduleDots
  requireRoom(widthDots, paper)
  const leftDots = leftOf(widthDots, code.align, paper)
  const captionDots = content.length * fonts.a.widthDots
  const middle = leftDots + Math.floor((widthDots - captionDots) / 2)
  const captionLeftDots = code.isTextShown
    ? Math.min(Math.max(0, middle), paper.dotsPerLine - captionDots)
    : null
  const captionHeightDots = code.isTextShown ? lineDots(plainStyle) : 0
  const heightDots = code.heightDots + captionHeightDots + BARCODE_GAP_DOTS
  return { kind: 'barcode', code, content, leftDots, captionLeftDots, heightDots }
}

const cutPiece = ({ cut, feedMillimetres }: BlockOf<'cut'>, { paper }: Setting): CutPiece => ({
  kind: 'cut',
  cut,
  heightDots: dotsOf(feedMillimetres, paper),
})

function requireRoom(widthDots: number, paper: Paper): void {
  if (widthDots > paper.dotsPerLine)
    throw invalid(`is ${widthDots} dots wide, and the head prints ${paper.dotsPerLine}`)
}

function requireBitmap({ width, height, rows }: Bitmap): void {
  if (width < 1 || height < 1 || rows.length !== Math.ceil(width / 8) * height)
    throw invalid(`its bitmap of ${width} by ${height} dots has ${rows.length} bytes`)
}

function leftOf(widthDots: number, align: Align, paper: Paper): number {
  const room = paper.dotsPerLine - widthDots
  if (align === 'left') return 0
  return align === 'right' ? room : Math.floor(room / 2)
}
