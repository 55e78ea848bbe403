/**
 * Answers to those who ask over the network how the clock does (IEEE 1588-2008 clause 15), as `pmc` does. Nothing can
 * be set from there: whoever tries is told so.
 */
import type { MonotonicMs } from '../../../ports/clock.js'
import { answers, type ClockView, joined, u16 } from './management-values.js'
import { Flag, type Management, type Tlv } from './message.js'
import type { Packet, Send } from './port.js'
import { serialise } from './serialise.js'
import { ALL_CLOCKS, ALL_PORTS, viewOf } from './wire.js'

const Action = { get: 0, set: 1, response: 2, command: 3, acknowledge: 4 } as const
const TlvType = { management: 0x0001, errorStatus: 0x0002 } as const
/** Table 72. */
const Refusal = { noSuchId: 0x0002, notSetable: 0x0005, notSupported: 0x0006 } as const

/** Every identifier of table 40: one of these is not supported, any other does not exist. */
const isOfTheStandard = (id: number): boolean =>
  id <= 0x0007 ||
  (id >= 0x2000 && id <= 0x2021) ||
  (id >= 0x4000 && id <= 0x4002) ||
  id >> 1 === 0x3000

const ANSWERS_PER_SECOND = 32

/** Answers no more often than it does no harm. */
export class ManagementDesk {
  #count = 0
  #since: MonotonicMs | null = null

  answer(request: Management, { at, from }: Packet, view: ClockView): Send | null {
    if (this.#since === null || at - this.#since >= 1000) {
      this.#since = at
      this.#count = 0
    }
    if (this.#count >= ANSWERS_PER_SECOND) return null
    const answer = answerTo(request, view)
    if (answer === null) return null
    this.#count++
    const address = (request.header.flags & Flag.unicast) === 0 ? null : from
    return { kind: 'send', bytes: serialise(answer), port: 'general', address, token: null }
  }
}

/** @returns null for what is not a question to this clock, and for what is not to be answered */
export function answerTo(request: Management, view: ClockView): Management | null {
  const { identity } = view.options
  const { target, tlvs, action } = request
  const isClock = target.clock === identity.clock || target.clock === ALL_CLOCKS
  const isPort = target.port === identity.port || target.port === ALL_PORTS || target.port === 0
  const [first] = tlvs
  const isQuestion = action === Action.get || action === Action.set || action === Action.command
  if (!isClock || !isPort || !isQuestion || tlvs.length !== 1) return null
  if (first?.type !== TlvType.management || first.value.byteLength < 2) return null
  const id = viewOf(first.value).getUint16(0)
  return reply(
    request,
    view,
    action === Action.get ? answered(id, view) : refused(id, refusalOf(id)),
  )
}

function reply(request: Management, view: ClockView, tlv: Tlv): Management {
  const hops = request.startingHops - request.hops
  const isUnicast = (request.header.flags & Flag.unicast) !== 0
  return {
    ...request,
    header: {
      ...request.header,
      minorVersion: 0,
      correctionScaled: 0n,
      flags: isUnicast ? Flag.unicast : 0,
      source: view.options.identity,
    },
    target: request.header.source,
    startingHops: hops < 0 ? 0 : hops,
    hops: hops < 0 ? 0 : hops,
    action: request.action === Action.command ? Action.acknowledge : Action.response,
    tlvs: [tlv],
  }
}

const refusalOf = (id: number): number => {
  if (answers.has(id)) return Refusal.notSetable
  return isOfTheStandard(id) ? Refusal.notSupported : Refusal.noSuchId
}

/** MANAGEMENT_ERROR_STATUS (15.5.4): the reason, what was asked, and four reserved bytes. */
const refused = (id: number, reason: number): Tlv => ({
  type: TlvType.errorStatus,
  value: joined([u16(reason), u16(id), new Uint8Array(4)]),
})

function answered(id: number, view: ClockView): Tlv {
  const answer = answers.get(id)
  if (!answer) return refused(id, refusalOf(id))
  const value = joined([u16(id), ...answer(view)])
  const isEven = value.byteLength % 2 === 0
  return { type: TlvType.management, value: isEven ? value : joined([value, new Uint8Array(1)]) }
}
