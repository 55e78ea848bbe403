/**
 * Follows a source of timecode: from where it was seen, where it is at any moment. A frame that is missing or late changes
 * nothing; a source that is elsewhere from now on is followed there. Pure: sightings and moments in, a standing out.
 */
import { frameMs, frameOfDay, framesBetween, type TimecodeRate } from '../../core/timecode.js'
import type { MonotonicMs } from '../../ports/clock.js'
import { extended, frameOn, type Line, lineThrough, momentOn } from './line.js'
import type { Sighting } from './sighting.js'

/**
 * `none`: nothing was ever heard. `locking`: something is heard that does not run, or not for long enough. `locked`.
 * `flywheel`: nothing is heard for now, and the box goes on as if it were. `lost`: nothing has been heard for too long.
 */
export type ChaseState = 'none' | 'locking' | 'locked' | 'flywheel' | 'lost'

export interface ChaseOptions {
  /** So many sightings that fit together are a source that runs. 2..100 */
  readonly lockFrames: number
  /** How long it goes on without the source. */
  readonly flywheelMs: number
  /** What then: `stop`, or go on until the source is back. */
  readonly onLoss: 'stop' | 'freewheel'
}

/** One stretch of timecode without a jump. */
export interface Run {
  readonly rate: TimecodeRate
  readonly line: Line
  /** The first frame of it that was seen. Frames count on over midnight. */
  readonly firstFrame: number
  /** When that was: no two runs begin at one moment. */
  readonly beganAt: MonotonicMs
  /** When it was last seen. */
  readonly seenAt: MonotonicMs
}

export interface Jump {
  readonly fromFrame: number
  readonly toFrame: number
}

/** Without a sighting for so long, it is missing. */
const MISSING_FRAMES = 4
const MISSING_MS_MIN = 150
/** How far from the line a sighting may be that belongs to it. */
const OFF_FRAMES_MAX = 1.5
const OFF_JITTERS_MAX = 4
/** Of sightings that fit together: the speed within so much, give or take half a frame. */
const SPEED_OFF_MAX = 0.2
const LOCK_OFF_FRAMES_MAX = 0.5
/** A sender that repeats itself at once says nothing new; one that does later, stands still. */
const REPEAT_FRAMES_MAX = 0.75
const STILL_MAX = 2
const SPEED_MIN = 0.75
const SPEED_MAX = 1.25
/** What was heard so long ago is not what is heard now. */
const FORGET_MS = 1_000

export class Chase {
  readonly #options: ChaseOptions
  #run: Run | null = null
  /** What does not belong to the run, and may be another one. */
  #strangers: readonly Sighting[] = []
  #last: Sighting | null = null
  #stillCount = 0
  #hasLocked = false
  #isLost = false
  #lostCount = 0

  constructor(options: ChaseOptions) {
    this.#options = options
  }

  /** How often the source was lost while it was followed. */
  get lostCount(): number {
    return this.#lostCount
  }

  /** Null while nothing runs. The same object for as long as nothing was seen. */
  get run(): Run | null {
    return this.#run
  }

  /** Takes one sighting in; they come in order of time. Returns the jump when this proves that there was one. */
  see(sighting: Sighting): Jump | null {
    this.#pass(sighting.at)
    const isRepeat = this.#isRepeat(sighting)
    if (!isRepeat) this.#last = sighting
    if (isRepeat) return null
    const run = this.#run
    if (run !== null && this.#belongs(run, sighting)) {
      this.#strangers = []
      this.#follow(run, sighting)
      return null
    }
    return this.#meet(sighting)
  }

  /** Time has passed. */
  state(now: MonotonicMs): ChaseState {
    this.#pass(now)
    if (this.#run !== null && !this.#isLost)
      return this.#isMissing(this.#run, now) ? 'flywheel' : 'locked'
    if (this.#strangers.length > 0 || this.#isStanding(now)) return 'locking'
    return this.#hasLocked ? 'lost' : 'none'
  }

  #isStanding(now: MonotonicMs): boolean {
    return this.#last !== null && now - this.#last.at < FORGET_MS && this.#stillCount > 0
  }

  /** Also marks what stands still: the run ends, without a flywheel. */
  #isRepeat(sighting: Sighting): boolean {
    const last = this.#last
    if (last === null || last.frame !== sighting.frame || last.rate !== sighting.rate) {
      this.#stillCount = 0
      return false
    }
    if (sighting.at - last.at < REPEAT_FRAMES_MAX * frameMs(sighting.rate)) return true
    this.#stillCount++
    this.#last = sighting
    if (this.#stillCount >= STILL_MAX) {
      this.#run = null
      this.#isLost = false
      this.#strangers = []
    }
    return true
  }

