/** Texts and tables as lines of so many letters, all of them of one width. Pure; knows neither dots nor printers. */
import type { Align, TicketColumn } from '../ports/ticket.js'
import { NO_BREAK_SPACE } from './letters.js'

/** Between two columns of a table. */
const GAP_LETTERS = 1

/** @returns at least one line; none longer than `width`, which is at least 1 */
export function wrapText(text: string, width: number): readonly string[] {
  return text
    .split('\n')
    .flatMap(line => wrapLine(line, width))
    .map(line => line.replaceAll(NO_BREAK_SPACE, ' '))
}

/** A line that fits stays as it was written, with the spaces around it. */
function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = []
  let rest = line
  while (rest.length > width) {
    const space = lastBreak(rest, width)
    lines.push(rest.slice(0, space ?? width).trimEnd())
    rest = space === null ? rest.slice(width) : rest.slice(space).replace(/^ +/, '')
  }
  return rest === '' && lines.length > 0 ? lines : [...lines, rest]
}

/** The last space that ends a word at or before `width`; a word that is too long has none. */
function lastBreak(text: string, width: number): number | null {
  const space = text.lastIndexOf(' ', width)
  return space > 0 && text.slice(0, space).trim() !== '' ? space : null
}

/**
 * Letters of each column, at least one, shared out by the largest remainder.
 * @returns null when there are more columns than the width has room for
 */
export function columnWidths(
  columns: readonly TicketColumn[],
  width: number,
): readonly number[] | null {
  const room = width - GAP_LETTERS * (columns.length - 1)
  if (room < columns.length) return null
  const total = columns.reduce((sum, { share }) => sum + share, 0)
  const wanted = columns.map(({ share }) => (share / total) * room)
  const widths = wanted.map(letters => Math.max(1, Math.floor(letters)))
  for (let left = room - sumOf(widths); left !== 0; left -= Math.sign(left)) {
    const index = left > 0 ? mostShort(wanted, widths) : indexOfMost(widths)
    widths[index] = (widths[index] ?? 0) + Math.sign(left)
  }
  return widths
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

const mostShort = (wanted: readonly number[], widths: readonly number[]): number =>
  indexOfMost(wanted.map((letters, index) => letters - (widths[index] ?? 0)))

const indexOfMost = (values: readonly number[]): number => values.indexOf(Math.max(...values))

/** One row of a table: each cell wrapped in its column, as many lines as the highest cell. */
export function tableRow(
  cells: readonly string[],
  columns: readonly TicketColumn[],
  widths: readonly number[],
): readonly string[] {
  const wrapped = widths.map((width, index) => wrapText(cells[index] ?? '', width))
  const height = Math.max(...wrapped.map(lines => lines.length))
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, index) =>
        padded(wrapped[index]?.[line] ?? '', width, columns[index]?.align ?? 'left'),
      )
      .join(' '.repeat(GAP_LETTERS)),
  )
}

export function padded(text: string, width: number, align: Align): string {
  const trimmed = align === 'left' ? text.trimEnd() : text.trim()
  const room = Math.max(0, width - trimmed.length)
  const before = align === 'left' ? 0 : align === 'right' ? room : Math.floor(room / 2)
  return `${' '.repeat(before)}${trimmed}${' '.repeat(room - before)}`
}
