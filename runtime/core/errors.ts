/**
 * Three kinds of failure, and only three:
 * - `ConfigError`: a person wrote something wrong. Refuse; say where and what would be right.
 * - `BoxError`, `DeviceError`: the world misbehaved (chip absent, link down, disk full). Degrade, report, retry.
 * - anything else is a bug: the process stops and the supervisor starts it again.
 */
export const errorCodes = [
  'board.unknown',
  'bus.refused',
  'bus.down',
  'command.invalid',
  'command.refused',
  'config.invalid',
  'device.absent',
  'device.busy',
  'device.denied',
  'device.io',
  'device.limit',
  'device.stuck',
  'device.timeout',
  'fetch.absent',
  'fetch.busy',
  'fetch.cancelled',
  'fetch.invalid',
  'fetch.refused',
  'fetch.unavailable',
  'key.absent',
  'key.denied',
  'key.given-up',
  'key.invalid',
  'link.down',
  'link.timeout',
  'native.missing',
  'os.refused',
  'os.rotten',
  'os.unsupported',
  'ota.refused',
  'port.taken',
  'power.low',
  'power.refused',
  'print.conflict',
  'print.discarded',
  'print.expired',
  'print.interrupted',
  'print.limit',
  'print.unknown',
  'print.unsettled',
  'release.conflict',
  'release.invalid',
  'release.unapplied',
  'release.unsigned',
  'release.unbuilt',
  'request.denied',
  'request.invalid',
  'request.limit',
  'service.timeout',
  'show.invalid',
  'slot.refused',
  'slot.rotten',
  'storage.conflict',
  'storage.full',
  'storage.io',
  'storage.limit',
  'storage.rotten',
  'ticket.invalid',
  'trust.limit',
  'trust.root',
  'venue.leaderless',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export class BoxError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

export class DeviceError extends BoxError {}

/** One thing a person wrote wrong. `path` looks like `box.devices[2].options.pulseMs`. */
export interface Problem {
  readonly path: string
  readonly message: string
  /** Place in the text, both from 1, where the document kept it. */
  readonly place: { readonly line: number; readonly column: number } | null
}

const PROBLEMS_SHOWN_MAX = 50

/** Everything wrong with one document, not only the first thing. */
export class ConfigError extends BoxError {
  readonly problems: readonly Problem[]
  constructor(
    problems: readonly Problem[],
    code: 'config.invalid' | 'show.invalid' = 'config.invalid',
  ) {
    assert(problems.length > 0, 'a config error has a problem')
    super(code, problems.slice(0, PROBLEMS_SHOWN_MAX).map(problemLine).join('\n'))
    this.problems = problems
  }
}

export function problemLine(problem: Problem): string {
  const place = problem.place ? `${problem.place.line}:${problem.place.column} ` : ''
  return `${place}${problem.path}: ${problem.message}`
}

/** Guards what cannot be. Stays on in production; state the positive. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}

/** More causes than anybody wraps; an error may be its own cause. */
const CAUSES_SHOWN_MAX = 8

/** For the log and the screen: the message of whatever was thrown, with its causes, in one line. */
export function messageOf(thrown: unknown, causesMax: number = CAUSES_SHOWN_MAX): string {
  if (!(thrown instanceof Error)) return textOf(thrown)
  if (thrown.cause === undefined || causesMax === 0) return thrown.message
  const cause = messageOf(thrown.cause, causesMax - 1)
  return thrown.message.includes(cause) ? thrown.message : `${thrown.message} (${cause})`
}

/** An object without a prototype, or with a wayward one, cannot be made a text. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return 'something that cannot be shown'
  }
}
