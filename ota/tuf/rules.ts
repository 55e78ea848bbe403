/** Rules that all roles share: of their time, and of the version that was signed for. */
import { momentText } from '../release/moments.js'
import { type Moment, timeliness } from './dates.js'
import type { Authority, Described, Document } from './metadata.js'
import { Refusal } from './outcome.js'

/** A role as its delegator wants it. */
export interface Asked {
  readonly role: string
  readonly authority: Authority
  readonly moment: Moment
}

/** Null instead of a refusal. */
export function tried<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

/** Steps about freezing, in each section of 5. @throws Refusal `expired` */
export function requireTimely(document: Document<unknown>, moment: Moment, role: string): void {
  if (timeliness(document.expiresMs, moment) === 'expired')
    throw new Refusal(
      'expired',
      role,
      `${role} version ${document.version} has expired on ${dayOf(document)}: who publishes signs it again (${cureOf(role)}), unless the date here is wrong`,
    )
}

const dayOf = ({ expiresMs }: Document<unknown>): string => momentText(Math.max(0, expiresMs))

/** The machine that publishes does it for these by itself, or should have. */
const cureOf = (role: string): string =>
  role === 'timestamp' || role === 'snapshot'
    ? '"roadcase release refresh"'
    : `"roadcase release renew ${role.slice(0, 80)}"`

/** @throws Refusal `wrong version` */
export function requireVersion(
  document: Document<unknown>,
  described: Described,
  role: string,
): void {
  if (document.version !== described.version)
    throw new Refusal(
      'wrong version',
      role,
      `${role} is version ${document.version} where ${described.version} was signed for`,
    )
}
