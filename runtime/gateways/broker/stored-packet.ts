/** A message as it is kept: what aedes needs to send it again, and its form in the store. */
import { BoxError } from '../../core/errors.js'
import {
  boolean,
  check,
  either,
  integer,
  literal,
  object,
  optional,
  string,
} from '../../core/schema.js'

export type QoS = 0 | 1 | 2

export interface StoredPacket {
  cmd: 'publish'
  brokerId?: string | undefined
  brokerCounter?: number | undefined
  topic: string
  /** A text only when the process itself published a text. */
  payload: Buffer | string
  qos: QoS
  retain: boolean
  dup: boolean
  messageId?: number | undefined
}

/** What aedes hands over; its own type claims less than it sends. */
export interface PacketLike {
  readonly cmd?: string | undefined
  readonly brokerId?: string | null | undefined
  readonly brokerCounter?: number | undefined
  readonly topic: string
  readonly payload?: Buffer | string | undefined
  readonly qos?: number | undefined
  readonly retain?: boolean | undefined
  readonly messageId?: number | undefined
}

export interface Will extends StoredPacketHead {
  payload: Buffer | string
  clientId?: string | undefined
  brokerId?: string | undefined
}

/** Of a will: who asked for it, and the user it speaks for. */
interface Origin {
  readonly clientId: string | undefined
  readonly owner: string | undefined
}

interface StoredPacketHead {
  topic: string
  qos: QoS
  retain: boolean
}

const qosSchema = either(literal(0), literal(1), literal(2))

export const packetHead = object({
  topic: string({ min: 1, max: 65_535 }),
  qos: qosSchema,
  retain: boolean,
  isText: boolean,
  brokerId: optional(string({ max: 256 })),
  brokerCounter: optional(integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  clientId: optional(string({ max: 65_535 })),
  owner: optional(string({ max: 128 })),
})

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Four bytes of length, the head as JSON, the payload as it came. */
export function encodePacket(packet: PacketLike & Partial<Origin>): Uint8Array {
  const payload = packet.payload ?? ''
  const isText = typeof payload === 'string'
  const body = isText ? encoder.encode(payload) : payload
  const text = encoder.encode(
    JSON.stringify({
      topic: packet.topic,
      qos: packet.qos ?? 0,
      retain: packet.retain ?? false,
      isText,
      ...(packet.brokerId === undefined || packet.brokerId === null
        ? {}
        : { brokerId: packet.brokerId }),
      ...(packet.brokerCounter === undefined ? {} : { brokerCounter: packet.brokerCounter }),
      ...(packet.clientId === undefined ? {} : { clientId: packet.clientId }),
      ...(packet.owner === undefined ? {} : { owner: packet.owner }),
    }),
  )
  const bytes = new Uint8Array(4 + text.length + body.length)
  new DataView(bytes.buffer).setUint32(0, text.length)
  bytes.set(text, 4)
  bytes.set(body, 4 + text.length)
  return bytes
}

/** @throws BoxError `storage.rotten` when the bytes are not what `encodePacket` wrote. */
export function decodePacket(bytes: Uint8Array): StoredPacket & Origin {
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
    const fields = check(
      packetHead,
      JSON.parse(decoder.decode(bytes.subarray(4, 4 + length))),
      'packet',
    )
    const body = Buffer.from(bytes.subarray(4 + length))
    return {
      cmd: 'publish',
      brokerId: fields.brokerId,
      brokerCounter: fields.brokerCounter,
      topic: fields.topic,
      payload: fields.isText ? body.toString('utf8') : body,
      qos: fields.qos,
      retain: fields.retain,
      dup: false,
      messageId: undefined,
      clientId: fields.clientId,
      owner: fields.owner,
    }
  } catch (cause) {
    throw new BoxError('storage.rotten', 'a stored MQTT message cannot be read', { cause })
  }
}

/** A packet of our own: aedes changes the ones it hands over, and publishers set DUP for themselves only. */
export const copyOf = (packet: PacketLike): StoredPacket => ({
  cmd: 'publish',
  brokerId: packet.brokerId ?? undefined,
  brokerCounter: packet.brokerCounter,
  topic: packet.topic,
  payload: packet.payload ?? Buffer.alloc(0),
  qos: qosOf(packet.qos),
  retain: packet.retain ?? false,
  dup: false,
  messageId: undefined,
})

export const qosOf = (qos: number | undefined): QoS => (qos === 1 || qos === 2 ? qos : 0)

export const payloadBytes = (payload: Buffer | string | undefined): number =>
  typeof payload === 'string' ? Buffer.byteLength(payload) : (payload?.length ?? 0)

/** Orders messages by boot, then by number: 16 digits hold every safe integer. */
export const messageKey = (packet: {
  readonly brokerId?: string | null | undefined
  readonly brokerCounter?: number | undefined
}): string => `${packet.brokerId ?? ''}:${String(packet.brokerCounter ?? 0).padStart(16, '0')}`

/** Client ids may hold any character; in a key they must not hold the separator. */
export const clientKey = (clientId: string): string => Buffer.from(clientId).toString('base64url')
export const clientOfKey = (key: string): string => Buffer.from(key, 'base64url').toString('utf8')
