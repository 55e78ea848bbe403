/** The small words of a show document: durations, levels, colors, moments, outputs. Null when a text is not of the form. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `1.5s`, `200ms`, `2m`, `1h`, in milliseconds, rounded to whole ones. */
export function readDurationMs(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text)
  const unitMs = UNIT_MS[match?.[2] ?? '']
  return unitMs === undefined ? null : Math.round(Number(match?.[1]) * unitMs)
}

/** `40%` as 0.4; `on` and `off` as 1 and 0. */
export function readLevel(text: string): number | null {
  if (text === 'on') return 1
  if (text === 'off') return 0
  const match = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text)
  if (!match) return null
  const level = Number(match[1]) / 100
  return level <= 1 ? level : null
}

/** Red, green and blue, each 0..1. */
export type Color = readonly [number, number, number]

export const white: Color = [1, 1, 1]

/** `#ff7a00`. */
export function readColor(text: string): Color | null {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text)
  if (!match) return null
  const part = (index: number): number => Number.parseInt(match[index] ?? '0', 16) / 255
  return [part(1), part(2), part(3)]
}

/** The full color at so many degrees around the wheel: 0 red, 120 green, 240 blue. */
export function colorOfHue(degrees: number): Color {
  const part = (shift: number): number => {
    const turn = (degrees + shift) % 360
    return Math.min(1, Math.max(0, Math.abs(turn - 180) / 60 - 1))
  }
  return [part(0), part(240), part(120)]
}

/** Where an output ends: a device, on this or another box, and the channels that it uses. */
export interface Out {
  readonly box: string | null
  readonly device: string
  /** First and last channel, counted from 0; null for all that the device has. */
  readonly channels: { readonly first: number; readonly last: number } | null
}

/** `device`, `device#3`, `device#0..3`, each with `box/` before it or not. */
export function readOut(text: string): Out | null {
  const word = '[a-z0-9][a-z0-9-]{0,62}'
  const match = new RegExp(`^(?:(${word})/)?(${word})(?:#(\\d{1,3})(?:\\.\\.(\\d{1,3}))?)?$`).exec(
    text,
  )
  const device = match?.[2]
  if (!match || device === undefined) return null
  const first = match[3] === undefined ? null : Number(match[3])
  const last = match[4] === undefined ? first : Number(match[4])
  if (first !== null && last !== null && last < first) return null
  return {
    box: match[1] ?? null,
    device,
    channels: first === null || last === null ? null : { first, last },
  }
}

/** What a trigger waits for. */
export interface InputWord {
  readonly box: string | null
  readonly input: string
  readonly event: 'press' | 'release' | 'long-press'
}

/** `go:press`, `panic:long-press`, `box-2/go:release`. */
export function readInput(text: string): InputWord | null {
  const word = '[a-z0-9][a-z0-9-]{0,62}'
  const match = new RegExp(`^(?:(${word})/)?(${word}):(press|release|long-press)$`).exec(text)
  const [, box, input, event] = match ?? []
  if (input === undefined) return null
  if (event !== 'press' && event !== 'release' && event !== 'long-press') return null
  return { box: box ?? null, input, event }
}

/**
 * `2027-03-01T20:00:00+01:00` or `…Z`, in milliseconds since 1970 UTC. The offset must be written: a tour crosses time
 * zones, and a box does not know which one was meant.
 */
export function readMomentMs(text: string): number | null {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/.exec(text)
  if (!match) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number)
  const offsetMinutes = readOffsetMinutes(match[8] ?? 'Z')
  const isClockTime = hour <= 23 && minute <= 59 && second <= 59
  if (!isDay(year, month, day) || !isClockTime || offsetMinutes === null) return null
  const minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes
  return minutes * 60_000 + second * 1000 + Math.round(Number(match[7] ?? 0) * 1000)
}

function readOffsetMinutes(text: string): number | null {
  if (text === 'Z') return 0
  const [hours = 0, minutes = 0] = text.slice(1).split(':').map(Number)
  if (hours > 14 || minutes > 59) return null
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function isDay(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return year >= 1970 && day >= 1 && day <= (lengths[month - 1] ?? 0)
}

/** Days of the Gregorian calendar since 1970-01-01; the year is counted from March, so that a leap day comes last. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
