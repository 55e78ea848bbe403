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
