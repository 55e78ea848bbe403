/**
 * Where people decide what becomes of a ticket: one decision after the other, each once, each logged with who made it.
 * Who forgets old jobs takes his turn here too, so that nobody decides about what is being forgotten.
 */
import { BoxError } from '../../core/errors.js'
import type { Log } from '../../ports/log.js'
import type { Payload } from '../../topics.js'
import { decided, isRefusal } from './decide.js'
import { type Answer, accepted, refused } from './intake.js'
import { isSettled, type Job } from './job.js'
import { sequenceOf } from './job-list.js'
import { typedSerial } from './serials.js'
import { type Spool, waitingOf } from './spool.js'
import type { Waiting } from './waiting-list.js'

type Decision = Payload<'print/decided'>

/** Decisions that wait for their turn. */
const WAITING_MAX = 128

export class DecisionDesk {
  readonly #log: Log
  readonly #spool: Spool
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(log: Log, spool: Spool) {
    this.#log = log
    this.#spool = spool
  }

  /** Never rejects with a BoxError: what goes wrong is the answer. */
  async decide(decision: Decision): Promise<Answer> {
    if (this.#waiting >= WAITING_MAX)
      return refused(new BoxError('print.limit', `${WAITING_MAX} decisions wait already`))
    this.#waiting++
    try {
      return await this.inTurn(() => this.#answer(decision))
    } catch (error) {
      if (error instanceof BoxError) return refused(error)
      throw error
    } finally {
      this.#waiting--
    }
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    // Who waits behind it does not care how it ended; who asked for it hears it.
    this.#turn = done.catch(() => {})
    return done
  }

  async #answer(decision: Decision): Promise<Answer> {
    const made = await this.#spool.tables.decision(decision.id)
    if (made !== null && made.decision !== decision.decision)
      throw new BoxError('print.conflict', `this id was used to ${made.decision} ${made.job}`)
    const sequence = made === null ? await this.#find(decision.job) : made.sequence
    if (made === null) return this.#decide(sequence, decision)
    const job = await this.#job(sequence, decision)
    if (job.id !== made.job || !isMeant(job, decision.job))
      throw new BoxError('print.conflict', `this id was used to ${made.decision} ${made.job}`)
    return accepted(job, true)
  }

  async #find(job: string): Promise<number> {
    const sequence = await sequenceOf(this.#spool.tables, job)
    if (sequence === null) throw new BoxError('print.unknown', `there is no ticket ${job}`)
    return sequence
  }

  async #job(sequence: number, { job }: Decision): Promise<Job> {
    const found = await this.#spool.tables.job(sequence)
    if (found === null) throw new BoxError('print.unknown', `there is no ticket ${job}`)
    return found
  }

  async #decide(sequence: number, decision: Decision): Promise<Answer> {
    // First its place, then what it is: so nobody begins it in between.
    const taken = this.#take(sequence)
    try {
      const job = await this.#job(sequence, decision)
      if (taken === null && !isSettled(job.state))
        throw new BoxError('print.unsettled', `${job.serial} is being sent right now`)
      const next = decided(job, decision, this.#spool.now().wallMs)
      if (isRefusal(next)) throw new BoxError(next.code, next.message)
      await this.#spool.move(job, next)
      const { id, serial, state } = next
      const facts = { decision: decision.decision, by: decision.origin, state, was: job.state }
      this.#log.info('print.decided', { job: id, serial, ...facts })
      if (!isSettled(state)) this.#spool.list(next.printer).add(waitingOf(next, this.#spool.now()))
      return accepted(next, false)
    } catch (error) {
      if (taken !== null) this.#spool.list(taken.printer).add(taken.waiting)
      throw error
    }
  }

  #take(sequence: number): { readonly printer: string; readonly waiting: Waiting } | null {
    for (const [printer, list] of this.#spool.lists) {
      const waiting = list.take(sequence)
      if (waiting !== undefined) return { printer, waiting }
    }
    return null
  }
}

const isMeant = (job: Job, name: string): boolean =>
  job.id === name || job.serial === name || job.serial === typedSerial(name)
