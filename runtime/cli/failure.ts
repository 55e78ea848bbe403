/** How the command line ends. The numbers are a promise to scripts; `roadcase --help` lists them. */
import { BoxError, ConfigError, errorCodes, messageOf } from '../core/errors.js'

export const exitCodes = {
  ok: 0,
  /** A bug of ours. */
  bug: 1,
  /** The command was written wrong. */
  usage: 2,
  /** A box.json or a show is wrong. */
  invalid: 3,
  /** The box understood and said no. */
  refused: 4,
  /** There is no box or repository to talk to, or it does not answer. */
  unreachable: 5,
  /** Nothing is wrong, and it is not done: it waits for signatures, for a person, or for a better moment. */
  waiting: 6,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Something the person at the terminal can put right; the message says how. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliFailure'
    this.exitCode = exitCode
  }
}

export interface Ending {
  readonly exitCode: ExitCode
  readonly message: string
}

export function endingOf(thrown: unknown): Ending {
  if (thrown instanceof CliFailure) return { exitCode: thrown.exitCode, message: thrown.message }
  if (thrown instanceof ConfigError) return { exitCode: exitCodes.invalid, message: thrown.message }
  if (thrown instanceof BoxError)
    return { exitCode: exitCodes.refused, message: `${messageOf(thrown)} (${thrown.code})` }
  if (isForeign(thrown)) {
    const { message, code } = thrown
    if (thrown.name === 'ConfigError') return { exitCode: exitCodes.invalid, message }
    return { exitCode: exitCodes.refused, message: `${messageOf(thrown)} (${code})` }
  }
  const place = thrown instanceof Error ? `\n${thrown.stack ?? ''}` : ''
  return {
    exitCode: exitCodes.bug,
    message: `this is a mistake in roadcase itself: ${messageOf(thrown)}${place}`,
  }
}

/** `release build` runs the program of a checkout, whose classes of errors are not these: they are known by their codes. */
const isForeign = (thrown: unknown): thrown is Error & { readonly code: string } =>
  thrown instanceof Error && 'code' in thrown && errorCodes.some(code => code === thrown.code)
