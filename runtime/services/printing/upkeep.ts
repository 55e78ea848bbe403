/**
 * What is done in the background, a little at a time: jobs whose time is over leave their queues, and finished ones are
 * forgotten, with their keys and serials, when they are old or too many.
 */
import { BoxError, messageOf } from '../../core/errors.js'
import type { Log } from '../../ports/log.js'
import { expired } from './decide.js'
import type { DecisionDesk } from './decision-desk.js'
import { isKnown } from './expiry.js'
import { isFinished, type Job } from './job.js'
import type { Spool } from './spool.js'
import type { Waiting, WaitingList } from './waiting-list.js'

const EXPIRED_AT_ONCE_MAX = 200
/** So few that reading them is not felt. */
const LOOKED_AT_MAX = 64
/** Rounds between two looks, while there is no need to hurry. */
const FORGET_EVERY = 60
const DAY_MS = 86_400_000
/** A clock that is set by more makes old what is not. */
const STEP_MS_MAX = 3_600_000

export interface UpkeepOptions {
  readonly keptDays: number
  readonly keptMax: number
}

export class Upkeep {
  readonly #log: Log
  readonly #spool: Spool
  readonly #desk: DecisionDesk
  readonly #options: UpkeepOptions
  #rounds = 0
  /** Where the next look begins. */
  #from = 0
  /** There are too many: looks follow each other, the oldest jobs first. */
  #isHurried = false
  /** What the wall clock showed when the monotonic one began, as first seen. */
  #zeroWallMs: number | null = null
  #isClockSteady = true

  constructor(log: Log, spool: Spool, desk: DecisionDesk, options: UpkeepOptions) {
    this.#log = log
    this.#spool = spool
    this.#desk = desk
    this.#options = options
  }

  /** One round, about once a second. A disk that fails costs this round, and no more. */
  async run(): Promise<void> {
    try {
      await this.#spool.settleInterrupted()
      for (const list of [...this.#spool.lists.values()]) await this.#expire(list)
      if (this.#isHurried || this.#rounds++ % FORGET_EVERY === 0)
        await this.#desk.inTurn(() => this.#forget())
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('print.upkeep-failed', { code: error.code, error: messageOf(error) })
    }
  }

  async #expire(list: WaitingList): Promise<void> {
    const over = list.takeOver(this.#spool.now(), EXPIRED_AT_ONCE_MAX)
    const ends = await Promise.allSettled(over.map(waiting => this.#expireOne(waiting)))
    const failures = ends.flatMap((end, index) => {
      if (end.status === 'fulfilled') return []
      const waiting = over[index]
      if (waiting) list.add(waiting)
      return [end.reason]
    })
    if (failures.length > 0) throw failures[0]
  }

  async #expireOne(waiting: Waiting): Promise<void> {
    const job = await this.#spool.own(waiting)
    if (job !== null) await this.#spool.move(job, expired(job, this.#spool.now().wallMs))
  }

  /** What waits for a person is never forgotten. */
  async #forget(): Promise<void> {
    const { tables, finishedCount } = this.#spool
    const surplus = finishedCount - this.#options.keptMax
    if (surplus > 0 && !this.#isHurried) this.#from = 0
    const { jobs, next } = await tables.jobPage(this.#from, LOOKED_AT_MAX)
    const gone = this.#goneOf(jobs, surplus)
    await this.#spool.forget(gone)
    if (gone.length > 0) this.#log.info('print.forgotten', { count: gone.length })
    this.#from = next ?? 0
    this.#isHurried = next !== null && surplus > countFinished(gone)
  }

  #goneOf(jobs: readonly Job[], surplus: number): readonly Job[] {
    const oldWallMs = this.#oldWallMs()
    let left = surplus
    return jobs.filter(({ state, wallMs }) => {
      const isOld = oldWallMs !== null && isKnown(wallMs) && wallMs < oldWallMs
      const isGone = isFinished(state) && (isOld || left > 0)
      if (isGone) left--
      return isGone
    })
  }

  /** Null while nobody knows how old anything is: the clock was set in this life of the box, or never. */
  #oldWallMs(): number | null {
    const { wallMs, monotonicMs } = this.#spool.now()
    const zeroWallMs = wallMs - monotonicMs
    this.#zeroWallMs ??= zeroWallMs
    if (Math.abs(zeroWallMs - this.#zeroWallMs) > STEP_MS_MAX) this.#isClockSteady = false
    return this.#isClockSteady && isKnown(wallMs) ? wallMs - this.#options.keptDays * DAY_MS : null
  }
}

const countFinished = (jobs: readonly Job[]): number =>
  jobs.filter(({ state }) => isFinished(state)).length
