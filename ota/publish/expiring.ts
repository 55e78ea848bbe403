/** What of a repository stands for no more than a while: its boxes take nothing any more when it has ended. */
import { momentMs } from '../release/moments.js'
import { DAY_MS } from './commit.js'
import type { RepositoryState } from './state.js'

/** People have to meet for it, and the paper of a tour is sent around. */
const NOTICE_DAYS = 30

export interface Expiring {
  readonly role: string
  readonly expires: string
  /** Whole days; below zero when it has ended. */
  readonly daysLeft: number
}

/** Timestamp and snapshot are signed by a machine, so they are told only when they have ended. */
export function expiringIn(state: RepositoryState, wallMs: number): readonly Expiring[] {
  const { root, targets, snapshot, timestamp, delegated } = state
  const endsWithin = (days: number) => (one: Expiring) => one.daysLeft < days
  const of = (role: string, { signed }: { readonly signed: { readonly expires: string } }) => {
    const daysLeft = Math.floor((momentMs(signed.expires) - wallMs) / DAY_MS)
    return { role, expires: signed.expires, daysLeft }
  }
  const lasting = [of('root', root), of('targets', targets)]
  for (const [role, document] of delegated) lasting.push(of(role, document))
  const daily = [of('timestamp', timestamp), of('snapshot', snapshot)]
  return [...daily.filter(endsWithin(0)), ...lasting.filter(endsWithin(NOTICE_DAYS))]
}

/** A line for what the machine signs again, and one for what people do, each with how; none where there is time. */
export function expiringWords(expiring: readonly Expiring[]): readonly string[] {
  const isDaily = ({ role }: Expiring): boolean => role === 'timestamp' || role === 'snapshot'
  const [daily, lasting] = [expiring.filter(isDaily), expiring.filter(one => !isDaily(one))]
  const names = lasting.map(({ role }) => role).join(',')
  return [
    ...(daily.length === 0 ? [] : [`${endsText(daily)}: "roadcase release refresh"`]),
    ...(lasting.length === 0 ? [] : [`${endsText(lasting)}: "roadcase release renew ${names}"`]),
  ]
}

/** `root, targets end on 2027-11-23, in 12 days; tour-winter ended on 2026-10-01` */
function endsText(expiring: readonly Expiring[]): string {
  const byDay = new Map<string, Expiring[]>()
  for (const one of expiring) {
    const day = one.expires.slice(0, 10)
    byDay.set(day, [...(byDay.get(day) ?? []), one])
  }
  const words = [...byDay].map(([day, ones]) => {
    const roles = ones.map(({ role }) => role).join(', ')
    const daysLeft = Math.min(...ones.map(one => one.daysLeft))
    if (daysLeft < 0) return `${roles} ended on ${day}`
    return `${roles} ${ones.length === 1 ? 'ends' : 'end'} on ${day}, in ${daysLeft} days`
  })
  return words.join('; ')
}
