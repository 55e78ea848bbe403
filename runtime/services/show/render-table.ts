/** A simulation as a text that people read and tests compare. Pure. */
import type { CheckedShow, Output } from './checked-show.js'
import type { Levels } from './levels.js'
import type { SimulatedRow } from './simulate.js'

/** Columns: seconds, one per output in order of name, then what happens. Ends with a newline. */
export function renderTable(show: CheckedShow, rows: readonly SimulatedRow[]): string {
  const lines = [
    ['seconds', ...show.outputs.map(({ name }) => name), 'what happens'],
    ...rows.map(({ atMs, levels, what }) => [
      (atMs / 1000).toFixed(3),
      ...show.outputs.map(output => shown(output, levels)),
      what.join(', '),
    ]),
  ]
  const widths = lines.reduce<number[]>(
    (found, line) => line.map((cell, column) => Math.max(found[column] ?? 0, cell.length)),
    [],
  )
  const texts = lines.map(line =>
    line.map((cell, column) => aligned(cell, column, line.length, widths[column] ?? 0)),
  )
  return `${texts.map(line => line.join('  ').trimEnd()).join('\n')}\n`
}

/** Numbers to the right, the words of the last column as they are. */
const aligned = (cell: string, column: number, count: number, width: number): string =>
  column === count - 1 ? cell : cell.padStart(width)

/** `on`, `40.0%`, `#ff7a00`, `#ff7a00+80`: what a person would write. */
function shown({ kind, offset, componentCount }: Output, levels: Levels): string {
  const parts = [...levels.subarray(offset, offset + componentCount)]
  const [first = 0] = parts
  switch (kind) {
    case 'switch':
      return first >= 0.5 ? 'on' : 'off'
    case 'dimmer':
      return `${(first * 100).toFixed(1)}%`
    case 'rgb':
      return `#${parts.map(hex).join('')}`
    case 'rgbw':
      return `#${parts.slice(0, 3).map(hex).join('')}+${hex(parts[3] ?? 0)}`
  }
}

const hex = (level: number): string =>
  Math.round(level * 255)
    .toString(16)
    .padStart(2, '0')
