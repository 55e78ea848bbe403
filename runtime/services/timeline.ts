/**
 * Keeps one timeline over restarts: a cue fired before the process ended is as old afterwards as it truly is.
 * Within one boot of the machine the monotonic clock ties both lives together to the microsecond; over a reboot the
 * wall clock does, and where that went backwards (no battery, no network yet) the timeline goes on from its last known
 * moment, since it never runs backwards.
 */
import { messageOf } from '../core/errors.js'
import type { Service } from '../core/lifecycle.js'
import { repeat } from '../core/repeat.js'
import { check, number, type Of, object, string } from '../core/schema.js'
import { showTimeMs } from '../core/time.js'
import type { Cancel, Clock, MonotonicMs, ShowTimeMs, WallTimeMs } from '../ports/clock.js'
import type { Files } from '../ports/files.js'
import type { Log } from '../ports/log.js'

export const savedTimelineSchema = object({
  bootId: string({ max: 64 }),
  /** What the timeline showed, or would have shown, at monotonic zero of that boot. */
  showAtZeroMs: number({ min: -8.64e15, max: 8.64e15 }),
  /** The latest moment known to have been reached. */
  reachedShowMs: number({ min: -8.64e15, max: 8.64e15 }),
})

export type SavedTimeline = Of<typeof savedTimelineSchema>

const FILE = 'timeline.json'
const SAVE_EVERY_MS = 60_000

export interface Moment {
  /** Changes at each boot of the machine: /proc/sys/kernel/random/boot_id. */
  readonly bootId: string
  readonly monotonic: MonotonicMs
  readonly wall: WallTimeMs
}

/** What the timeline must show at monotonic zero of this boot. */
export function showAtZero(saved: SavedTimeline | null, now: Moment): ShowTimeMs {
  if (saved?.bootId === now.bootId) return showTimeMs(saved.showAtZeroMs)
  const byWall = now.wall - now.monotonic
  const byFloor = saved === null ? byWall : saved.reachedShowMs - now.monotonic
  return showTimeMs(Math.max(byWall, byFloor))
}

/** @returns null when nothing was saved; what cannot be read is logged and counts as nothing. */
export async function readTimeline(files: Files, log: Log): Promise<SavedTimeline | null> {
  const bytes = await files.read(FILE)
  if (bytes === null) return null
  try {
    return check(savedTimelineSchema, JSON.parse(new TextDecoder().decode(bytes)), 'timeline')
  } catch (error) {
    log.warn('timeline.unreadable', { error: messageOf(error) })
    return null
  }
}

/** Writes down how far the timeline has come: at start, at stop and every minute. */
export class Timeline implements Service {
  readonly name = 'timeline'
  readonly #clock: Clock
  readonly #log: Log
  readonly #files: Files
  readonly #bootId: string
  #cancel: Cancel | null = null

  constructor(clock: Clock, log: Log, files: Files, options: { bootId: string }) {
    this.#clock = clock
    this.#log = log
    this.#files = files
    this.#bootId = options.bootId
  }

  async start(): Promise<void> {
    await this.#save()
    this.#cancel = repeat(this.#clock, SAVE_EVERY_MS, () => this.#save())
  }

  async stop(): Promise<void> {
    if (this.#cancel === null) return
    this.#cancel()
    this.#cancel = null
    await this.#save()
  }

  /** A full disk must not stop the show: the last minute's floor still holds. */
  async #save(): Promise<void> {
    const now = this.#clock.monotonicMs()
    const reachedShowMs = this.#clock.monotonicToShow(now)
    const saved: SavedTimeline = {
      bootId: this.#bootId,
      showAtZeroMs: reachedShowMs - now,
      reachedShowMs,
    }
    try {
      await this.#files.replace(FILE, new TextEncoder().encode(JSON.stringify(saved)))
    } catch (error) {
      this.#log.warn('timeline.not-saved', { error: messageOf(error) })
    }
  }
}
