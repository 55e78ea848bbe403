/** The patch: which outputs and captures there are, and where they end. */
import { suggestion } from '../../core/nearest.js'
import { topics } from '../../topics.js'
import { type CapturePatch, componentCounts, type LightKind, type Output } from './checked-show.js'
import type { KnownDevice, Path, Problems } from './draft.js'
import type { PatchEntry, ShowDocument } from './format.js'
import { componentsOfLook, dark } from './looks.js'

const CAPTURE_COUNT = 1
const CAPTURE_EVERY_MS = 500
const ALL_CHANNELS = { first: 0, last: Number.POSITIVE_INFINITY }

/** First words of the box's own topics: an output of that name would write over them. */
const takenNames: ReadonlySet<string> = new Set([
  ...Object.values(topics).flatMap(({ path }) => path?.match(/^[a-z-]+/)?.[0] ?? []),
  'gadget',
  'link',
  'request',
])

interface PatchContext {
  readonly document: ShowDocument
  readonly problems: Problems
  readonly box: string | null
  readonly devices: readonly KnownDevice[] | null
}

type Where = Pick<Output, 'box' | 'device' | 'channels'>

/** Outputs sorted by name; what an output does when the leader is lost is filled in when scenes are known. */
export function readPatch(context: PatchContext): {
  outputs: Map<string, Output>
  captures: Map<string, CapturePatch>
} {
  const outputs = new Map<string, Output>()
  const captures = new Map<string, CapturePatch>()
  let offset = 0
  for (const name of Object.keys(context.document.patch).sort()) {
    const entry = context.document.patch[name]
    if (!entry) continue
    const { kind } = entry
    if (kind === 'capture') captures.set(name, readCapture(context, name, entry))
    else {
      const output = readOutput(context, name, entry, kind, outputs.size, offset)
      outputs.set(name, output)
      offset += output.componentCount
    }
  }
  checkOverlaps(context, [...outputs.values()])
  return { outputs, captures }
}

function readCapture(context: PatchContext, name: string, entry: PatchEntry): CapturePatch {
  const path: Path = ['patch', name]
  for (const key of ['home', 'max', 'onLost'] as const)
    if (entry[key] !== undefined)
      context.problems.add([...path, key], 'does not belong to a capture, which has no level')
  if (entry.out.channels)
    context.problems.add([...path, 'out'], 'must name a device without a channel')
  checkDevice(context, { ...entry.out }, 'capture', path)
  return {
    name,
    box: ownBox(context, entry.out.box),
    device: entry.out.device,
    count: entry.count ?? CAPTURE_COUNT,
    everyMs: entry.every ?? CAPTURE_EVERY_MS,
  }
}

function readOutput(
  context: PatchContext,
  name: string,
  entry: PatchEntry,
  kind: LightKind,
  index: number,
  offset: number,
): Output {
  const path: Path = ['patch', name]
  if (takenNames.has(name))
    context.problems.add(path, 'is a name that the box uses for topics of its own: choose another')
  for (const key of ['count', 'every'] as const)
    if (entry[key] !== undefined)
      context.problems.add([...path, key], 'belongs to a capture, not to a light')
  const device = checkDevice(context, entry.out, 'light', path)
  checkChannels(context, entry, kind, device, path)
  return {
    index,
    name,
    kind,
    offset,
    componentCount: componentCounts[kind],
    box: ownBox(context, entry.out.box),
    device: entry.out.device,
    channels: entry.out.channels,
    home: componentsOfLook(kind, entry.home ?? 0),
    max: entry.max ?? 1,
    lost: entry.onLost === 'off' ? { holdMs: 0, fadeMs: 1000, to: dark(kind) } : null,
  }
}

/** The own box is always null, so that `box-1/wash` and `wash` are the same device on box-1. */
const ownBox = (context: PatchContext, box: string | null): string | null =>
  box === context.box ? null : box

/** Only the own box's devices are known; what another box has is checked there. */
function checkDevice(
  context: PatchContext,
  out: Where,
  kind: KnownDevice['kind'],
  path: Path,
): KnownDevice | null {
  if (!context.devices || ownBox(context, out.box) !== null) return null
  const found = context.devices.find(({ name }) => name === out.device)
  const alike = context.devices.filter(device => device.kind === kind).map(({ name }) => name)
  if (!found)
    context.problems.add(
      [...path, 'out'],
      `names ${out.device}, and the box has no such device${suggestion(out.device, alike)}`,
    )
  else if (found.kind !== kind)
    context.problems.add(
      [...path, 'out'],
      `names ${out.device}, which is ${found.kind === 'input' ? 'an input' : `a ${found.kind}`}`,
    )
  return found?.kind === kind ? found : null
}

function checkChannels(
  context: PatchContext,
  entry: PatchEntry,
  kind: LightKind,
  device: KnownDevice | null,
  path: Path,
): void {
  const at = [...path, 'out']
  const { channels } = entry.out
  const known = device?.channelCount ?? null
  if (channels && known !== null && channels.last >= known)
    context.problems.add(
      at,
      `uses channel ${channels.last}, and ${entry.out.device} has ${known} (0 to ${known - 1})`,
    )
  const count = channels ? channels.last - channels.first + 1 : known
  const componentCount = componentCounts[kind]
  if (count !== null && count % componentCount !== 0)
    context.problems.add(
      at,
      `gives ${count} channels to an ${kind} output, which needs ${componentCount} for each fixture`,
    )
  if (device?.isDimmable === false && kind !== 'switch')
    context.problems.add(
      [...path, 'kind'],
      `must be switch: ${entry.out.device} can only be on or off`,
    )
}

function checkOverlaps(context: PatchContext, outputs: readonly Output[]): void {
  const byDevice = new Map<string, Output[]>()
  for (const output of outputs) {
    const key = `${output.box ?? ''}/${output.device}`
    const neighbours = byDevice.get(key) ?? []
    const other = neighbours.find(neighbour => overlap(neighbour, output))
    if (other)
      context.problems.add(
        ['patch', output.name, 'out'],
        `shares channels of ${output.device} with ${other.name}`,
      )
    byDevice.set(key, [...neighbours, output])
  }
}

function overlap(a: Output, b: Output): boolean {
  const [first, second] = [a.channels ?? ALL_CHANNELS, b.channels ?? ALL_CHANNELS]
  return first.first <= second.last && second.first <= first.last
}