  #belongs({ rate, line }: Run, sighting: Sighting): boolean {
    if (sighting.rate !== rate) return false
    const expected = frameOn(line, sighting.at)
    const off = framesBetween(frameOfDay(expected, rate), sighting.frame, rate)
    return Math.abs(off) <= OFF_FRAMES_MAX + (OFF_JITTERS_MAX * line.jitterMs) / line.frameMs
  }

  #follow(run: Run, { at, frame, rate }: Sighting): void {
    const expected = frameOn(run.line, at)
    const unwrapped = expected + framesBetween(frameOfDay(expected, rate), frame, rate)
    const line = extended(run.line, { at, frame: unwrapped })
    this.#isLost = false
    const isPlaying = line.speed >= SPEED_MIN && line.speed <= SPEED_MAX
    this.#run = isPlaying ? { ...run, line, seenAt: at } : null
  }

  #meet(sighting: Sighting): Jump | null {
    const { lockFrames } = this.#options
    this.#strangers = [...this.#strangers, sighting].slice(-lockFrames)
    const [first, ...others] = this.#strangers
    if (first === undefined || this.#strangers.length < lockFrames) return null
    if (!fitTogether(this.#strangers)) return null
    const unwrapped = others.map(other => ({
      ...other,
      frame: first.frame + framesBetween(first.frame, other.frame, other.rate),
    }))
    const line = lineThrough([first, ...unwrapped])
    const before = this.#run
    const { rate, frame: firstFrame, at: beganAt } = first
    this.#run = { rate, line, firstFrame, beganAt, seenAt: sighting.at }
    this.#strangers = []
    this.#hasLocked = true
    this.#isLost = false
    if (before === null || before.rate !== first.rate) return null
    return { fromFrame: frameOn(before.line, sighting.at), toFrame: sighting.frame }
  }

  #pass(now: MonotonicMs): void {
    const last = this.#strangers.at(-1)
    if (last !== undefined && now - last.at > FORGET_MS) this.#strangers = []
    const run = this.#run
    if (run === null || this.#isLost || !this.#isMissing(run, now)) return
    if (now - run.seenAt <= missingMs(run.rate) + this.#options.flywheelMs) return
    this.#isLost = true
    this.#lostCount++
    if (this.#options.onLoss === 'stop') {
      this.#run = null
      this.#isLost = false
    }
  }

  #isMissing({ rate, seenAt }: Run, now: MonotonicMs): boolean {
    return now - seenAt > missingMs(rate)
  }
}

/** Where a run is at a moment. Counted on over midnight: `frameOfDay` has the label. */
export const frameAt = ({ line }: Run, at: MonotonicMs): number => frameOn(line, at)
export const momentOf = ({ line }: Run, frame: number): MonotonicMs => momentOn(line, frame)

const missingMs = (rate: TimecodeRate): number =>
  Math.max(MISSING_MS_MIN, MISSING_FRAMES * frameMs(rate))

/** Forward, at about the nominal speed, all at one rate. */
function fitTogether(sightings: readonly Sighting[]): boolean {
  const [first, last] = [sightings[0], sightings.at(-1)]
  if (first === undefined || last === undefined) return false
  const isForward = sightings.every((sighting, index) => {
    const before = sightings[index - 1]
    if (before === undefined) return true
    if (before.rate !== sighting.rate) return false
    return framesBetween(before.frame, sighting.frame, sighting.rate) > 0
  })
  if (!isForward) return false
  const expected = (last.at - first.at) / frameMs(first.rate)
  const off = Math.abs(framesBetween(first.frame, last.frame, first.rate) - expected)
  return off < SPEED_OFF_MAX * expected + LOCK_OFF_FRAMES_MAX
}
