/** From bytes to a message. Nothing that arrives makes it throw. */
import {
  type Announce,
  type Header,
  type Kind,
  layouts,
  MESSAGE_BYTES_MAX,
  type Message,
  type Tlv,
  VERSION,
} from './message.js'
import { readClock, readPort, readTimestamp, viewOf } from './wire.js'

const HEADER_BYTES = 34
const TLVS_MAX = 16

const byCode = new Map<number, Kind>([
  [0x0, 'sync'],
  [0x1, 'delay-request'],
  [0x8, 'follow-up'],
  [0x9, 'delay-response'],
  [0xb, 'announce'],
  [0xc, 'signaling'],
  [0xd, 'management'],
])

/** @returns null for whatever is not a well-formed message of version 2 that concerns an ordinary clock; never throws */
export function parse(bytes: Uint8Array): Message | null {
  if (bytes.byteLength < HEADER_BYTES) return null
  const view = viewOf(bytes)
  const kind = byCode.get(view.getUint8(0) & 0x0f)
  const byteCount = view.getUint16(2)
  if (kind === undefined || (view.getUint8(1) & 0x0f) !== VERSION) return null
  const isWhole = byteCount >= layouts[kind].byteCount && byteCount <= bytes.byteLength
  if (!isWhole || byteCount > MESSAGE_BYTES_MAX) return null
  const tlvs = parseTlvs(bytes, layouts[kind].byteCount, byteCount)
  return tlvs === null ? null : parseBody(kind, view, parseHeader(view), tlvs)
}

const parseHeader = (view: DataView): Header => ({
  sdo: view.getUint8(0) >> 4,
  minorVersion: view.getUint8(1) >> 4,
  domain: view.getUint8(4),
  flags: view.getUint16(6),
  correctionScaled: view.getBigInt64(8),
  source: readPort(view, 20),
  sequenceId: view.getUint16(30),
  logInterval: view.getInt8(33),
})

function parseBody(
  type: Kind,
  view: DataView,
  header: Header,
  tlvs: readonly Tlv[],
): Message | null {
  if (type === 'signaling') return { header, type, target: readPort(view, 34), tlvs }
  if (type === 'management') {
    const action = view.getUint8(46) & 0x0f
    const [startingHops, hops] = [view.getUint8(44), view.getUint8(45)]
    return { header, type, target: readPort(view, 34), startingHops, hops, action, tlvs }
  }
  const originNs = readTimestamp(view, 34)
  if (originNs === null) return null
  if (type === 'announce') return { header, type, originNs, ...parseAnnounce(view), tlvs }
  if (type !== 'delay-response') return { header, type, originNs, tlvs }
  return { header, type, receivedNs: originNs, requester: readPort(view, 44), tlvs }
}

const parseAnnounce = (
  view: DataView,
): Pick<Announce, 'utcOffsetS' | 'grandmaster' | 'stepsRemoved' | 'timeSource'> => ({
  utcOffsetS: view.getInt16(44),
  grandmaster: {
    priority1: view.getUint8(47),
    clockClass: view.getUint8(48),
    accuracy: view.getUint8(49),
    variance: view.getUint16(50),
    priority2: view.getUint8(52),
    identity: readClock(view, 53),
  },
  stepsRemoved: view.getUint16(61),
  timeSource: view.getUint8(63),
})

/** @returns null where the last reaches past the end, where there are too many, or bytes are left that are none */
function parseTlvs(bytes: Uint8Array, from: number, to: number): readonly Tlv[] | null {
  if (from === to) return NONE
  const view = viewOf(bytes)
  const tlvs: Tlv[] = []
  let offset = from
  while (offset + 4 <= to && tlvs.length < TLVS_MAX) {
    const end = offset + 4 + view.getUint16(offset + 2)
    tlvs.push({ type: view.getUint16(offset), value: bytes.slice(offset + 4, end) })
    offset = end
  }
  return offset === to ? tlvs : null
}

const NONE: readonly Tlv[] = []
