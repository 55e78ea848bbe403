/** Pictures by pngjs: the only file that imports it. Codes are our own. */
import { PNG } from 'pngjs'
import { barcode } from '../../runtime/core/barcode.js'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import { qrCode } from '../../runtime/core/qr-code.js'
import type { GrayImage, Pictures } from '../../runtime/ports/pictures.js'

const SIDE_DOTS_MAX = 4096
const FILE_BYTES_MAX = 8 * 1024 * 1024

export const linuxPictures: Pictures = { readPng, qr: qrCode, barcode }

function readPng(bytes: Uint8Array): GrayImage {
  requireModestPng(bytes)
  try {
    const { width, height, data } = PNG.sync.read(Buffer.from(bytes))
    return { width, height, pixels: grays(data) }
  } catch (cause) {
    // Whatever the library throws at a file from outside is a refusal of the file.
    throw new BoxError('ticket.invalid', `this PNG cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Looks at the first chunk before anything is unpacked: a file of a few kilobytes may say that it is a picture of
 * gigabytes. An interlaced one is unpacked by the library without a limit.
 */
function requireModestPng(bytes: Uint8Array): void {
  const refuse = (message: string): BoxError => new BoxError('ticket.invalid', message)
  if (bytes.length > FILE_BYTES_MAX)
    throw refuse(`this PNG has ${bytes.length} bytes, at most ${FILE_BYTES_MAX}`)
  if (bytes.length < HEADER_BYTES || !pngStart.every((byte, index) => bytes[index] === byte))
    throw refuse('this is no PNG')
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  const width = header.getUint32(16)
  const height = header.getUint32(20)
  if (Math.min(width, height) < 1 || Math.max(width, height) > SIDE_DOTS_MAX)
    throw refuse(
      `this PNG has ${width} by ${height} dots, at most ${SIDE_DOTS_MAX} by ${SIDE_DOTS_MAX}`,
    )
  if (header.getUint8(28) !== 0) throw refuse('this PNG is interlaced: save it without')
}

/** Signature, and the length and name of the first chunk (PNG specification, 5.2 and 11.2.1). */
const pngStart = [
  ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  ...[0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52],
]
const HEADER_BYTES = 29

/** Luma by ITU-R BT.709, upon white where the picture is transparent. */
function grays(rgba: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(rgba.length / 4)
  const channel = (at: number): number => rgba[at] ?? 0
  for (let at = 0, from = 0; at < pixels.length; at++, from += 4) {
    const luma = 0.2126 * channel(from) + 0.7152 * channel(from + 1) + 0.0722 * channel(from + 2)
    pixels[at] = Math.round(255 + ((luma - 255) * channel(from + 3)) / 255)
  }
  return pixels
}
