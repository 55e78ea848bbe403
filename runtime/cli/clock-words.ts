/** How the venue's clock is told to people. */
import { UNKNOWN_ERROR_MS } from '../core/clock-topics.js'
import type { ClockAnswer } from '../gateways/page/api.js'
import type { Row } from './table.js'
import { type Paint, printable } from './terminal.js'

type ClockState = NonNullable<ClockAnswer['state']>

const BARS = '▁▂▃▄▅▆▇█'
const COLUMNS = 60

/** One row of the status table; none before the clock has said anything. */
export function clockRow(clock: ClockState | null, paint: Paint): Row[] {
  if (clock === null) return []
  const text = [
    stateText(clock, paint),
    clock.offsetMicroseconds === null ? null : `offset ${duration(clock.offsetMicroseconds / 1e3)}`,
    boundText(clock.errorMs),
    clock.isFrozen ? 'frozen' : null,
  ]
  return [['Clock', text.filter(part => part !== null).join(', ')]]
}

/** All that is known of it. */
export function clockRows({ state: clock, house, points }: ClockAnswer, paint: Paint): Row[] {
  if (clock === null) return [['Clock', 'has said nothing yet']]
  return [
    ['Clock', stateText(clock, paint)],
    ...leaderRows(clock),
    ...networkRows(clock),
    ...measuredRows(clock),
    ['Bound', boundOf(clock)],
    ['Show mode', clock.isFrozen ? 'frozen: nothing jumps' : 'not armed: it may step once'],
    ['So far', countsText(clock)],
    ...badRows(clock, paint),
    ...(clock.trouble === null ? [] : [['Trouble', paint.red(printable(clock.trouble))] as const]),
    ...houseRows(house),
    ...sparkRows(points),
  ]
}

const stateWords: Readonly<Record<ClockState['state'], string>> = {
  alone: 'alone: its own time, shared with nobody',
  listening: 'listening whether somebody leads',
  leading: 'leading',
  acquiring: 'found a leader, measuring the way to it',
  following: 'following',
  holdover: 'holdover: the leader is gone, it goes on by what it has learned',
}

function stateText({ state, leader, identity }: ClockState, paint: Paint): string {
  const words = stateWords[state]
  if (state === 'following' && leader !== identity) return paint.green(`${words} ${leader ?? ''}`)
  return state === 'leading' ? paint.green(words) : paint.yellow(words)
}

function leaderRows({ leader, lastLeader, identity, timeline }: ClockState): Row[] {
  const own = (clock: string | null): string =>
    clock === null ? 'nobody' : clock === identity ? `${clock} (this box)` : clock
  return [
    ['Leader', own(leader)],
    ...(lastLeader === null ? [] : [['Before', own(lastLeader)] as const]),
    ...(timeline === null ? [] : [['Timeline', timeline] as const]),
  ]
}

function networkRows({ interface: name, domain, stamps, clocksHeard }: ClockState): Row[] {
  if (name === null) return [['Network', 'none is named in box.json (clock.ptp.interface)']]
  const text = [
    `${name}, domain ${domain}`,
    stamps === null ? 'not open' : `stamps of the ${stamps}`,
    `${clocksHeard} other clock${clocksHeard === 1 ? '' : 's'} heard`,
  ]
  return [['Network', text.join(', ')]]
}

function measuredRows(clock: ClockState): Row[] {
  const { offsetMicroseconds, pathDelayMicroseconds, ratePpm } = clock
  const known = (microseconds: number | null): string =>
    microseconds === null ? '–' : duration(microseconds / 1e3)
  return [
    ['Offset', known(offsetMicroseconds)],
    ['Path delay', known(pathDelayMicroseconds)],
    ['Rate', `${ratePpm.toFixed(3)} ppm`],
  ]
}

const boundText = (errorMs: number): string =>
  errorMs >= UNKNOWN_ERROR_MS ? 'bound unknown' : `±${duration(errorMs)}`

function boundOf({ errorMs, inheritedErrorMs }: ClockState): string {
  if (errorMs >= UNKNOWN_ERROR_MS) return 'unknown'
  const inherited =
    inheritedErrorMs === 0 ? '' : `, of which ${duration(inheritedErrorMs)} all boxes share`
  return `±${duration(errorMs)}${inherited}`
}

function countsText({ counts: { leaderChanges, steps, distrusted } }: ClockState): string {
  return [
    `${leaderChanges} change${leaderChanges === 1 ? '' : 's'} of leader`,
    `${steps} step${steps === 1 ? '' : 's'}`,
    `${distrusted} not believed`,
  ].join(', ')
}

function badRows({ counts }: ClockState, paint: Paint): Row[] {
  const { malformed, otherVersion, otherDomain, negativeDelays, unanswered, notSent } = counts
  const text = [
    malformed === 0 ? null : `${malformed} malformed`,
    otherVersion === 0 ? null : `${otherVersion} of PTP version 1`,
    otherDomain === 0 ? null : `${otherDomain} of other domains`,
    negativeDelays === 0 ? null : paint.yellow(`${negativeDelays} faster than possible`),
    unanswered === 0 ? null : paint.yellow(`${unanswered} requests too often to be answered`),
    notSent === 0 ? null : paint.yellow(`${notSent} not sent`),
  ].filter(part => part !== null)
  return text.length === 0 ? [] : [['Packets', text.join(', ')]]
}

function houseRows(house: ClockAnswer['house']): Row[] {
  if (house === null) return []
  const { state, leader, aheadMs, ratePpm, errorMs, trouble } = house
  const text = [
    `${state}${leader === null ? '' : ` ${leader}`} on ${house.interface}, domain ${house.domain}`,
    aheadMs === null ? null : `${aheadMs.toFixed(3)} ms ahead of the show`,
    errorMs === null ? null : boundText(errorMs),
    ratePpm === null ? null : `${ratePpm.toFixed(3)} ppm faster`,
    trouble === null ? null : printable(trouble),
  ]
  return [['House', text.filter(part => part !== null).join(', ')]]
}

/** The largest offset of each stretch of time, newest to the right. */
function sparkRows(points: ClockAnswer['points']): Row[] {
  const offsets = points.map(({ offsetMicroseconds: offset }) => offset && Math.abs(offset))
  const perColumn = Math.max(1, Math.ceil(offsets.length / COLUMNS))
  const columns: (number | null)[] = []
  for (let from = 0; from < offsets.length; from += perColumn) {
    const known = offsets.slice(from, from + perColumn).filter(offset => offset !== null)
    columns.push(known.length === 0 ? null : Math.max(...known))
  }
  const known = columns.filter(offset => offset !== null)
  if (known.length === 0) return []
  const most = Math.max(...known)
  const seconds = points.length
  return [['History', `${spark(columns, most)}  ${seconds} s, at most ${duration(most / 1e3)}`]]
}

/** Where nothing is known there is a gap. */
const spark = (columns: readonly (number | null)[], most: number): string =>
  columns
    .map(offset => {
      if (offset === null) return ' '
      return BARS[most === 0 ? 0 : Math.min(7, Math.floor((offset / most) * 8))] ?? ' '
    })
    .join('')

/** In the unit that a person reads easily. */
export function duration(ms: number): string {
  const size = Math.abs(ms)
  if (size < 1) return `${(ms * 1e3).toFixed(1)} µs`
  return size < 1_000 ? `${ms.toFixed(2)} ms` : `${(ms / 1_000).toFixed(1)} s`
}
