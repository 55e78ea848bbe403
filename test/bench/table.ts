/** What every benchmark prints: a row per thing measured, in Markdown, so that it can be pasted as it is. */
export function printTable(rows: readonly Readonly<Record<string, string | number>>[]): void {
  const heads = Object.keys(rows[0] ?? {})
  const cells = [heads, ...rows.map(row => heads.map(head => shown(row[head] ?? '')))]
  const widths = heads.map((_, column) =>
    Math.max(...cells.map(line => (line[column] ?? '').length)),
  )
  const text = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [first, ...rest] = cells
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  process.stdout.write(`${[text(first ?? []), rule, ...rest.map(text)].join('\n')}\n`)
}

const shown = (value: string | number): string =>
  typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value)

/** p50, p99 and max of measured values. */
export function percentiles(values: readonly number[]): {
  readonly n: number
  readonly p50: number
  readonly p99: number
  readonly max: number
} {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}
