/**
 * Timecode: hours, minutes, seconds and frames as SMPTE ST 12-1 counts them. A frame here is a whole number, counted from
 * 00:00:00:00; its label is what people read. Pure, and exact: nothing is added up.
 */
import { NS_PER_MS } from './time.js'

export const timecodeRates = ['24', '25', '29.97df', '30'] as const
export type TimecodeRate = (typeof timecodeRates)[number]

export interface TimecodeLabel {
  readonly hours: number
  readonly minutes: number
  readonly seconds: number
  readonly frames: number
}

interface Counting {
  /** Frame numbers in a second of the label. */
  readonly labelsPerSecond: number
  /** A frame lasts `nsOver / nsUnder` nanoseconds; a day of frames times `nsOver` is still a whole number for a double. */
  readonly nsOver: number
  readonly nsUnder: number
  readonly isDropFrame: boolean
}

const countings: Readonly<Record<TimecodeRate, Counting>> = {
  '24': { labelsPerSecond: 24, nsOver: 125_000_000, nsUnder: 3, isDropFrame: false },
  '25': { labelsPerSecond: 25, nsOver: 40_000_000, nsUnder: 1, isDropFrame: false },
  // 30000/1001 frames a second.
  '29.97df': { labelsPerSecond: 30, nsOver: 100_100_000, nsUnder: 3, isDropFrame: true },
  '30': { labelsPerSecond: 30, nsOver: 100_000_000, nsUnder: 3, isDropFrame: false },
}

const DAY_SECONDS = 86_400
/** Labels 00 and 01 are left out of each minute but every tenth (ST 12-1, drop-frame compensation). */
const DROPPED = 2
const DROP_FRAMES_PER_MINUTE = 60 * 30 - DROPPED
const DROP_FRAMES_PER_TEN_MINUTES = 10 * 60 * 30 - 9 * DROPPED

export const labelsPerSecond = (rate: TimecodeRate): number => countings[rate].labelsPerSecond
export const isDropFrame = (rate: TimecodeRate): boolean => countings[rate].isDropFrame

export const framesPerDay = (rate: TimecodeRate): number =>
  isDropFrame(rate) ? 144 * DROP_FRAMES_PER_TEN_MINUTES : DAY_SECONDS * labelsPerSecond(rate)

/** How long one frame lasts. */
export const frameMs = (rate: TimecodeRate): number =>
  countings[rate].nsOver / countings[rate].nsUnder / NS_PER_MS

/** How long after 00:00:00:00 the frame begins, rounded to a nanosecond. @param frame may be of another day */
export function nsOfFrame(frame: number, rate: TimecodeRate): number {
  const { nsOver, nsUnder } = countings[rate]
  return Math.round((frame * nsOver) / nsUnder)
}

/** The frame that is on at so many nanoseconds after 00:00:00:00. `nsOfFrame` and back is the same frame. */
export function frameOfNs(ns: number, rate: TimecodeRate): number {
  const { nsOver, nsUnder } = countings[rate]
  const frame = Math.floor((ns * nsUnder) / nsOver)
  return nsOfFrame(frame + 1, rate) <= ns ? frame + 1 : frame
}

/** The same frame of the day: 0 to `framesPerDay` - 1. */
export function frameOfDay(frame: number, rate: TimecodeRate): number {
  const day = framesPerDay(rate)
  return ((frame % day) + day) % day
}

/** The shorter way round the clock from one frame to another, in frames. */
export function framesBetween(from: number, to: number, rate: TimecodeRate): number {
  const day = framesPerDay(rate)
  const ahead = frameOfDay(to - from, rate)
  return ahead > day / 2 ? ahead - day : ahead
}

export function labelOf(frame: number, rate: TimecodeRate): TimecodeLabel {
  const perSecond = labelsPerSecond(rate)
  const count = withDropped(frameOfDay(frame, rate), rate)
  const seconds = Math.floor(count / perSecond)
  return {
    hours: Math.floor(seconds / 3600),
    minutes: Math.floor(seconds / 60) % 60,
    seconds: seconds % 60,
    frames: count % perSecond,
  }
}

/** Frames counted as if no label were left out. */
function withDropped(frame: number, rate: TimecodeRate): number {
  if (!isDropFrame(rate)) return frame
  const tens = Math.floor(frame / DROP_FRAMES_PER_TEN_MINUTES)
  const rest = frame % DROP_FRAMES_PER_TEN_MINUTES
  // The first minute of ten has all its labels.
  const minutes = rest < 1800 ? 0 : 1 + Math.floor((rest - 1800) / DROP_FRAMES_PER_MINUTE)
  return frame + DROPPED * (9 * tens + minutes)
}

/** Null for a label that there is not at this rate: 26 frames at 25, or one that drop-frame counting leaves out. */
export function frameOfLabel(label: TimecodeLabel, rate: TimecodeRate): number | null {
  const { hours, minutes, seconds, frames } = label
  const perSecond = labelsPerSecond(rate)
  if (hours > 23 || minutes > 59 || seconds > 59 || frames >= perSecond) return null
  const count = ((hours * 60 + minutes) * 60 + seconds) * perSecond + frames
  if (!isDropFrame(rate)) return count
  if (minutes % 10 !== 0 && seconds === 0 && frames < DROPPED) return null
  const allMinutes = 60 * hours + minutes
  return count - DROPPED * (allMinutes - Math.floor(allMinutes / 10))
}

/** `10:00:30:12`; with drop-frame counting `10:00:30;12`. */
export function timecodeText(frame: number, rate: TimecodeRate): string {
  const { hours, minutes, seconds, frames } = labelOf(frame, rate)
  const [hh, mm, ss, ff] = [hours, minutes, seconds, frames].map(part =>
    String(part).padStart(2, '0'),
  )
  return `${hh}:${mm}:${ss}${isDropFrame(rate) ? ';' : ':'}${ff}`
}

/** As people write it, with `:`, `;` or `.` before the frames. Null for a text that is no timecode at any rate. */
export function readLabel(text: string): TimecodeLabel | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)[:;.]([0-2]\d)$/.exec(text)
  if (!match) return null
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = match.slice(1).map(Number)
  return { hours, minutes, seconds, frames }
}
