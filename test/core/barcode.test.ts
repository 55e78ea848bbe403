/** Bars against those of bwip-js, which has no line in common with ours. */
import bwip from 'bwip-js'
import fc from 'fast-check'
import t from 'tap'
import { barcode, barcodeContent } from '../../runtime/core/barcode.js'
import { code128Parts } from '../../runtime/core/code-128.js'
import type { Bitmap } from '../../runtime/ports/ticket.js'

const modulesOf = ({ width, rows }: Bitmap): string =>
  Array.from({ length: width }, (_, x) =>
    (rows[x >> 3] ?? 0) & (0x80 >> (x & 7)) ? '#' : '.',
  ).join('')

function theirs(bcid: string, text: string): string {
  const [symbol] = bwip.raw({ bcid, text })
  if (symbol === undefined || !('sbs' in symbol)) throw new Error('no bars')
  const widths: readonly number[] = symbol.sbs
  return widths.map((width, index) => (index % 2 === 0 ? '#' : '.').repeat(width)).join('')
}

t.test('an EAN-13 has the bars that another encoder draws, for every first digit', async t => {
  for (const digits of [
    ...Array.from({ length: 10 }, (_, first) => `${first}12345678901`.slice(0, 12)),
    ...['400638133393', '000000000000', '999999999999'],
  ]) {
    const content = barcodeContent('ean-13', digits)
    t.equal(modulesOf(barcode('ean-13', digits)), theirs('ean13', content), content)
  }
})

t.test('a Code 128 reads as another encoder draws it where both choose the same sets', async t => {
  for (const content of ['ABC-1234', 'a', '{brace}', '123456', 'X123456Y', ' ~', 'Wikipedia'])
    t.equal(modulesOf(barcode('code-128', content)), theirs('code128', content), content)
  const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at))
  for (const letter of printable)
    t.equal(modulesOf(barcode('code-128', `a${letter}`)), theirs('code128', `a${letter}`), letter)
  for (let pair = 0; pair < 100; pair++) {
    const digits = `${pair}`.padStart(2, '0').repeat(2)
    t.equal(modulesOf(barcode('code-128', digits)), theirs('code128', digits), digits)
  }
})

t.test('the sets of a Code 128 say what it holds, for any content', async t => {
  const letter = fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code))
  const digit = fc.integer({ min: 0, max: 9 }).map(String)
  const content = fc
    .array(fc.oneof(letter, digit, digit, digit), { minLength: 1, maxLength: 80 })
    .map(letters => letters.join(''))
  const holds = (): void =>
    fc.assert(
      fc.property(content, fc.boolean(), (text, isAllowed) => {
        const parts = code128Parts(text, () => isAllowed)
        const read = parts.map(({ set, codes }) =>
          set === 'b'
            ? String.fromCharCode(...codes)
            : codes.map(pair => `${pair}`.padStart(2, '0')).join(''),
        )
        return (
          read.join('') === text &&
          parts.every(({ set }, index) => set !== parts[index - 1]?.set) &&
          (isAllowed || parts.every(({ set }) => set === 'b'))
        )
      }),
    )
  t.doesNotThrow(holds)
})

t.test('what a barcode cannot hold is refused with the rule', async t => {
  const cases = [
    ['ean-13', '4006381333932', /check digit of this EAN-13 would be 1, is "4006381333932"/],
    ['ean-13', '40063813339', /12 digits/],
    ['ean-13', '40063813339x', /12 digits/],
    ['code-128', 'Ã', /ASCII/],
    ['code-128', 'a\nb', /ASCII/],
    ['code-128', '', /ASCII/],
    ['code-128', 'x'.repeat(81), /1 to 80/],
  ] as const
  for (const [symbology, content, message] of cases)
    t.throws(() => barcode(symbology, content), { code: 'ticket.invalid', message })
  t.equal(barcodeContent('ean-13', '400638133393'), '4006381333931')
})
