/**
 * The cue layer of one output: latest takes precedence. A later cue starts from what the earlier one shows at that moment,
 * and the earlier one plays on until then. That level is written into the later one, so nothing older is ever needed again.
 */
import { chaseAt } from './chase.js'
import type { Chase, CheckedShow, Components, Output } from './checked-show.js'
import { shape } from './curves.js'
import { SEGMENTS_MAX, type Segment } from './state.js'

export const endOf = (fade: { readonly startMs: number; readonly durationMs: number }): number =>
  fade.startMs + fade.durationMs

/** What plays at `tMs`; null before the first cue that names the output. */
export function playing(segments: readonly Segment[], tMs: number): Segment | null {
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index]
    if (segment && segment.startMs <= tMs) return segment
  }
  return null
}

/** Where levels are written, from an offset on: always of one kind, since this is the hot path. */
export type Into = Float64Array

/** Home before the first cue. */
export function writeCueLevels(
  show: CheckedShow,
  output: Output,
  segments: readonly Segment[],
  tMs: number,
  into: Into,
  offset: number,
): void {
  const segment = playing(segments, tMs)
  if (!segment) {
    writeConstant(segments[0]?.from ?? output.home, output.componentCount, into, offset)
    return
  }
  const cue = segment.cue === null ? undefined : show.cuesById.get(segment.cue)
  writeGoal(output, segment, cue?.chase ?? null, tMs, into, offset)
  if (tMs >= endOf(segment)) return
  const way = shape(cue?.curve ?? 'linear', (tMs - segment.startMs) / segment.durationMs)
  for (let component = 0; component < output.componentCount; component++) {
    const from = segment.from[component] ?? 0
    into[offset + component] = from + ((into[offset + component] ?? 0) - from) * way
  }
}

/** What the segment leads to: its levels, or where its chase is. */
function writeGoal(
  output: Output,
  segment: Segment,
  chase: Chase | null,
  tMs: number,
  into: Into,
  offset: number,
): void {
  const { index, home, componentCount } = output
  const steps = segment.to === null ? chase?.steps.get(index) : undefined
  if (!(chase && steps)) {
    writeConstant(segment.to ?? home, componentCount, into, offset)
    return
  }
  const { from, to, share } = chaseAt(chase, steps, segment.from, segment.t0Ms, tMs)
  for (let component = 0; component < componentCount; component++) {
    const begun = from[component] ?? 0
    into[offset + component] = begun + ((to[component] ?? 0) - begun) * share
  }
}

function writeConstant(components: Components, count: number, into: Into, offset: number): void {
  for (let component = 0; component < count; component++)
    into[offset + component] = components[component] ?? 0
}

function cueComponents(
  show: CheckedShow,
  output: Output,
  segments: readonly Segment[],
  tMs: number,
): number[] {
  const found = new Float64Array(output.componentCount)
  writeCueLevels(show, output, segments, tMs, found, 0)
  const components: number[] = []
  for (const level of found) components.push(level)
  return components
}

/** A segment before it is known what it starts from. */
export type NewSegment = Omit<Segment, 'from' | 'durationMs'>

/**
 * Puts a fade where it belongs by the moment it was fired: one that arrives late slides in under what was fired after it,
 * so that boxes that heard of it in time and boxes that did not show the same.
 * @param nowMs levels before this moment will not be asked for again
 */
export function insertSegment(
  show: CheckedShow,
  output: Output,
  segments: readonly Segment[],
  added: NewSegment,
  nowMs: number,
): Segment[] {
  const newer = segments.filter(({ t0Ms }) => t0Ms > added.t0Ms)
  if (newer.some(({ startMs }) => startMs <= added.startMs)) return [...segments]
  const chain = segments.filter(
    ({ t0Ms, startMs }) => t0Ms <= added.t0Ms && startMs < added.startMs,
  )
  for (const segment of [added, ...newer])
    chain.push(joined(show, output, chain, segments, segment))
  return trimmed(show, output, chain, nowMs)
}

/** The segment as the next one of the chain: starting from what the chain shows then. */
function joined(
  show: CheckedShow,
  output: Output,
  chain: readonly Segment[],
  before: readonly Segment[],
  added: NewSegment,
): Segment {
  const from = cueComponents(
    show,
    output,
    chain.length > 0 ? chain : before.slice(0, 1),
    added.startMs,
  )
  const { cue, t0Ms, startMs, upMs, downMs, to } = added
  const isUp = to === null || brightness(to) >= brightness(from)
  return { cue, t0Ms, startMs, upMs, downMs, durationMs: isUp ? upMs : downMs, from, to }
}

function brightness(components: Components): number {
  let brightest = 0
  for (const level of components) if (level > brightest) brightest = level
  return brightest
}

/** Forgets what is over, and the oldest of what still waits where there is too much of it. */
function trimmed(
  show: CheckedShow,
  output: Output,
  chain: readonly Segment[],
  nowMs: number,
): Segment[] {
  const first = Math.max(
    0,
    chain.findLastIndex(({ startMs }) => startMs <= nowMs),
  )
  const kept = chain.slice(first)
  if (kept.length <= SEGMENTS_MAX) return kept
  const short = kept.slice(0, 1)
  for (const segment of kept.slice(kept.length - SEGMENTS_MAX + 1))
    short.push(joined(show, output, short, short, segment))
  return short
}
