/**
 * Moments as RFC 3339 writes them, and TUF (specification, 4.2.1): UTC, to the second. Pure arithmetic on the Gregorian
 * calendar. Git's own spelling of UTC depends on its version.
 */
const DAY_SECONDS = 86_400
/** Days of 400 years, and from 0000-03-01 to 1970-01-01: years that begin in March have their leap day last. */
const ERA_DAYS = 146_097
const EPOCH_DAY = 719_468

const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/

/** @param wallMs since the Unix epoch, from the year 1970 to 9999; the second that it is in */
export function momentText(wallMs: number): string {
  const seconds = Math.floor(wallMs / 1000)
  const days = Math.floor(seconds / DAY_SECONDS) + EPOCH_DAY
  const era = Math.floor(days / ERA_DAYS)
  const dayOfEra = days - era * ERA_DAYS
  const yearOfEra = Math.floor(
    (dayOfEra - leaps(dayOfEra, 1460) + leaps(dayOfEra, 36_524) - leaps(dayOfEra, 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + leaps(yearOfEra, 4) - leaps(yearOfEra, 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const rest = seconds % DAY_SECONDS
  const time = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map(two).join(':')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time}Z`
}

/** Milliseconds since the Unix epoch; NaN for what is of another form. */
export function momentMs(text: string): number {
  const numbers = FORM.exec(text)?.slice(1).map(Number) ?? []
  const [y = Number.NaN, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = numbers
  const year = month <= 2 ? y - 1 : y
  const era = Math.floor(year / 400)
  const yearOfEra = year - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + leaps(yearOfEra, 4) - leaps(yearOfEra, 100) + dayOfYear
  const days = era * ERA_DAYS + dayOfEra - EPOCH_DAY
  return (days * DAY_SECONDS + hours * 3600 + minutes * 60 + seconds) * 1000
}

const leaps = (count: number, every: number): number => Math.floor(count / every)
const two = (value: number): string => String(value).padStart(2, '0')
