/**
 * What a dead link held back may arrive when nobody means it any more, and nobody can take it back. So a sender may say
 * when it asked, by the clock of the box, and what was too long on its way is refused.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { monotonicMs } from '../../core/time.js'
import type { MonotonicMs } from '../../ports/clock.js'
import { Refusal } from './refusal.js'

/** When it was asked, in the request; what the clock shows now, in the answer. Milliseconds since the box was started. */
export const sentHeader = 'roadcase-sent-ms'
export const nowHeader = 'roadcase-now-ms'

/** With the 5 s that an answer may take this is less than the 7 s after which the page gives up. */
const AGE_MS_MAX = 2_000

/** Null when it is in time, as everything is that comes without the header. @throws Refusal 400 when that makes no sense */
export function latenessOf(headers: IncomingHttpHeaders, now: MonotonicMs): Refusal | null {
  const sent = headers[sentHeader]
  if (sent === undefined) return null
  if (typeof sent !== 'string' || !/^\d{1,15}(\.\d{1,9})?$/.test(sent))
    throw new Refusal(400, 'request.invalid', `${sentHeader}: must be milliseconds`)
  const ageMs = now - monotonicMs(Number(sent))
  if (Math.abs(ageMs) <= AGE_MS_MAX) return null
  const seconds = (Math.abs(ageMs) / 1_000).toFixed(1)
  return new Refusal(
    409,
    'command.refused',
    ageMs > 0
      ? `it came ${seconds} s late, and was not carried out; look at the stage, then ask again`
      : `it was sent ${seconds} s from now, by a clock that is not the one of this box`,
  )
}
