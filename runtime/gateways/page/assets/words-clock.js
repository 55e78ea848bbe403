/** How the venue's clock is told to people. */

const UNKNOWN_ERROR_MS = 1e6

const stateWords = {
  alone: 'alone: shared with nobody',
  listening: 'listening whether somebody leads',
  leading: 'this box leads',
  acquiring: 'found a leader, measuring the way to it',
  following: 'follows',
  holdover: 'the leader is gone; goes on by what it has learned',
}

/** @returns in the unit that a person reads easily */
export function durationText(ms) {
  const size = Math.abs(ms)
  if (size < 1) return `${(ms * 1e3).toFixed(1)} µs`
  return size < 1_000 ? `${ms.toFixed(2)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** @returns how far off the time may be */
export const boundText = ({ errorMs }) =>
  errorMs >= UNKNOWN_ERROR_MS ? '?' : `±${durationText(errorMs)}`

/** @returns who leads, and what keeps it from being so */
export function clockText({ state, leader, isFrozen, trouble }) {
  const words = stateWords[state] ?? state
  return [
    state === 'following' ? `${words} ${leader}` : words,
    isFrozen ? 'frozen for the show' : null,
    trouble,
  ]
    .filter(text => text !== null)
    .join('; ')
}

/** @returns what was measured */
export function measuredText({ offsetMicroseconds, pathDelayMicroseconds, ratePpm, stamps }) {
  return [
    offsetMicroseconds === null ? null : `offset ${durationText(offsetMicroseconds / 1e3)}`,
    pathDelayMicroseconds === null ? null : `way ${durationText(pathDelayMicroseconds / 1e3)}`,
    `rate ${ratePpm.toFixed(2)} ppm`,
    stamps === null ? null : `stamps of the ${stamps}`,
  ]
    .filter(text => text !== null)
    .join(', ')
}

const day = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
})

/** @returns in the time zone of whoever reads it */
export const dateText = wallMs => day.format(wallMs)

/** @returns how far off the date may be; ? while nobody knows */
export const wallBoundText = ({ isUtcKnown, errorMs }) =>
  isUtcKnown && errorMs !== null ? `±${durationText(errorMs)}` : '?'

const sourceWords = {
  ntp: 'from time servers',
  leader: 'from the box that this one follows',
  system: 'from the operating system',
  technician: 'set by a person',
  rtc: 'from a clock with a battery',
  floor: 'from nobody',
}

/** @returns where the date comes from, and whether it is right */
export function sourceText({ source, isUtcKnown, isFrozen, trouble }) {
  return [
    `${sourceWords[source] ?? source}${isUtcKnown ? '' : ': it may be wrong'}`,
    isFrozen ? 'frozen for the show' : null,
    trouble,
  ]
    .filter(text => text !== null)
    .join('; ')
}

const settableSources = ['floor', 'technician', 'rtc']

/** @returns whether a person may know better */
export const isSettable = ({ source, isUtcKnown }) =>
  !isUtcKnown || settableSources.includes(source)
