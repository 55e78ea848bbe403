/** What `roadcase ota` asks of the updater and is answered, over a socket on the same machine: a line of JSON each way. */
import { otaState } from './ota-topics.js'
import {
  boolean,
  choice,
  integer,
  list,
  literal,
  nullable,
  type Of,
  object,
  oneOf,
  string,
} from './schema.js'

/** 14 days: whoever wants longer says so again. */
export const HOLD_MINUTES_MAX = 14 * 24 * 60
export const CONTROL_FILE = 'control.sock'
export const CONTROL_LINE_BYTES_MAX = 256 * 1024

const owner = string({ min: 1, max: 64 })
const reason = string({ min: 1, max: 256 })

export const otaRequest = choice(
  'ask',
  object({ ask: literal('status') }),
  object({ ask: literal('why') }),
  object({ ask: literal('check') }),
  object({ ask: literal('apply'), force: nullable(object({ owner, reason })) }),
  object({ ask: literal('rollback'), reason }),
  /** Of the operating system. */
  object({ ask: literal('rollback-os'), reason }),
  object({
    ask: literal('hold'),
    owner,
    reason,
    minutes: integer({ min: 1, max: HOLD_MINUTES_MAX }),
  }),
  object({ ask: literal('unhold'), id: string({ min: 2, max: 16 }) }),
  /** The beginning of a digest, or a version. */
  object({ ask: literal('clear'), release: string({ min: 1, max: 64 }) }),
)
export type OtaRequest = Of<typeof otaRequest>

export const otaCriterion = object({
  step: oneOf('take', 'fetch', 'switch'),
  name: string({ max: 64 }),
  isMet: boolean,
  words: string({ max: 4096 }),
})

/** Whatever was asked, how things are afterwards. */
export const otaReply = object({
  state: nullable(otaState),
  criteria: list(otaCriterion, { max: 64 }),
  /** Of the operating system; none where this box updates none. */
  systemCriteria: list(otaCriterion, { max: 64 }),
  /** What was done, for people. */
  words: string({ max: 4096 }),
})
export type OtaReply = Of<typeof otaReply>

export const otaRefusal = object({ code: string({ max: 64 }), message: string({ max: 8192 }) })
export const otaAnswer = choice(
  'kind',
  object({ kind: literal('done'), reply: otaReply }),
  object({ kind: literal('refused'), refusal: otaRefusal }),
)
