/** What is kept of the date on disk: that it was reached, and within one boot of the machine also how it was known. */
import { messageOf } from '../../../core/errors.js'
import {
  check,
  integer,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  string,
} from '../../../core/schema.js'
import { moment } from '../../../core/shapes.js'
import { monotonicMs } from '../../../core/time.js'
import type { Files } from '../../../ports/files.js'
import type { Log } from '../../../ports/log.js'
import type { Leap } from './ntp-packet.js'
import type { Claim } from './wall-policy.js'

const FILE = 'wall.json'

export const keptDateSchema = object({
  wallMs: moment,
  bootId: string({ max: 64 }),
  /** The date less the monotonic clock of that boot. */
  differenceMs: moment,
  claim: nullable(
    object({
      source: oneOf('ntp', 'leader', 'technician'),
      at: number({ min: 0, max: 1e15 }),
      errorMs: number({ min: 0, max: 1e9 }),
      stratum: integer({ min: 1, max: 16 }),
      rootDelayMs: number({ min: 0, max: 1e9 }),
      rootDispersionMs: number({ min: 0, max: 1e9 }),
      leap: integer({ min: 0, max: 2 }),
      referenceId: integer({ min: 0, max: 2 ** 32 - 1 }),
    }),
  ),
})

type Written = Of<typeof keptDateSchema>

export interface Kept extends Omit<Written, 'claim'> {
  readonly claim: Claim | null
}

/** Null when nothing was kept yet, or what was cannot be read. */
export async function readKept(files: Files, log: Log): Promise<Kept | null> {
  try {
    const bytes = await files.read(FILE)
    if (bytes === null) return null
    const kept = check(keptDateSchema, JSON.parse(new TextDecoder().decode(bytes)), 'wall')
    return { ...kept, claim: kept.claim && claimOf(kept.claim) }
  } catch (error) {
    log.warn('wall.unreadable', { error: messageOf(error) })
    return null
  }
}

const claimOf = (written: NonNullable<Written['claim']>): Claim => ({
  ...written,
  at: monotonicMs(written.at),
  leap: leapOf(written.leap),
})

const leapOf = (leap: number): Leap => (leap === 1 || leap === 2 ? leap : 0)

/** @throws BoxError as `Files.replace` */
export const keepDate = (files: Files, kept: Kept): Promise<void> =>
  files.replace(FILE, new TextEncoder().encode(JSON.stringify(kept)))

/** Whether a claim is one that a later life of the process can go on with. */
export const isLasting = ({ source, leap }: Claim): boolean =>
  leap !== 3 && (source === 'ntp' || source === 'leader' || source === 'technician')
