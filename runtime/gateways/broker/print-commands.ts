/** Reads what is written to `…/print` and `…/print/decide`. Pure: bytes in; a request, a decision or a ConfigError out. */
import { ConfigError } from '../../core/errors.js'
import { printDecisionIn, printIn } from '../../core/printing-topics.js'
import { check, type Of } from '../../core/schema.js'

/** A ticket that is longer is a book. */
export const PRINT_BYTES_MAX = 65_536

export type PrintIn = Of<typeof printIn>
export type PrintDecisionIn = Of<typeof printDecisionIn>

/** @throws ConfigError naming the path, the rule and the value */
export const readPrint = (payload: Uint8Array): PrintIn => check(printIn, json(payload), 'payload')

/** @throws ConfigError naming the path, the rule and the value */
export const readDecision = (payload: Uint8Array): PrintDecisionIn =>
  check(printDecisionIn, json(payload), 'payload')

function json(payload: Uint8Array): unknown {
  if (payload.length > PRINT_BYTES_MAX)
    throw wrong(`must have at most ${PRINT_BYTES_MAX} bytes, has ${payload.length}`)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch (error) {
    const why = error instanceof SyntaxError ? `: ${error.message}` : ''
    throw wrong(`must be JSON such as {"id":"1","template":"receipt","fields":{}}${why}`)
  }
}

const wrong = (message: string): ConfigError =>
  new ConfigError([{ path: 'payload', message, place: null }])
