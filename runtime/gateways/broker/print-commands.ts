/** Reads what is written to `…/print` and `…/print/decide`. Pure: bytes in; a request, a decision or a ConfigError out. */
import { printDecisionIn, printIn } from '../../core/printing-topics.js'
import { check, type Of } from '../../core/schema.js'
import { payloadJson, payloadText } from './payload-text.js'

/** A ticket that is longer is a book. */
export const PRINT_BYTES_MAX = 65_536

export type PrintIn = Of<typeof printIn>
export type PrintDecisionIn = Of<typeof printDecisionIn>

/** @throws ConfigError naming the path, the rule and the value */
export const readPrint = (payload: Uint8Array): PrintIn => check(printIn, json(payload), 'payload')

/** @throws ConfigError naming the path, the rule and the value */
export const readDecision = (payload: Uint8Array): PrintDecisionIn =>
  check(printDecisionIn, json(payload), 'payload')

const json = (payload: Uint8Array): unknown =>
  payloadJson(payloadText(payload, PRINT_BYTES_MAX), '{"id":"1","template":"receipt","fields":{}}')
