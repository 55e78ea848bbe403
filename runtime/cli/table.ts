import type { Paint } from './terminal.js'

export type Row = readonly [label: string, text: string]

/** Labels in a column of their own; whole lines. */
export function table(rows: readonly Row[], paint: Paint): string {
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, text]) => `${paint.dim(label.padEnd(width))}  ${text}\n`).join('')
}

/** `2.5 Reveal`, or a dash. */
export function cueName(
  cues: readonly { readonly id: string; readonly name: string }[],
  id: string | null,
): string {
  if (id === null) return '–'
  const name = cues.find(cue => cue.id === id)?.name ?? ''
  return name === '' ? id : `${id} ${name}`
}
