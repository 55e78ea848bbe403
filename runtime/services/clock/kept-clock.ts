/**
 * What a box keeps of its clock: what it learned of its oscillator, for as long as it lives, and within one boot of the
 * machine the timeline itself, so that a program that ends and begins again goes on as if nothing had happened.
 */
import { messageOf } from '../../core/errors.js'
import {
  boolean,
  check,
  nullable,
  number,
  type Of,
  object,
  pattern,
  string,
  withDefault,
} from '../../core/schema.js'
import { monotonicMs } from '../../core/time.js'
import type { MonotonicMs } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { Continued } from './show-scale.js'

const FILE = 'oscillator.json'

const timelineSchema = object({
  bootId: string({ max: 64 }),
  /** On the machine's monotonic clock in that boot. */
  atMs: number({ min: 0, max: 1e13 }),
  /** A JSON number does not hold nanoseconds of our days. */
  showNs: pattern(/^-?\d{1,24}$/, 'a whole number', 25),
  ratePpm: number({ min: -500, max: 500 }),
  errorNs: number({ min: 0, max: 1e15 }),
  hasLed: boolean,
  /** Its name; null where a foreign leader had none for it. */
  id: nullable(pattern(/^[0-9a-f]{16}$/, 'sixteen hexadecimal digits', 16)),
})

export const keptClockSchema = object({
  /** How much faster the venue's time runs than this box's oscillator; null until there was a leader to learn from. */
  learnedPpm: nullable(number({ min: -500, max: 500 })),
  timeline: withDefault(nullable(timelineSchema), null),
})

export interface KeptClock {
  readonly learnedPpm: number | null
  /** Null where there is none on the monotonic scale of this boot. */
  readonly timeline: { readonly continued: Continued; readonly id: string | null } | null
}

const nothing: KeptClock = { learnedPpm: null, timeline: null }

/** What cannot be read is told, and counts as nothing. */
export async function readKeptClock(
  { files, log }: { readonly files: Files; readonly log: Log },
  { bootId, now }: { readonly bootId: string; readonly now: MonotonicMs },
): Promise<KeptClock> {
  try {
    const bytes = await files.read(FILE)
    if (bytes === null) return nothing
    const kept = check(keptClockSchema, JSON.parse(new TextDecoder().decode(bytes)), 'oscillator')
    const { learnedPpm, timeline } = kept
    const isOfThisBoot = timeline?.bootId === bootId && timeline.atMs <= now
    return { learnedPpm, timeline: isOfThisBoot ? timelineOf(timeline) : null }
  } catch (error) {
    log.warn('clock.unreadable', { error: messageOf(error) })
    return nothing
  }
}

const timelineOf = ({ atMs, showNs, id, ...rest }: Of<typeof timelineSchema>) => ({
  continued: { ...rest, at: monotonicMs(atMs), showNs: BigInt(showNs) },
  id,
})

/** A disk that does not write is told of, and keeps no box from the time. */
export async function keepClock(
  { files, log }: { readonly files: Files; readonly log: Log },
  bootId: string,
  { learnedPpm, timeline }: KeptClock,
): Promise<void> {
  const kept: Of<typeof keptClockSchema> = {
    learnedPpm,
    timeline: timeline && {
      bootId,
      atMs: timeline.continued.at,
      showNs: timeline.continued.showNs.toString(),
      ratePpm: timeline.continued.ratePpm,
      errorNs: timeline.continued.errorNs,
      hasLed: timeline.continued.hasLed,
      id: timeline.id,
    },
  }
  try {
    await files.replace(FILE, new TextEncoder().encode(JSON.stringify(kept)))
  } catch (error) {
    log.warn('clock.not-saved', { error: messageOf(error) })
  }
}
