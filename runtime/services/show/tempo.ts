/** The tempo of the show: what cues and commands make of the grid of beats, now and in what waits. */
import { type BeatGrid, changed, type TempoChange } from '../../core/beat-grid.js'
import type { CheckedShow } from './checked-show.js'
import type { Deed, ShowState } from './state.js'

/** From a moment on, this grid holds, or none. */
export interface TempoPiece {
  readonly fromMs: number
  readonly grid: BeatGrid | null
}

/** Undefined where a deed says nothing of the tempo; null ends it. */
export function tempoChangeOf(show: CheckedShow, deed: Deed): TempoChange | null | undefined {
  if (deed.kind === 'tempo') return deed.change
  if (deed.kind !== 'fire' || deed.way === 'back') return undefined
  return show.cuesById.get(deed.cue)?.tempo
}

export const withTempo = (
  state: ShowState,
  change: TempoChange | null | undefined,
  t0Ms: number,
): ShowState =>
  change === undefined ? state : { ...state, tempo: change && changed(state.tempo, change, t0Ms) }

/** What holds now, and what everything that waits will make of it. */
export function tempoPieces(show: CheckedShow, state: ShowState): readonly TempoPiece[] {
  const pieces: TempoPiece[] = [{ fromMs: state.tempo?.fromMs ?? state.atMs, grid: state.tempo }]
  let grid = state.tempo
  for (const { deed, t0Ms } of state.waiting) {
    const change = tempoChangeOf(show, deed)
    if (change === undefined) continue
    grid = change && changed(grid, change, t0Ms)
    pieces.push({ fromMs: t0Ms, grid })
  }
  return pieces
}
