/**
 * What mqtt-packet lets through: packets of 256 MiB, texts that are not UTF-8, identifiers of zero, requests for nothing,
 * and bytes that make it throw.
 */
import { isUtf8 } from 'node:buffer'
import type { InnerClient, InnerParser } from './aedes-inside.js'

export interface ParserGuardOptions {
  readonly packetBytesMax: number
  readonly onPacket: (bytes: number) => void
  readonly onTooLarge: () => void
}

/** To be put on before the first byte is read. Whatever it finds closes the connection (MQTT-4.8.0-1). */
export function guardParser(client: InnerClient, options: ParserGuardOptions): void {
  const parser = client._parser
  const parseLength = parser._parseLength.bind(parser)
  const parsePayload = parser._parsePayload.bind(parser)
  const parseString = parser._parseString.bind(parser)

  // The length stands in the fixed header: refused before a byte of the rest is kept.
  parser._parseLength = () => {
    if (!parseLength()) return false
    if (parser.packet.length <= options.packetBytesMax) return true
    options.onTooLarge()
    return parser._emitError(
      Object.assign(new Error(`a packet of ${parser.packet.length} bytes`), {
        code: 'packet.large',
      }),
    )
  }

  parser._parsePayload = () => {
    const bytes = parser.packet.length
    try {
      const isComplete = parsePayload()
      if (isComplete && !isSoundPacket(parser.packet))
        return parser._emitError(new Error('no identifier, or nothing to unsubscribe from'))
      if (isComplete) options.onPacket(bytes)
      return isComplete
    } catch (error) {
      return parser._emitError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  // All texts of a packet: topics, filters, the topic of a will, the client's and the user's name.
  parser._parseString = () => {
    const start = parser._pos + 2
    const text = parseString()
    if (text === null) return null
    // U+0000 is not allowed (MQTT-1.5.3-2); U+FFFD is what the decoder puts where the bytes were wrong (MQTT-1.5.3-1).
    const isSound =
      !text.includes('\u0000') &&
      (!text.includes('\ufffd') || isUtf8(parser._list.slice(start, parser._pos)))
    if (!isSound) parser._emitError(new Error('a text is not well-formed UTF-8'))
    return isSound ? text : null
  }
}

/** MQTT-2.3.1-1: identifiers are not zero. MQTT-3.10.3-2: UNSUBSCRIBE names at least one filter. */
function isSoundPacket({ cmd, qos, messageId, unsubscriptions }: InnerParser['packet']): boolean {
  const isNumbered =
    cmd === 'subscribe' || cmd === 'unsubscribe' || (cmd === 'publish' && qos !== 0)
  const isEmpty = cmd === 'unsubscribe' && unsubscriptions?.length === 0
  return !isEmpty && !(isNumbered && messageId === 0)
}
