/** The layers between the cues and what the lamps get. Each mixes itself over the one below by its strength. */
import type { CheckedShow, Output } from './checked-show.js'
import { endOf, type Into, writeCueLevels } from './segments.js'
import type { Manual, Ramp, ShowState } from './state.js'

/** How strong a layer is, 0..1. */
export function rampLevel(ramp: Ramp, tMs: number): number {
  const goal = ramp.isOn ? 1 : 0
  if (tMs >= endOf(ramp)) return goal
  if (tMs <= ramp.startMs) return ramp.from
  return ramp.from + ((goal - ramp.from) * (tMs - ramp.startMs)) / ramp.durationMs
}

/** Turns a layer on or off from the strength that it has at `t0Ms`. */
export const ramped = (ramp: Ramp, isOn: boolean, t0Ms: number, durationMs: number): Ramp => ({
  isOn,
  from: rampLevel(ramp, t0Ms),
  startMs: t0Ms,
  durationMs,
})

/** How far an output has gone towards its place without a leader, 0..1. */
export function lostLevel(state: ShowState, output: Output, tMs: number): number {
  const { isLost, startMs, from } = state.lost
  if (!output.lost || from.length === 0) return 0
  const began = from[output.index] ?? 0
  const { fadeMs } = output.lost
  const passedMs = tMs - startMs - (isLost ? output.lost.holdMs : 0)
  const goal = isLost ? 1 : 0
  if (passedMs >= fadeMs) return goal
  if (passedMs <= 0) return began
  return began + ((goal - began) * passedMs) / fadeMs
}

/** The moments at which that begins and ends to move. */
export function lostEnds(
  state: ShowState,
  output: Output,
): { startMs: number; durationMs: number; isMoving: boolean }[] {
  if (!output.lost) return []
  const holdMs = state.lost.isLost ? output.lost.holdMs : 0
  return [{ startMs: state.lost.startMs + holdMs, durationMs: output.lost.fadeMs, isMoving: true }]
}

/** Cues, over them where the output goes without a leader, and over that what was set by hand. */
export function writeHandLevels(
  show: CheckedShow,
  state: ShowState,
  output: Output,
  tMs: number,
  into: Into,
  offset: number,
): void {
  const hand = state.manual[output.index]
  const share = hand ? shareOf(hand, tMs) : 1
  if (!hand?.to || share < 1) writeBeneath(show, state, output, tMs, into, offset)
  if (hand) writeHand(hand, share, into, offset)
}

/** From where the hand found the output to what it set, or back to what is beneath, which is there already. */
function writeHand({ from, to }: Manual, share: number, into: Into, offset: number): void {
  for (const [component, begun] of from.entries()) {
    const goal = to ? (to[component] ?? 0) : (into[offset + component] ?? 0)
    into[offset + component] = share === 1 ? goal : begun + (goal - begun) * share
  }
}

/** How much of the time of a fade is over, 0..1. */
const shareOf = (fade: Manual, tMs: number): number =>
  tMs >= endOf(fade) ? 1 : (tMs - fade.startMs) / fade.durationMs

function writeBeneath(
  show: CheckedShow,
  state: ShowState,
  output: Output,
  tMs: number,
  into: Into,
  offset: number,
): void {
  writeCueLevels(show, output, state.segments[output.index] ?? [], tMs, into, offset)
  const lost = lostLevel(state, output, tMs)
  if (lost === 0) return
  for (let component = 0; component < output.componentCount; component++) {
    const level = into[offset + component] ?? 0
    into[offset + component] = level + ((output.lost?.to[component] ?? 0) - level) * lost
  }
}

export function handComponents(
  show: CheckedShow,
  state: ShowState,
  output: Output,
  tMs: number,
): number[] {
  const found = new Float64Array(output.componentCount)
  writeHandLevels(show, state, output, tMs, found, 0)
  return [...found]
}

/** The brightness that was set by hand; null when the cues have the output. */
export const handBrightness = (hand: Manual | null | undefined): number | null =>
  hand?.to ? Math.max(0, ...hand.to) : null
