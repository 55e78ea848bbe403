/** What a cue does beside light: pictures, messages, requests. */
import { suggestion } from '../../core/nearest.js'
import type { Action } from './checked-show.js'
import type { Draft, Path } from './draft.js'
import type { ActionEntry } from './format.js'

const kinds = ['capture', 'mqtt', 'http', 'print'] as const

export function readActions(draft: Draft, entries: readonly ActionEntry[], path: Path): Action[] {
  return entries.flatMap((entry, index) => readAction(draft, entry, [...path, index]) ?? [])
}

function readAction(draft: Draft, entry: ActionEntry, path: Path): Action | null {
  const named = kinds.filter(kind => entry[kind] !== undefined)
  if (named.length !== 1) {
    draft.problems.add(path, 'must do exactly one of capture, mqtt, http and print')
    return null
  }
  for (const key of ['count', 'every'] as const)
    if (entry[key] !== undefined && entry.capture === undefined)
      draft.problems.add([...path, key], 'belongs to a capture')
  if (entry.print) return readPrint(draft, entry.at, entry.print, [...path, 'print'])
  if (entry.capture !== undefined) return readCapture(draft, entry, entry.capture, path)
  if (entry.mqtt) {
    const { topic, payload, qos, retain } = entry.mqtt
    return {
      kind: 'mqtt',
      atMs: entry.at,
      topic,
      payload,
      qos: qos === 0 ? 0 : 1,
      isRetained: retain,
    }
  }
  if (!entry.http) return null
  const { method, url, body, contentType, timeout: timeoutMs } = entry.http
  return { kind: 'http', atMs: entry.at, request: { method, url, body, contentType, timeoutMs } }
}

/** Names are checked where they are known: of the box that runs the show. */
function readPrint(
  draft: Draft,
  atMs: number,
  { template, fields, kind, printer: named, expires }: NonNullable<ActionEntry['print']>,
  path: Path,
): Action {
  const [printer = null, box = null] = named?.split('/').reverse() ?? []
  const isOurs = box === null || box === draft.box
  const printers = isOurs
    ? draft.devices?.filter(device => device.kind === 'printer').map(device => device.name)
    : undefined
  if (printers?.length === 0) draft.problems.add(path, 'needs a printer, which this box has not')
  else if (printers && printer !== null && !printers.includes(printer))
    draft.problems.add(
      [...path, 'printer'],
      `names ${printer}, which is no printer of this box${suggestion(printer, printers)}`,
    )
  if (isOurs && draft.templates && !draft.templates.includes(template))
    draft.problems.add(
      [...path, 'template'],
      `names ${template}, which is no template of this box${suggestion(template, draft.templates)}`,
    )
  return {
    kind: 'print',
    atMs,
    box,
    printer,
    template,
    fields,
    jobKind: kind ?? null,
    expiresMs: expires ?? null,
  }
}

function readCapture(draft: Draft, entry: ActionEntry, name: string, path: Path): Action | null {
  const capture = draft.captures.get(name)
  if (!capture) {
    draft.problems.add(
      [...path, 'capture'],
      `names ${name}, which the patch does not have as a capture${suggestion(name, draft.captures.keys())}`,
    )
    return null
  }
  return {
    kind: 'capture',
    atMs: entry.at,
    capture: name,
    box: capture.box,
    device: capture.device,
    count: entry.count ?? capture.count,
    everyMs: entry.every ?? capture.everyMs,
  }
}

/** When the last thing that the action does happens, from the cue's beginning. */
export const endOfActionMs = (action: Action): number =>
  action.kind === 'capture' ? action.atMs + (action.count - 1) * action.everyMs : action.atMs
