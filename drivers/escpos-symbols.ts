/**
 * Codes that the printer draws itself: QR by `GS ( k` (functions 165, 167, 169, 180, 181) and barcodes by `GS k`, function
 * B (Epson ESC/POS Application Programming Guide).
 */
import { code128Parts } from '../runtime/core/code-128.js'
import type { BarcodePiece, QrPiece } from '../runtime/core/ticket-layout.js'
import { hasRealTime } from './escpos-raster.js'
import { GS } from './escpos-text.js'

const errorCorrections = { low: 48, medium: 49, quartile: 50, high: 51 } as const

const BEYOND_ASCII = /[^\x20-\x7e]/

/**
 * @returns null where it is sent as dots: where the bytes would hold a real-time command, and for letters beyond ASCII. A
 * printer cannot be told to say in the code that they are UTF-8, and a scanner then guesses (ISO/IEC 18004: Latin-1).
 */
export function nativeQr({ code }: QrPiece): readonly number[] | null {
  if (BEYOND_ASCII.test(code.content)) return null
  const content = asciiOf(code.content)
  const bytes = [
    // Function 165: model 2. 167: dots a module. 169: error correction. 180: store. 181: print.
    ...qrFunction(65, [50, 0]),
    ...qrFunction(67, [code.moduleDots]),
    ...qrFunction(69, [errorCorrections[code.errorCorrection]]),
    ...qrFunction(80, [48, ...content]),
    ...qrFunction(81, [48]),
  ]
  return hasRealTime(bytes) ? null : bytes
}

/** `GS ( k pL pH cn fn …`: the length counts from cn, which is 49 for QR. */
function qrFunction(fn: number, parameters: readonly number[]): readonly number[] {
  const length = parameters.length + 2
  return [GS, 0x28, 0x6b, length & 0xff, length >> 8, 49, fn, ...parameters]
}

const EAN_13 = 67
const CODE_128 = 73
const DATA_BYTES_MAX = 255

/** @returns null where the data does not fit into one command: then it is sent as dots */
export function nativeBarcode({ code, content }: BarcodePiece): readonly number[] | null {
  const system = code.symbology === 'ean-13' ? EAN_13 : CODE_128
  const letters = code.symbology === 'ean-13' ? asciiOf(content) : code128(content)
  const bytes = [
    ...[GS, 0x68, code.heightDots],
    ...[GS, 0x77, code.moduleDots],
    // Font A beneath, or nothing.
    ...[GS, 0x66, 0],
    ...[GS, 0x48, code.isTextShown ? 2 : 0],
    ...[GS, 0x6b, system, letters.length, ...letters],
  ]
  return letters.length > DATA_BYTES_MAX || hasRealTime(bytes) ? null : bytes
}

const asciiOf = (text: string): number[] => [...text].map(letter => letter.charCodeAt(0))

const BRACE = 0x7b
const setNames = { b: 0x42, c: 0x43 } as const

/**
 * Data for `GS k 73`: `{B` and letters, `{C` and one byte for each pair of digits. A brace is doubled, since it begins a
 * change of set. Pairs that read as a real-time command, 16 and 04 for one, stay letters.
 */
function code128(content: string): readonly number[] {
  return code128Parts(content, pairs => !hasRealTime(pairs)).flatMap(({ set, codes }) => [
    ...[BRACE, setNames[set]],
    ...(set === 'b' ? codes.flatMap(code => (code === BRACE ? [BRACE, BRACE] : [code])) : codes),
  ])
}
