/**
 * Reads the Prometheus text format by its grammar (version 0.0.4), and is stricter: one space between tokens, one HELP and
 * one TYPE per name and both before its samples, all samples of a name together, no label set twice, no time stamps.
 */
import { assert } from '../../../runtime/core/errors.js'

export interface ParsedSample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface ParsedFamily {
  help: string | null
  type: string | null
  readonly samples: ParsedSample[]
}

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/
const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? ([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,(?=[a-zA-Z_])|$)/
const PLAIN = /^$/
/** What may follow the family's name in that of a sample. */
const SUFFIXES: Readonly<Record<string, RegExp>> = {
  counter: PLAIN,
  gauge: PLAIN,
  histogram: /^_(bucket|sum|count)$/,
  summary: /^(_(sum|count))?$/,
  untyped: PLAIN,
}
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

export function parsed(text: string): ReadonlyMap<string, ParsedFamily> {
  assert(text === '' || text.endsWith('\n'), 'the last line has an end')
  const parser = new Parser()
  for (const line of text.split('\n').slice(0, -1)) parser.take(line)
  return parser.families
}

class Parser {
  readonly families = new Map<string, ParsedFamily>()
  readonly #series = new Set<string>()
  #current = ''

  take(line: string): void {
    const [, kind, name = '', rest = ''] = COMMENT.exec(line) ?? []
    if (kind === undefined) this.#takeSample(line)
    else this.#takeComment(kind, name, rest)
  }

  #takeComment(kind: string, name: string, rest: string): void {
    const family = this.families.get(name) ?? { help: null, type: null, samples: [] }
    assert(family.samples.length === 0, `${kind} of ${name} comes before its samples`)
    this.families.set(name, family)
    this.#current = name
    if (kind === 'HELP') {
      assert(family.help === null, `${name} has one HELP`)
      assert(!rest.replaceAll(/\\[\\n]/g, '').includes('\\'), `HELP of ${name} is escaped`)
      family.help = rest
    } else {
      assert(family.type === null && TYPES.includes(rest), `${name} has one TYPE, not ${rest}`)
      family.type = rest
    }
  }

  #takeSample(line: string): void {
    const [, name, inside = '', value] = SAMPLE.exec(line) ?? []
    assert(name !== undefined && value !== undefined, `a sample: ${line}`)
    const family = this.families.get(this.#current)
    const labels = labelsIn(inside)
    const suffix = name.startsWith(this.#current) ? name.slice(this.#current.length) : null
    assert(
      suffix !== null && SUFFIXES[family?.type ?? '']?.test(suffix) !== false,
      `in its family: ${line}`,
    )
    assert((suffix === '_bucket') === labels.has('le'), `buckets have a bound: ${line}`)
    const key = `${name}${JSON.stringify([...labels].sort())}`
    assert(!this.#series.has(key), `once: ${line}`)
    this.#series.add(key)
    family?.samples.push({ name, labels, value: Number(value) })
  }
}

function labelsIn(inside: string): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  let rest = inside
  while (rest !== '') {
    const [all, label, value = ''] = LABEL.exec(rest) ?? []
    assert(all !== undefined && label !== undefined, `a label: ${rest}`)
    assert(!labels.has(label) && !label.startsWith('__'), `a label once: ${label}`)
    labels.set(
      label,
      value.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char)),
    )
    rest = rest.slice(all.length)
  }
  return labels
}
