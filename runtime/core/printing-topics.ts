/** Messages about printing: part of the table in `topics.ts`. */
import {
  boolean,
  integer,
  name,
  nullable,
  number,
  object,
  oneOf,
  optional,
  pattern,
  string,
  table,
} from './schema.js'
import { moment, requestId, whole } from './shapes.js'
import { ticketDocument } from './ticket-document.js'
import { topic } from './topic-shape.js'

/**
 * `redeemable`: whoever holds it may claim something, so it is printed at most once. `receipt`: it tells of something, so
 * it is printed at least once.
 */
export const jobKind = oneOf('redeemable', 'receipt')

/**
 * `queued`: waits for its printer. `sending`: from before the first byte on. `sent`: the printer has everything, and has
 * not confirmed it, or cannot. `confirmed`: the printer said so, or a person did. `unknown`: it may be on paper, or part
 * of it; a person looks and decides. `failed`: it will not be printed. `expired`: its time was over before its first byte.
 */
export const jobState = oneOf(
  'queued',
  'sending',
  'sent',
  'confirmed',
  'unknown',
  'failed',
  'expired',
)

/** Printed on the ticket and in its QR code; unique in the tour. */
export const serial = pattern(
  /^[A-Z0-9][A-Z0-9-]{2,39}$/,
  'capital letters, digits and dashes, 3 to 40',
  40,
)

export const printField = pattern(
  /^[a-z][A-Za-z0-9_]{0,31}$/,
  'a letter and up to 31 letters or digits',
  32,
)

/** What a sender writes to print something. */
export const printRequest = object({
  /** Of this request, and of the job unless `key` is given: the same one again is the same job, and prints nothing new. */
  id: requestId,
  /** Idempotency key where several requests may mean the same ticket. */
  key: optional(requestId),
  /** A printer of this box; the first one when left out. */
  printer: optional(name),
  /** What the template says when left out; `receipt` without a template. */
  kind: optional(jobKind),
  /** Name of a template of this box, with what its placeholders stand for; or a whole `ticket`. */
  template: optional(name),
  fields: optional(table(printField, string({ max: 1024 }), { max: 64 })),
  ticket: optional(ticketDocument),
  /** Made by the box when left out. */
  serial: optional(serial),
  /** By the wall clock: not begun by then, it is not printed any more. */
  expiresAtWallMs: optional(moment),
  /** The same, counted from now. */
  expiresAfterMs: optional(integer({ min: 1_000, max: 31_536_000_000 })),
})

/** What a person decides about a job that is `unknown`, `sent` or still waits. */
export const printDecision = object({
  id: requestId,
  job: requestId,
  /**
   * `reprint`: print it again, marked REPRINT, with the same serial. `confirm`: it is on paper. `discard`: it is not, and
   * shall not be.
   */
  decision: oneOf('reprint', 'confirm', 'discard'),
})

/** What a sender outside writes: the id may be left out, it then cannot ask again after a broken connection. */
export const printIn = object({ ...printRequest.shape, id: optional(requestId) })
export const printDecisionIn = object({ ...printDecision.shape, id: optional(requestId) })

const origin = string({ max: 128 })
const millimetres = number({ min: 0, max: 1e9 })

export const printingTopics = {
  'print/requested': topic({
    kind: 'command',
    qos: 1,
    path: null,
    summary: 'Somebody asks for a ticket. From outside it comes through `…/print`.',
    payload: object({ ...printRequest.shape, origin }),
  }),
  'print/decided': topic({
    kind: 'command',
    qos: 1,
    path: null,
    summary:
      'A person decides what becomes of a ticket. From outside it comes through `…/print/decide`.',
    payload: object({ ...printDecision.shape, origin }),
  }),
  'print/answered': topic({
    kind: 'event',
    qos: 1,
    path: 'response/{id}',
    summary: 'The answer to a request to print, or to a decision; sent when the job is on disk.',
    payload: object({
      id: requestId,
      origin,
      isAccepted: boolean,
      /** The job that it is, or already was. */
      job: nullable(requestId),
      serial: nullable(serial),
      /** The same was asked before. */
      isRepeated: boolean,
      code: nullable(string({ max: 64 })),
      message: nullable(string({ max: 1024 })),
    }),
  }),
  'print/changed': topic({
    kind: 'event',
    qos: 1,
    path: 'printers/{printer}/job',
    summary: 'What became of a ticket.',
    payload: object({
      job: requestId,
      printer: name,
      serial,
      kind: jobKind,
      state: jobState,
      /** 0 for the first print; how often it was printed again. */
      reprint: whole,
      sentBytes: whole,
      totalBytes: nullable(whole),
      wallMs: moment,
      code: nullable(string({ max: 64 })),
      message: nullable(string({ max: 512 })),
    }),
  }),
  'printer/state': topic({
    kind: 'state',
    qos: 1,
    path: 'printers/{printer}/state',
    summary: 'How a printer feels, what waits for it, and for how many tickets its paper lasts.',
    payload: object({
      printer: name,
      isReady: boolean,
      /** Why it cannot begin a ticket now. */
      hindrance: nullable(
        oneOf('absent', 'busy', 'offline', 'paper-end', 'cover-open', 'error', 'power'),
      ),
      paper: nullable(oneOf('enough', 'near-end', 'end')),
      isCoverOpen: nullable(boolean),
      error: nullable(oneOf('none', 'cutter', 'recoverable', 'unrecoverable')),
      /** Jobs of this printer by what has become of them: the first three and `unknown` as they stand, the others since the first start. */
      queued: whole,
      sending: whole,
      unknown: whole,
      sent: whole,
      confirmed: whole,
      failed: whole,
      expired: whole,
      /** Since its roll was changed. */
      usedMillimetres: millimetres,
      /** Null while nobody knows: no roll length is configured and the paper is not near its end. */
      ticketsLeft: nullable(whole),
      /** From the first byte to the confirmation, of the last hundred tickets. */
      tookMsP50: nullable(moment),
      tookMsP95: nullable(moment),
    }),
  }),
} as const
