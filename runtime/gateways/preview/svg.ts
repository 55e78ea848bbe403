/**
 * A ticket as SVG, as large as it is printed: one unit is one dot of the head, and the size is in millimetres. Letters
 * stand in the columns of the printer, whatever font shows them.
 */
import {
  type BarcodePiece,
  dotsOf,
  fonts,
  type LinePiece,
  layoutTicket,
  type Piece,
  plainStyle,
  type QrPiece,
  type RulePiece,
} from '../../core/ticket-layout.js'
import type { Paper } from '../../ports/printer.js'
import type { Bitmap, TextStyle, Ticket } from '../../ports/ticket.js'
import { runs } from './runs.js'

/** Above the first line and beneath the last, so that the paper looks like paper. */
const MARGIN_MILLIMETRES = 3
export const FONT_FAMILY = 'DejaVu Sans Mono'
/** Of that font: a letter is 1233 of 2048 units wide. */
const LETTER_WIDTH_EM = 1233 / 2048
/** From the top of a letter's cell to its baseline, as a share of its height; DejaVu rises 0.76 and falls 0.24. */
const BASELINE = 0.78

interface Sheet {
  readonly paper: Paper
  /** From the edge of the paper to the first dot of the head. */
  readonly edgeDots: number
}

/** @throws BoxError `ticket.invalid` as the printer would */
export function ticketSvg(ticket: Ticket, paper: Paper): string {
  const { pieces, heightDots } = layoutTicket(ticket, paper)
  const widthDots = dotsOf(paper.widthMillimetres, paper)
  const sheet = { paper, edgeDots: Math.max(0, Math.floor((widthDots - paper.dotsPerLine) / 2)) }
  const marginDots = dotsOf(MARGIN_MILLIMETRES, paper)
  const drawn: string[] = []
  let top = marginDots
  for (const piece of pieces) {
    drawn.push(drawing(piece, top, sheet))
    top += piece.heightDots
  }
  const height = heightDots + 2 * marginDots
  const millimetres = (dots: number): string =>
    `${Number((dots / paper.dotsPerMillimetre).toFixed(3))}mm`
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${millimetres(widthDots)}" height="${millimetres(height)}" viewBox="0 0 ${widthDots} ${height}">`,
    `<rect width="${widthDots}" height="${height}" fill="#fff"/>`,
    `<g font-family="${FONT_FAMILY}, monospace" stroke-width="1">`,
    ...drawn.filter(text => text !== ''),
    '</g>',
    '</svg>',
  ].join('\n')}\n`
}

function drawing(piece: Piece, top: number, sheet: Sheet): string {
  switch (piece.kind) {
    case 'line':
      return line(piece, top, sheet)
    case 'rule':
      return rule(piece, top, sheet)
    case 'image':
      return dots(piece.bitmap, { left: sheet.edgeDots + piece.leftDots, top, x: 1, y: 1 })
    case 'qr':
      return qr(piece, top, sheet)
    case 'barcode':
      return barcode(piece, top, sheet)
    case 'cut':
      return cut(top + piece.heightDots, sheet)
    case 'feed':
    case 'drawer':
      return ''
  }
}

function line({ text, style, leftDots }: LinePiece, top: number, sheet: Sheet): string {
  return letters(text, style, sheet.edgeDots + leftDots, top)
}

/** The letters in their cells; white on black where the style says so. */
function letters(text: string, style: TextStyle, left: number, top: number): string {
  const { widthDots, heightDots } = fonts[style.font]
  const width = text.length * widthDots
  const move = `translate(${left} ${top})`
  const size =
    style.widthScale === 1 && style.heightScale === 1
      ? ''
      : ` scale(${style.widthScale} ${style.heightScale})`
  const colour = style.isInverted ? '#fff' : '#000'
  const underline = style.isUnderlined
    ? `<rect y="${heightDots - 2}" width="${width}" height="2" fill="${colour}"/>`
    : ''
  const ground = style.isInverted ? `<rect width="${width}" height="${heightDots}"/>` : ''
  const places = Array.from(text, (_, index) => index * widthDots).join(' ')
  const weight = style.isBold ? ' font-weight="bold"' : ''
  const fontSize = Number((widthDots / LETTER_WIDTH_EM).toFixed(3))
  const baseline = Math.round(heightDots * BASELINE)
  const shown =
    text.trim() === ''
      ? ''
      : `<text xml:space="preserve" x="${places}" y="${baseline}" font-size="${fontSize}"${weight} fill="${colour}">${escaped(text)}</text>`
  if (`${ground}${shown}${underline}` === '') return ''
  return `<g transform="${move}${size}">${ground}${shown}${underline}</g>`
}

function rule({ line, heightDots }: RulePiece, top: number, { paper, edgeDots }: Sheet): string {
  const middle = top + heightDots / 2
  const stroke = (y: number, more = ''): string =>
    `<path d="M${edgeDots} ${y}h${paper.dotsPerLine}" stroke="#000" stroke-width="2"${more}/>`
  switch (line) {
    case 'single':
      return stroke(middle)
    case 'double':
      return `${stroke(middle - 3)}${stroke(middle + 3)}`
    case 'dashed':
      return stroke(middle, ` stroke-dasharray="8 4"`)
  }
}

interface Spot {
  readonly left: number
  readonly top: number
  /** Dots a module. */
  readonly x: number
  readonly y: number
}

/** In a group of their own units, so that modules keep their edges at any size. */
function dots(bitmap: Bitmap, { left, top, x, y }: Spot): string {
  const scale = x === 1 && y === 1 ? '' : ` scale(${x} ${y})`
  return `<path transform="translate(${left} ${top})${scale} translate(0 .5)" shape-rendering="crispEdges" stroke="#000" d="${runs(bitmap)}"/>`
}

function qr({ code, quietDots, leftDots }: QrPiece, top: number, sheet: Sheet): string {
  const { modules, moduleDots } = code
  const spot = { left: sheet.edgeDots + leftDots, top: top + quietDots }
  return dots(modules, { ...spot, x: moduleDots, y: moduleDots })
}

function barcode(piece: BarcodePiece, top: number, sheet: Sheet): string {
  const { code, content, leftDots, captionLeftDots } = piece
  const { modules, moduleDots, heightDots } = code
  const spot = { left: sheet.edgeDots + leftDots, top, x: moduleDots, y: heightDots }
  if (captionLeftDots === null) return dots(modules, spot)
  const left = sheet.edgeDots + captionLeftDots
  return `${dots(modules, spot)}\n${letters(content, plainStyle, left, top + heightDots)}`
}

const cut = (y: number, { paper }: Sheet): string =>
  `<path d="M0 ${y}h${dotsOf(paper.widthMillimetres, paper)}" stroke="#888" stroke-dasharray="12 8"/>`

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

const escaped = (text: string): string => text.replace(/[&<>]/g, sign => entities[sign] ?? sign)
