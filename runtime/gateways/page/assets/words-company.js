/** How timecode and the other boxes of the venue are told to people. */

/** A box speaks ten times a second: who is silent for longer is gone. */
const GONE_MS = 2_000

const stateWords = {
  none: 'nothing was heard yet',
  locking: 'is heard, and does not run evenly yet',
  locked: 'is followed',
  flywheel: 'is silent; the box goes on by itself',
  lost: 'was lost',
}

const joined = (parts, by) => parts.filter(part => part !== null).join(by)

/** @returns what comes in, and what keeps it from being followed */
export const timecodeText = ({ source, state, rate, trouble }) =>
  source === null
    ? 'none is followed'
    : joined(
        [
          `${rate === null ? source : `${source} at ${rate}`} ${stateWords[state] ?? state}`,
          trouble,
        ],
        '; ',
      )

/** @returns what was measured of it; empty while nothing was */
export const timecodeFigures = ({ speed, jitterMs, lostCount, jumpCount }) =>
  joined(
    [
      speed === null ? null : `speed ${(speed * 100).toFixed(2)} %`,
      jitterMs === null ? null : `jitter ${jitterMs.toFixed(2)} ms`,
      lostCount === 0 ? null : `lost ${lostCount} times`,
      jumpCount === 0 ? null : `${jumpCount} jumps`,
    ],
    ', ',
  )

/** @returns how one that is sent fares */
export const outputText = ({ position, trouble }) =>
  trouble ?? (position === null ? 'not running' : `sent: ${position}`)

export const isThere = ({ lastHeardMs }) => lastHeardMs < GONE_MS

/** @returns who leads, and what a person should look after */
export function venueText({ role, leader, trouble }) {
  const words = {
    alone: 'this box is alone',
    listening: 'nobody leads yet',
    following: `follows ${leader}`,
    leading: 'this box leads',
  }
  return joined([words[role] ?? role, trouble], '; ')
}

/** @returns how another box fares, as this one hears it */
export const memberText = member =>
  joined(
    [
      isThere(member) ? member.role : 'gone',
      member.isSameShow ? null : 'has another show',
      member.isProven ? null : 'does not hear this box',
      member.positionsBehind === 0 ? null : `${member.positionsBehind} behind`,
      member.clockApartMs === 0 ? null : `its clock is ${member.clockApartMs} ms apart`,
    ],
    ', ',
  )
