/**
 * The Prometheus text exposition format, version 0.0.4 (prometheus.io, "Exposition formats"). A value that is not known is
 * no sample at all: NaN and 0 would both be lies. Without time stamps, since what is told is how things are now. Pure.
 */

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary'

export interface Sample {
  /** After the family's name, in a summary or histogram. */
  readonly suffix?: '_bucket' | '_count' | '_sum'
  readonly labels: Readonly<Record<string, string>>
  /** Null and what is not finite is left out. */
  readonly value: number | null
}

export interface Family {
  /** Ends in its unit; that of a counter ends in `_total`. */
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly samples: readonly Sample[]
}

/** A family of which nothing is known is left out whole. */
export const exposition = (families: readonly Family[]): string =>
  families
    .map(family => ({
      ...family,
      samples: family.samples.filter(({ value }) => value !== null && Number.isFinite(value)),
    }))
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('')

const familyText = ({ name, type, help, samples }: Family): string =>
  [
    `# HELP ${name} ${escapedHelp(help)}\n`,
    `# TYPE ${name} ${type}\n`,
    ...samples.map(
      ({ suffix = '', labels, value }) => `${name}${suffix}${labelText(labels)} ${value}\n`,
    ),
  ].join('')

function labelText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapedValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const escapedValue = (text: string): string => escapedHelp(text).replaceAll('"', '\\"')
