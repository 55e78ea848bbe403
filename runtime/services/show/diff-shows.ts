/** What has changed between two shows, in the order in which a technician would ask. Pure. */
import type { CheckedShow, TriggerCause } from './checked-show.js'

export interface Difference {
  readonly kind: 'added' | 'removed' | 'changed'
  /** `cue 3`, `scene reveal`, `patch front`, `group all`, `trigger go:press`, `clock`, `panic`, `name`. */
  readonly what: string
  /** What it was and what it is, key by key; empty for what was added or removed. */
  readonly details: readonly string[]
}

const DETAILS_MAX = 50

/** Empty for shows of the same digest. */
export function diffShows(before: CheckedShow, now: CheckedShow): readonly Difference[] {
  const [a, b] = [before.document, now.document]
  return [
    ...changed('name', a.name, b.name),
    ...changed('clock', a.clock, b.clock),
    ...changed('panic', a.panic, b.panic),
    ...between('patch', entriesOf(a.patch), entriesOf(b.patch)),
    ...between('group', entriesOf(a.groups), entriesOf(b.groups)),
    ...between('scene', entriesOf(a.scenes), entriesOf(b.scenes)),
    ...between('cue', byId(a.cues), byId(b.cues)),
    ...reordered(a.cues, b.cues),
    ...between('trigger', triggersOf(before), triggersOf(now)),
  ]
}

/** One line per difference, `+`, `-` or `~` first, details below it. Ends with a newline unless there is none. */
export function renderDifferences(differences: readonly Difference[]): string {
  const signs = { added: '+', removed: '-', changed: '~' }
  return differences
    .map(({ kind, what, details }) =>
      [`${signs[kind]} ${what}`, ...details.map(detail => `    ${detail}`)]
        .map(line => `${line}\n`)
        .join(''),
    )
    .join('')
}

type Entries = ReadonlyMap<string, unknown>

const entriesOf = (table: Readonly<Record<string, unknown>>): Entries =>
  new Map(Object.entries(table).sort(([x], [y]) => (x < y ? -1 : 1)))

const byId = (cues: readonly { readonly id: string }[]): Entries =>
  new Map(cues.map(cue => [cue.id, cue]))

/** Several triggers may listen to one press: the number tells them apart. */
function triggersOf(show: CheckedShow): Entries {
  const counts = new Map<string, number>()
  return new Map(
    show.triggers.map(({ on, deed, holdOffMs }) => {
      const name = causeName(on)
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      return [count === 1 ? name : `${name} (${count})`, { deed, holdOffMs }]
    }),
  )
}

function causeName(on: TriggerCause): string {
  if (on.kind === 'input') return `${on.box === null ? '' : `${on.box}/`}${on.input}:${on.event}`
  if (on.kind === 'timecode') return `timecode ${on.position}`
  const wanted = on.payload ?? (on.json && JSON.stringify(on.json))
  return wanted === null ? `mqtt ${on.topic}` : `mqtt ${on.topic} ${wanted}`
}

function between(kind: string, before: Entries, now: Entries): Difference[] {
  const removed = [...before.keys()].filter(name => !now.has(name))
  return [
    ...removed.map(name => ({
      kind: 'removed' as const,
      what: `${kind} ${name}`,
      details: [],
    })),
    ...[...now].flatMap(([name, value]) =>
      before.has(name)
        ? changed(`${kind} ${name}`, before.get(name), value)
        : [{ kind: 'added' as const, what: `${kind} ${name}`, details: [] }],
    ),
  ]
}

/** The order of the list is what GO does. */
function reordered(
  before: readonly { readonly id: string }[],
  now: readonly { readonly id: string }[],
): Difference[] {
  const common = (list: readonly { readonly id: string }[], other: typeof list): string =>
    list
      .filter(({ id }) => other.some(cue => cue.id === id))
      .map(({ id }) => id)
      .join(' ')
  return changed('order of cues', common(before, now), common(now, before))
}

function changed(what: string, before: unknown, now: unknown): Difference[] {
  const details = detailsOf('', before, now).slice(0, DETAILS_MAX)
  return details.length === 0 ? [] : [{ kind: 'changed', what, details }]
}

function detailsOf(path: string, before: unknown, now: unknown): string[] {
  if (!isTable(before) || !isTable(now)) {
    const [was, is] = [JSON.stringify(before), JSON.stringify(now)]
    return was === is ? [] : [`${path === '' ? '' : `${path}: `}${said(was)} -> ${said(is)}`]
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
  return keys.flatMap(key => detailsOf(path === '' ? key : `${path}.${key}`, before[key], now[key]))
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const said = (text: string | undefined): string => text ?? 'nothing'
