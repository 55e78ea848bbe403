/** Dates of signed metadata (TUF 1.0, section 4.2.1), and what a box without a clock can say about them. */

const DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const MS_PER_DAY = 86_400_000

/** Milliseconds since 1970 of `2026-01-31T23:59:59Z`; null for what is no such date. A 60th second is the next minute. */
export function dateMs(text: string): number | null {
  const numbers = DATE.exec(text)?.slice(1).map(Number)
  if (numbers === undefined) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null
  if (hour > 23 || minute > 59 || second > 60) return null
  return daysSince1970(year, month, day) * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

const daysOf = (year: number, month: number): number =>
  (DAYS[month - 1] ?? 0) + (month === 2 && isLeap(year) ? 1 : 0)

function daysSince1970(year: number, month: number, day: number): number {
  const before = year - 1
  const leapDays =
    Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - (492 - 19 + 4)
  let days = (year - 1970) * 365 + leapDays + day - 1
  for (let past = 1; past < month; past++) days += daysOf(year, past)
  return days
}

/** The moment of one update, fixed when it begins (section 5.1). */
export interface Moment {
  /** Null while the box does not know the time. */
  readonly nowMs: number | null
  /** It is this late at least. */
  readonly floorMs: number
}

export type Timeliness = 'timely' | 'expired' | 'unknown'

export function timeliness(expiresMs: number, moment: Moment): Timeliness {
  if (expiresMs <= (moment.nowMs ?? moment.floorMs)) return 'expired'
  return moment.nowMs === null ? 'unknown' : 'timely'
}
