/** A ticket in a terminal: its lines in a frame, codes in half blocks, pictures in shades. A sketch; SVG is true to size. */
import { isBlack } from '../core/bitmap.js'
import { fonts, layoutTicket, lineDots, type Piece, plainStyle } from '../core/ticket-layout.js'
import type { Paper } from '../ports/printer.js'
import type { Align, Bitmap, TextStyle, Ticket } from '../ports/ticket.js'
import type { Paint } from './terminal.js'

/** Rows of one piece, all of one width, and how they are coloured once they stand in their place. */
interface Sketch {
  readonly rows: readonly string[]
  readonly align: Align
  readonly paint: (text: string) => string
}

const asItIs = (text: string): string => text
const EDGE_LETTERS = 1

/** @returns whole lines */
export function ticketText(ticket: Ticket, paper: Paper, paint: Paint): string {
  const { pieces } = layoutTicket(ticket, paper)
  const paperLetters = Math.floor(paper.dotsPerLine / fonts.a.widthDots)
  const sketches = pieces.map(piece => sketch(piece, paperLetters, paint))
  const width = Math.max(
    paperLetters,
    ...sketches.flatMap(({ rows }) => rows.map(row => row.length)),
  )
  const edge = '─'.repeat(width + 2 * EDGE_LETTERS)
  const lines = sketches.flatMap(({ rows, align, paint: colour }) =>
    rows.map(row => placed(row, align, width, colour)),
  )
  return [`┌${edge}┐`, ...lines, `└${edge}┘`, ''].join('\n')
}

function placed(row: string, align: Align, width: number, paint: (text: string) => string): string {
  const room = width - row.length
  const left = align === 'left' ? 0 : align === 'right' ? room : Math.floor(room / 2)
  const blank = (count: number): string => ' '.repeat(count + EDGE_LETTERS)
  return `│${blank(left)}${paint(row)}${blank(room - left)}│`
}

function sketch(piece: Piece, paperLetters: number, paint: Paint): Sketch {
  const plain = (rows: readonly string[], align: Align = 'left'): Sketch => ({
    ...{ rows, align, paint: asItIs },
  })
  const onWhite = (text: string): string => paint.bgWhiteBright(paint.black(text))
  switch (piece.kind) {
    case 'line':
      return {
        rows: [spaced(piece.text, piece.style)],
        align: piece.align,
        paint: styled(piece.style, paint),
      }
    case 'rule':
      return plain([ruleLetters[piece.line].repeat(paperLetters)], 'center')
    case 'feed':
      return plain(blankRows(piece.heightDots))
    case 'image':
      return plain(shades(piece.bitmap), alignOf(piece.leftDots))
    case 'qr':
      return { rows: halfBlocks(piece.code.modules), align: piece.code.align, paint: onWhite }
    case 'barcode': {
      const bars = halfBars(piece.code.modules)
      return plain(
        [bars, bars, ...(piece.code.isTextShown ? [piece.content] : [])],
        piece.code.align,
      )
    }
    case 'cut':
      return plain([...blankRows(piece.heightDots), `${'- '.repeat(paperLetters / 2)}`])
    case 'drawer':
      return plain([`(drawer opens by pin ${piece.pin})`])
  }
}

const ruleLetters = { single: '─', double: '═', dashed: '-' } as const

const alignOf = (leftDots: number): Align => (leftDots === 0 ? 'left' : 'center')

const blankRows = (dots: number): readonly string[] =>
  Array.from({ length: Math.round(dots / lineDots(plainStyle)) }, () => '')

/** Wide letters stand apart. */
const spaced = (text: string, { widthScale }: TextStyle): string =>
  [...text].join(' '.repeat(widthScale - 1))

function styled({ isBold, isUnderlined, isInverted }: TextStyle, paint: Paint) {
  return (text: string): string => {
    const bold = isBold ? paint.bold(text) : text
    const underlined = isUnderlined ? paint.underline(bold) : bold
    return isInverted ? paint.inverse(underlined) : underlined
  }
}

/** Beside the bitmap is white. */
const isDot = (bitmap: Bitmap, x: number, y: number): boolean =>
  x >= 0 && y >= 0 && x < bitmap.width && y < bitmap.height && isBlack(bitmap, x, y)

/** White around it that readers want. */
const QUIET_MODULES = 2

/** Two modules one above the other in each letter. */
function halfBlocks(modules: Bitmap): readonly string[] {
  const side = modules.width + 2 * QUIET_MODULES
  return Array.from({ length: Math.ceil(side / 2) }, (_, row) =>
    Array.from({ length: side }, (_letter, column) => {
      const x = column - QUIET_MODULES
      const y = row * 2 - QUIET_MODULES
      return halves(isDot(modules, x, y), isDot(modules, x, y + 1), ' ▀▄█')
    }).join(''),
  )
}

/** Two modules beside each other in each letter. */
const halfBars = (modules: Bitmap): string =>
  Array.from({ length: Math.ceil(modules.width / 2) }, (_, column) =>
    halves(isDot(modules, column * 2, 0), isDot(modules, column * 2 + 1, 0), ' ▌▐█'),
  ).join('')

/** @param letters of neither, the first, the second, both */
const halves = (first: boolean, second: boolean, letters: string): string =>
  letters.charAt(Number(first) + 2 * Number(second))

const SHADES = ' ░▒▓█'

/** A letter for as many dots as a letter of the printer has. */
function shades(bitmap: Bitmap): readonly string[] {
  const { widthDots, heightDots } = fonts.a
  return Array.from({ length: Math.ceil(bitmap.height / heightDots) }, (_, row) =>
    Array.from({ length: Math.ceil(bitmap.width / widthDots) }, (_letter, column) => {
      const share = blackShare(bitmap, column * widthDots, row * heightDots)
      return SHADES.charAt(Math.round(share * (SHADES.length - 1)))
    }).join(''),
  )
}

function blackShare(bitmap: Bitmap, left: number, top: number): number {
  const { widthDots, heightDots } = fonts.a
  let blackCount = 0
  for (let y = 0; y < heightDots; y++)
    for (let x = 0; x < widthDots; x++) blackCount += Number(isDot(bitmap, left + x, top + y))
  return blackCount / (widthDots * heightDots)
}
