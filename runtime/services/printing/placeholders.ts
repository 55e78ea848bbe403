/** Placeholders in a template: where they are, what is wrong with them, and what becomes of them. Pure. */
import { suggestion } from '../../core/nearest.js'
import type { TemplateBlock } from './template-form.js'

/** `{{name}}`, or `{{name | url}}` for a part of an address. */
const PLACEHOLDER = /\{\{\s*([A-Za-z]\w*)\s*(?:\|\s*(url)\s*)?\}\}/g

interface Place {
  /** Within the block. */
  readonly path: readonly (string | number)[]
  readonly text: string
}

/** Every text of a block that may hold placeholders. */
export function placeholdersOf(block: TemplateBlock): readonly Place[] {
  switch (block.kind) {
    case 'text':
      return [{ path: ['text'], text: block.text }]
    case 'qr':
    case 'barcode':
      return [{ path: ['content'], text: block.content }]
    case 'table':
      return block.rows.flatMap((row, index) =>
        row.map((text, cell) => ({ path: ['rows', index, cell], text })),
      )
    default:
      return []
  }
}

/** @param known names of fields and of what is built in */
export function placeholderProblem(text: string, known: readonly string[]): string | null {
  if (/\{\{|\}\}/.test(text.replace(PLACEHOLDER, '')))
    return `must have placeholders like {{name}} or {{name | url}}, is ${JSON.stringify(text)}`
  for (const [placeholder, name = ''] of text.matchAll(PLACEHOLDER))
    if (!known.includes(name)) return `${placeholder} is no field${suggestion(name, known)}`
  return null
}

/**
 * A block of which nothing but empty placeholders is left is no block: a note that nobody wrote takes no paper.
 * @param meaning the value of a known name
 */
export function filledBlock(
  block: TemplateBlock,
  meaning: (name: string) => string,
): readonly TemplateBlock[] {
  const isLeft = (text: string): boolean => !isEmpty(text, meaning)
  const fill = (text: string): string =>
    text.replace(PLACEHOLDER, (_, name: string, filter: string | undefined) =>
      filter === 'url' ? encodeURIComponent(meaning(name)) : meaning(name),
    )
  switch (block.kind) {
    case 'text':
      return isLeft(block.text) ? [{ ...block, text: fill(block.text) }] : []
    case 'qr':
    case 'barcode':
      return isLeft(block.content) ? [{ ...block, content: fill(block.content) }] : []
    case 'table': {
      const { repeat, ...table } = block
      const kept = block.rows.filter(row => row.length === 0 || row.some(isLeft))
      const repeated = repeat === undefined ? [] : repeatedRows(meaning(repeat))
      const rows = [...kept.map(row => row.map(fill)), ...repeated]
      return rows.length === 0 ? [] : [{ ...table, rows }]
    }
    default:
      return [block]
  }
}

/** `2 x Poster | 24.00` on each line. */
const repeatedRows = (value: string): string[][] =>
  value
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => line.split('|').map(cell => cell.trim()))

/** Whether it has placeholders and all of them are empty. */
function isEmpty(text: string, meaning: (name: string) => string): boolean {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name)
  return names.length > 0 && names.every(name => meaning(name).trim() === '')
}
