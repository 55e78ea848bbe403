/** From a message to bytes. What is reserved is zero. */
import { type Announce, layouts, type Message, type Tlv, VERSION } from './message.js'
import { viewOf, writeClock, writePort, writeTimestamp } from './wire.js'

export function serialise(message: Message): Uint8Array {
  const layout = layouts[message.type]
  const tlvBytes = message.tlvs.reduce((sum, { value }) => sum + 4 + value.byteLength, 0)
  const bytes = new Uint8Array(layout.byteCount + tlvBytes)
  const view = viewOf(bytes)
  view.setUint8(0, (message.header.sdo << 4) | layout.code)
  view.setUint8(1, (message.header.minorVersion << 4) | VERSION)
  view.setUint16(2, bytes.byteLength)
  view.setUint8(4, message.header.domain)
  view.setUint16(6, message.header.flags)
  view.setBigInt64(8, message.header.correctionScaled)
  writePort(view, 20, message.header.source)
  view.setUint16(30, message.header.sequenceId)
  view.setUint8(32, layout.control)
  view.setInt8(33, message.header.logInterval)
  writeBody(view, message)
  writeTlvs(bytes, layout.byteCount, message.tlvs)
  return bytes
}

function writeBody(view: DataView, message: Message): void {
  switch (message.type) {
    case 'announce':
      writeAnnounce(view, message)
      break
    case 'delay-response':
      writeTimestamp(view, 34, message.receivedNs)
      writePort(view, 44, message.requester)
      break
    case 'management':
      writePort(view, 34, message.target)
      view.setUint8(44, message.startingHops)
      view.setUint8(45, message.hops)
      view.setUint8(46, message.action)
      break
    case 'signaling':
      writePort(view, 34, message.target)
      break
    default:
      writeTimestamp(view, 34, message.originNs)
  }
}

function writeAnnounce(view: DataView, message: Announce): void {
  const { grandmaster } = message
  writeTimestamp(view, 34, message.originNs)
  view.setInt16(44, message.utcOffsetS)
  view.setUint8(47, grandmaster.priority1)
  view.setUint8(48, grandmaster.clockClass)
  view.setUint8(49, grandmaster.accuracy)
  view.setUint16(50, grandmaster.variance)
  view.setUint8(52, grandmaster.priority2)
  writeClock(view, 53, grandmaster.identity)
  view.setUint16(61, message.stepsRemoved)
  view.setUint8(63, message.timeSource)
}

function writeTlvs(bytes: Uint8Array, from: number, tlvs: readonly Tlv[]): void {
  const view = viewOf(bytes)
  let offset = from
  for (const { type, value } of tlvs) {
    view.setUint16(offset, type)
    view.setUint16(offset + 2, value.byteLength)
    bytes.set(value, offset + 4)
    offset += 4 + value.byteLength
  }
}
