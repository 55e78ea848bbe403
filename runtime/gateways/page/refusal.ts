import { BoxError, ConfigError, type ErrorCode } from '../../core/errors.js'
import { check, type Schema } from '../../core/schema.js'

interface BodyProblem {
  readonly path: string
  readonly message: string
}

const PROBLEMS_MAX = 50

/** A request that is answered with an HTTP status of 4xx or 5xx and `{code, message}`. */
export class Refusal extends Error {
  readonly status: number
  readonly code: ErrorCode
  readonly problems: readonly BodyProblem[]

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    problems: readonly BodyProblem[] = [],
  ) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.problems = problems
  }
}

/** @throws Refusal 400 with every problem of the body */
export function checked<T>(
  schema: Schema<T>,
  body: unknown,
  root: string,
  code: ErrorCode = 'request.invalid',
): T {
  try {
    return check(schema, body, root)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.problems
      .slice(0, PROBLEMS_MAX)
      .map(({ path, message }) => ({ path, message }))
    throw new Refusal(400, code, error.message, problems)
  }
}

export interface RefusalReply {
  readonly status: number
  readonly body: {
    readonly code: string
    readonly message: string
    readonly problems?: readonly BodyProblem[]
  }
}

/** What the caller hears of anything thrown while a request was answered; null when it is a bug of ours. */
export function replyTo(thrown: unknown): RefusalReply | null {
  if (thrown instanceof Refusal) {
    const { status, code, message, problems } = thrown
    return { status, body: { code, message, ...(problems.length > 0 ? { problems } : {}) } }
  }
  const status = thrown instanceof BoxError ? statusOfBox(thrown) : statusOf(thrown)
  if (status === null || !(thrown instanceof Error)) return null
  const code = thrown instanceof BoxError ? thrown.code : 'request.invalid'
  return { status, body: { code, message: thrown.message } }
}

/** What was asked for cannot be, or cannot be had from the disk right now; anything else is a bug. */
function statusOfBox({ code }: BoxError): number | null {
  if (code === 'request.invalid') return 400
  return code.startsWith('storage.') ? 503 : null
}

/** The web library marks what it refuses (too large, not JSON, wrong type) with the status to answer. */
function statusOf(thrown: unknown): number | null {
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown)) return null
  const { statusCode } = thrown
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : null
}
