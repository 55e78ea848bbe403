/** A simulation as a text that people read and tests compare. Pure. */
import type { CheckedShow, Output } from './checked-show.js'
import type { Levels } from './levels.js'
import type { SimulatedRow } from './simulate.js'

/** Columns: seconds, one per output in order of name, then what happens. Ends with a newline. */
export function renderTable(show: CheckedShow, rows: readonly SimulatedRow[]): string {
  const columns = [
    aligned('seconds', rows.map(secondsOf)),
    ...show.outputs.map(output => aligned(output.name, cellsOf(output, rows))),
    ['what happens', ...rows.map(({ what }) => what.join(', '))],
  ]
  const lines = Array.from({ length: rows.length + 1 }, (_, line) =>
    columns
      .map(cells => cells[line])
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

const secondsOf = ({ atMs }: SimulatedRow): string => (atMs / 1000).toFixed(3)

/** Numbers to the right, under their heading. */
function aligned(heading: string, cells: readonly string[]): string[] {
  const width = cells.reduce((widest, cell) => Math.max(widest, cell.length), heading.length)
  let [last, lastPadded] = [heading, heading.padStart(width)]
  return [heading, ...cells].map(cell => {
    if (cell !== last) lastPadded = cell.padStart(width)
    last = cell
    return lastPadded
  })
}

/** Most of many outputs rest most of the time: what did not change is not written anew. */
function cellsOf(output: Output, rows: readonly SimulatedRow[]): string[] {
  let cell = ''
  return rows.map(({ levels }, row) => {
    const above = rows[row - 1]?.levels
    if (!above || !isSame(output, above, levels)) cell = shown(output, levels)
    return cell
  })
}

function isSame({ offset, componentCount }: Output, a: Levels, b: Levels): boolean {
  for (let index = offset; index < offset + componentCount; index++)
    if (a[index] !== b[index]) return false
  return true
}

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
