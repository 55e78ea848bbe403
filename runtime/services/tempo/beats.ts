/** Which beats fall between two moments, by the pieces that the show has told of. Pure. */
import { type BeatGrid, beatMs, firstBeatFrom, placeOf } from '../../core/beat-grid.js'
import type { Payload } from '../../topics.js'

export type Pieces = Payload<'tempo/state'>['pieces']

/** One beat that is to come. */
export interface Beat extends Payload<'tempo/beat'> {
  readonly grid: BeatGrid
}

/** From `fromMs` until before `untilMs`, in order. */
export function beatsBetween(pieces: Pieces, fromMs: number, untilMs: number): Beat[] {
  const found: Beat[] = []
  for (const [index, { fromMs: begins, grid }] of pieces.entries()) {
    if (grid === null) continue
    const ends = Math.min(untilMs, pieces[index + 1]?.fromMs ?? untilMs)
    let count = firstBeatFrom(grid, Math.max(fromMs, begins))
    for (let at = beatMs(grid, count); at < ends; at = beatMs(grid, ++count))
      found.push(beatOf(grid, count))
  }
  return found
}

/** The first from `fromMs` on; null when none is known. */
export function nextBeat(pieces: Pieces, fromMs: number): Beat | null {
  for (const [index, { fromMs: begins, grid }] of pieces.entries()) {
    if (grid === null) continue
    const count = firstBeatFrom(grid, Math.max(fromMs, begins))
    const ends = pieces[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY
    if (beatMs(grid, count) < ends) return beatOf(grid, count)
  }
  return null
}

const beatOf = (grid: BeatGrid, count: number): Beat => ({
  ...placeOf(grid, count),
  bpm: grid.bpm,
  beatsPerBar: grid.beatsPerBar,
  atShowMs: beatMs(grid, count),
  grid,
})
