/**
 * What becomes of a ticket. Exactly once cannot be had from a printer: its power may go after the last byte and before
 * its answer. So what may be on paper is never printed again in silence: a `redeemable` waits for a person, a `receipt`
 * is printed again with REPRINT on it. Pure.
 */
import { BoxError, type ErrorCode, messageOf } from '../../core/errors.js'
import type { PrintOutcome } from '../../ports/printer.js'
import { DECISIONS_MAX, type DecisionKind, type Job } from './job.js'

/** How often the box prints a receipt again by itself; then a person decides. */
export const RETRIES_MAX = 3

export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
}

/** Before the first byte: from when this is on disk the ticket may be on paper. */
export const begun = (job: Job, totalMillimetres: number, wallMs: number): Job => ({
  ...job,
  state: 'sending',
  wallMs,
  sentBytes: 0,
  totalBytes: null,
  millimetres: totalMillimetres,
  code: null,
  message: null,
})

/** @param job with the bytes that were sent of it */
export function settled(job: Job, outcome: PrintOutcome, wallMs: number): Job {
  switch (outcome.kind) {
    case 'confirmed':
      return { ...job, state: 'confirmed', wallMs, code: null, message: `by ${outcome.by}` }
    case 'sent':
      return { ...job, state: 'sent', wallMs, code: null, message: null }
    case 'untouched':
      return {
        ...job,
        state: 'queued',
        wallMs,
        sentBytes: 0,
        totalBytes: null,
        ...why(outcome.why),
      }
    case 'unknown':
      return doubtful({ ...job, ...why(outcome.why) }, wallMs)
  }
}

/** Found `sending` at the start: the box went down in the middle. */
export const interrupted = (job: Job, wallMs: number): Job =>
  doubtful(
    { ...job, code: 'print.interrupted', message: 'the box went down while this was being sent' },
    wallMs,
  )

/** Some of it is on paper, or all, or nothing. Once begun, its expiry is over. */
function doubtful(job: Job, wallMs: number): Job {
  if (job.kind === 'redeemable' || job.retries >= RETRIES_MAX)
    return { ...job, state: 'unknown', wallMs }
  return { ...again(job, wallMs), retries: job.retries + 1 }
}

const again = (job: Job, wallMs: number): Job => ({
  ...job,
  state: 'queued',
  wallMs,
  expiresAtWallMs: null,
  expiresAfterMs: null,
  reprint: job.reprint + 1,
})

export const expired = (job: Job, wallMs: number): Job => ({
  ...job,
  state: 'expired',
  wallMs,
  code: 'print.expired',
  message: 'its time was over before it was begun',
})

export const failed = (job: Job, why_: BoxError, wallMs: number): Job => ({
  ...job,
  state: 'failed',
  wallMs,
  ...why(why_),
})

export interface DecisionMade {
  readonly id: string
  readonly decision: DecisionKind
  readonly origin: string
}

/** What a person's decision makes of a job, or why it cannot. */
export function decided(job: Job, made: DecisionMade, wallMs: number): Job | Refusal {
  if (job.state === 'sending')
    return { code: 'print.unsettled', message: `${job.serial} is being sent right now` }
  if (job.decisions.length >= DECISIONS_MAX)
    return { code: 'print.limit', message: `${DECISIONS_MAX} decisions about ${job.serial} so far` }
  const next = meaning(job, made, wallMs)
  if (typeof next === 'string')
    return { code: 'command.refused', message: `${job.serial} is ${job.state}: ${next}` }
  const { id, decision, origin } = made
  return { ...next, decisions: [...job.decisions, { id, decision, origin, wallMs }] }
}

function meaning(job: Job, { decision, origin }: DecisionMade, wallMs: number): Job | string {
  switch (decision) {
    case 'reprint':
      return reprinted(job, wallMs)
    case 'confirm':
      return confirmed(job, origin, wallMs)
    case 'discard':
      return discarded(job, origin, wallMs)
  }
}

/** The first REPRINT that a person asks for has three silent ones behind it again, should it be a receipt. */
function reprinted(job: Job, wallMs: number): Job | string {
  if (job.state === 'queued') return 'it will be printed anyway'
  if (job.state === 'failed' || job.state === 'expired') return 'ask for a new one'
  return { ...again(job, wallMs), retries: 0, code: null, message: null }
}

function confirmed(job: Job, origin: string, wallMs: number): Job | string {
  if (job.state === 'queued' && job.reprint === 0) return 'nothing of it was sent yet'
  if (job.state === 'failed' || job.state === 'expired') return 'it was given up'
  return { ...job, state: 'confirmed', wallMs, code: null, message: short(`by ${origin}`) }
}

function discarded(job: Job, origin: string, wallMs: number): Job | string {
  if (job.state === 'confirmed') return 'it is on paper'
  if (job.state === 'failed' || job.state === 'expired') return 'it was given up'
  const message = short(`discarded by ${origin}`)
  return { ...job, state: 'failed', wallMs, code: 'print.discarded', message }
}

export const isRefusal = (made: Job | Refusal): made is Refusal => !('state' in made)

const why = (error: Error): Pick<Job, 'code' | 'message'> => ({
  code: error instanceof BoxError ? error.code : 'device.io',
  message: short(messageOf(error)),
})

const short = (text: string): string => text.slice(0, 512)
