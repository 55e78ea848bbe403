/** Barcodes: what they may hold, and their modules. EAN-13 by the GS1 General Specifications, Code 128 by ISO/IEC 15417. */
import type { Bitmap } from '../ports/ticket.js'
import { blacken, blank } from './bitmap.js'
import { code128Bars } from './code-128.js'
import { BoxError } from './errors.js'

export type Symbology = 'ean-13' | 'code-128'

/** Printable ASCII: what readers hand on as typed. */
const CODE_128 = /^[\x20-\x7e]{1,80}$/
const EAN_13 = /^\d{12,13}$/

/**
 * @returns what the symbol holds: for EAN-13 always 13 digits
 * @throws BoxError `ticket.invalid`
 */
export function barcodeContent(symbology: Symbology, content: string): string {
  if (symbology === 'code-128') {
    if (CODE_128.test(content)) return content
    throw refusal('Code 128 holds 1 to 80 letters, digits and signs of ASCII', content)
  }
  if (!EAN_13.test(content)) throw refusal('EAN-13 holds 12 digits, or 13', content)
  const checked = `${content.slice(0, 12)}${ean13CheckDigit(content)}`
  if (!checked.startsWith(content))
    throw refusal(`the check digit of this EAN-13 would be ${checked.slice(12)}`, content)
  return checked
}

/** One row, one bit a module. @throws BoxError `ticket.invalid` */
export function barcode(symbology: Symbology, content: string): Bitmap {
  const checked = barcodeContent(symbology, content)
  const bars = symbology === 'ean-13' ? ean13Bars(checked) : code128Bars(checked)
  const bitmap = blank(
    bars.reduce((sum, modules) => sum + modules, 0),
    1,
  )
  let at = 0
  for (const [index, modules] of bars.entries())
    for (let end = at + modules; at < end; at++) if (index % 2 === 0) blacken(bitmap, at, 0)
  return bitmap
}

/** Clause 7.9: weights 1 and 3 from the left of twelve digits. */
function ean13CheckDigit(digits: string): number {
  const sum = [...digits.slice(0, 12)].reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  )
  return (10 - (sum % 10)) % 10
}

/** Widths of each digit in set A, beginning with a space, and in set C, beginning with a bar; set B is them backwards. */
const digitBars = '3211 2221 2122 1411 1132 1231 1114 1312 1213 3112'.split(' ')
/** The first digit has no bars of its own: it says which sets the six on the left are of. */
const leftSets = 'AAAAAA AABABB AABBAB AABBBA ABAABB ABBAAB ABBBAA ABABAB ABABBA ABBABA'.split(' ')
const GUARD = '111'
const MIDDLE_GUARD = '11111'

function ean13Bars(content: string): readonly number[] {
  const bars = (digit: string): string => digitBars[Number(digit)] ?? ''
  const backwards = (widths: string): string => [...widths].reverse().join('')
  const sets = leftSets[Number(content.charAt(0))] ?? ''
  const left = [...content.slice(1, 7)].map((digit, index) =>
    sets.charAt(index) === 'A' ? bars(digit) : backwards(bars(digit)),
  )
  const right = [...content.slice(7)].map(bars)
  return [...[GUARD, ...left, MIDDLE_GUARD, ...right, GUARD].join('')].map(Number)
}

const refusal = (rule: string, content: string): BoxError =>
  new BoxError('ticket.invalid', `${rule}, is ${JSON.stringify(content.slice(0, 90))}`)
