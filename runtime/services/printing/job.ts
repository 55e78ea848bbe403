/** What is kept of a ticket that somebody asked for. */
import { jobKind, jobState, serial } from '../../core/printing-topics.js'
import {
  boolean,
  integer,
  list,
  name,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  string,
} from '../../core/schema.js'
import { moment, requestId, whole } from '../../core/shapes.js'

/** More decisions about one ticket are refused. */
export const DECISIONS_MAX = 32

const origin = string({ max: 128 })
export const decisionKind = oneOf('reprint', 'confirm', 'discard')

const expiry = {
  /** By the wall clock: not begun by then, it is not printed. */
  expiresAtWallMs: nullable(moment),
  /** The same, counted from when it was asked for. */
  expiresAfterMs: nullable(integer({ min: 0, max: 31_536_000_000 })),
  askedWallMs: moment,
}

export const jobRecord = object({
  /** Order of arrival, of all printers together. */
  sequence: whole,
  id: requestId,
  printer: name,
  kind: jobKind,
  serial,
  /** Who asked. */
  origin,
  state: jobState,
  ...expiry,
  /** Of the last change. */
  wallMs: moment,
  /** 0 for the first print; how often it was asked to be printed again. */
  reprint: whole,
  /** How many of those the box has decided by itself, since a person did. */
  retries: whole,
  sentBytes: whole,
  totalBytes: nullable(whole),
  /** Paper that it takes; null before it was worked out. */
  millimetres: nullable(number({ min: 0, max: 1e6 })),
  code: nullable(string({ max: 64 })),
  message: nullable(string({ max: 512 })),
  decisions: list(object({ id: requestId, decision: decisionKind, origin, wallMs: moment }), {
    max: DECISIONS_MAX,
  }),
})

/** What the start must read of a job that is not settled: no more than its place in the queue. */
export const openRow = object({
  printer: name,
  /** It may be on paper: `sending` is on disk. */
  isBegun: boolean,
  ...expiry,
})

export type Job = Of<typeof jobRecord>
export type OpenRow = Of<typeof openRow>
export type JobState = Job['state']
export type DecisionKind = Of<typeof decisionKind>

/** Nothing comes of it by itself any more. */
export const isSettled = (state: JobState): boolean => state !== 'queued' && state !== 'sending'

/** Settled, and no person need look at it: it may be forgotten when there are too many. */
export const isFinished = (state: JobState): boolean => isSettled(state) && state !== 'unknown'

/** It can be printed again, so what it shows is kept. */
export const isPrintable = (state: JobState): boolean => state !== 'failed' && state !== 'expired'
