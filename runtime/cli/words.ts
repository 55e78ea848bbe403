/** Arguments as a person types them. */
import { InvalidArgumentError } from 'commander'
import { BEATS_PER_BAR_MAX, BPM_MAX, BPM_MIN } from '../core/beat-grid.js'
import { readDurationMs, readLevel } from '../services/show/words.js'

const DURATIONS_MAX = 1000

/** `1.5s`, `200ms`, `2m`, `1h` or plain milliseconds. */
export function durationMs(text: string): number {
  const value = /^\d{1,8}$/.test(text) ? Number(text) : readDurationMs(text)
  if (value === null) throw new InvalidArgumentError('Write a duration like 1.5s, 200ms or 2m.')
  return value
}

/** `0s,5s,1m` */
export function durationsMs(text: string): readonly number[] {
  const parts = text.split(',')
  if (parts.length > DURATIONS_MAX)
    throw new InvalidArgumentError(`Give at most ${DURATIONS_MAX} moments.`)
  return parts.map(part => durationMs(part.trim()))
}

/** `40%`, `0.4`, `on`, `off`, as 0..1. */
export function level(text: string): number {
  const value = /^(0(\.\d{1,6})?|1(\.0{1,6})?)$/.test(text) ? Number(text) : readLevel(text)
  if (value === null) throw new InvalidArgumentError('Write a level like 40%, 0.4, on or off.')
  return value
}

export function onOrOff(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('Write on or off.')
  return text === 'on'
}

export function lineCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new InvalidArgumentError('Write a number from 1 to 1000.')
  return count
}

/** Null for `off`. */
export function bpmOrOff(text: string): number | null {
  if (text === 'off') return null
  const bpm = Number(text)
  if (!(bpm >= BPM_MIN && bpm <= BPM_MAX))
    throw new InvalidArgumentError(`Write beats per minute from ${BPM_MIN} to ${BPM_MAX}, or off.`)
  return bpm
}

export function beatCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > BEATS_PER_BAR_MAX)
    throw new InvalidArgumentError(`Write a number from 1 to ${BEATS_PER_BAR_MAX}.`)
  return count
}
