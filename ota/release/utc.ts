/** A moment as RFC 3339 writes it. Git's own spelling of UTC depends on its version. */

const DAY_SECONDS = 86_400
/** Of the Gregorian calendar: 400 years, 100, 4 and 1. */
const [ERA_DAYS, CENTURY_DAYS, LEAP_DAYS, YEAR_DAYS] = [146_097, 36_524, 1460, 365]
/** From 0000-03-01 to 1970-01-01; years begin with March here, so that a leap day comes last. */
const MARCH_TO_EPOCH_DAYS = 719_468

/** @param epochSeconds whole seconds since 1970, from 0 to the year 9999 */
export function utcText(epochSeconds: number): string {
  const seconds = epochSeconds % DAY_SECONDS
  const [hour, minute, second] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor)
  return `${dayText(Math.floor(epochSeconds / DAY_SECONDS))}T${two(hour)}:${two(minute)}:${two(second)}Z`
}

function dayText(epochDays: number): string {
  const days = epochDays + MARCH_TO_EPOCH_DAYS
  const era = Math.floor(days / ERA_DAYS)
  const inEra = days % ERA_DAYS
  const leapsAside =
    inEra -
    Math.floor(inEra / LEAP_DAYS) +
    Math.floor(inEra / CENTURY_DAYS) -
    Math.floor(inEra / (ERA_DAYS - 1))
  const year = Math.floor(leapsAside / YEAR_DAYS)
  const inYear = inEra - (YEAR_DAYS * year + Math.floor(year / 4) - Math.floor(year / 100))
  // Five months from March on have 153 days, again and again.
  const month = Math.floor((5 * inYear + 2) / 153)
  const day = inYear - Math.floor((153 * month + 2) / 5) + 1
  const isNextYear = month >= 10
  const civilYear = year + era * 400 + (isNextYear ? 1 : 0)
  return `${String(civilYear).padStart(4, '0')}-${two(month + (isNextYear ? -9 : 3))}-${two(day)}`
}

const two = (value: number | undefined): string => String(value).padStart(2, '0')
