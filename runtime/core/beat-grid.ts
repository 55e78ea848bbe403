/**
 * A grid of beats on show time: a pure function of where it was laid and how fast it goes, so every box that knows it
 * counts the same bars and beats, for as long as it likes and with nobody to tell it. Beats count from 0, the first beat
 * of the first bar; between two beats is a fraction. Times are show time in milliseconds.
 */

export const BPM_MIN = 20
export const BPM_MAX = 400
export const BEATS_PER_BAR_MAX = 16
const MS_PER_MINUTE = 60_000
/** Of a beat: what a moment loses on its way to a beat and back is no reason to leave that beat out. */
const ROUNDING = 1e-6

export interface BeatGrid {
  /** Where the piece begins; before that another one held. */
  readonly fromMs: number
  /** Beats that had passed then. */
  readonly beats: number
  /** Bars that had passed when beat 0 began. */
  readonly bars: number
  /** 20 to 400. */
  readonly bpm: number
  /** 1 to 16. */
  readonly beatsPerBar: number
}

/** What is asked of a grid. */
export interface TempoChange {
  readonly bpm: number
  /** As it was when null; 4 where nothing ran. */
  readonly beatsPerBar: number | null
  /** Counts from the first beat of the first bar; otherwise on from where it stands. */
  readonly isRestart: boolean
}

const BEATS_PER_BAR = 4

export const beatsAt = ({ fromMs, beats, bpm }: BeatGrid, showMs: number): number =>
  beats + ((showMs - fromMs) * bpm) / MS_PER_MINUTE

/** When the grid comes to a beat. */
export const beatMs = ({ fromMs, beats, bpm }: BeatGrid, beat: number): number =>
  fromMs + ((beat - beats) * MS_PER_MINUTE) / bpm

/** The first beat that is not before `showMs`, nor before the piece. */
export const firstBeatFrom = (grid: BeatGrid, showMs: number): number =>
  Math.ceil(beatsAt(grid, Math.max(showMs, grid.fromMs)) - ROUNDING)

/** As musicians count, from 1. */
export function placeOf(
  grid: BeatGrid,
  beat: number,
): { readonly bar: number; readonly beat: number } {
  const bar = Math.floor(beat / grid.beatsPerBar)
  return { bar: grid.bars + bar + 1, beat: beat - bar * grid.beatsPerBar + 1 }
}

/** The grid from `fromMs` on. With another metre the beat that is under way becomes the first of a bar. */
export function changed(before: BeatGrid | null, change: TempoChange, fromMs: number): BeatGrid {
  const { bpm } = change
  const beatsPerBar = change.beatsPerBar ?? before?.beatsPerBar ?? BEATS_PER_BAR
  if (before === null || change.isRestart) return { fromMs, beats: 0, bars: 0, bpm, beatsPerBar }
  const beats = beatsAt(before, fromMs)
  if (beatsPerBar === before.beatsPerBar)
    return { fromMs, beats, bars: before.bars, bpm, beatsPerBar }
  const whole = Math.floor(beats + ROUNDING)
  const bars = before.bars + Math.ceil(whole / before.beatsPerBar)
  return { fromMs, beats: beats - whole, bars, bpm, beatsPerBar }
}
