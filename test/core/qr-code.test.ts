/** Module by module against bwip-js, which has no line in common with ours. */
import bwip from 'bwip-js'
import t from 'tap'
import { qrCode } from '../../runtime/core/qr-code.js'
import type { Bitmap } from '../../runtime/ports/ticket.js'

const levels = { low: 'L', medium: 'M', quartile: 'Q', high: 'H' } as const
type Level = keyof typeof levels

const MASKS = 8

function ours({ width, height, rows }: Bitmap): string {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_x, x) =>
      (rows[y * Math.ceil(width / 8) + (x >> 3)] ?? 0) & (0x80 >> (x & 7)) ? '#' : '.',
    ).join(''),
  ).join('\n')
}

const withEci = (text: string): string => (/^\p{ASCII}*$/u.test(text) ? text : `^ECI000026${text}`)

/** With each mask: which of them is best is told by rules that leave room. */
function theirs(text: string, level: Level, version: number): readonly string[] {
  return Array.from({ length: MASKS }, (_, mask) => {
    const [symbol] = bwip.raw({
      ...{ bcid: 'qrcode', text: withEci(text), eclevel: levels[level], parsefnc: true },
      ...{ version: `${version}`, mask: mask + 1, fixedeclevel: true },
    })
    if (symbol === undefined || !('pixs' in symbol)) throw new Error('no modules')
    const { pixs, pixx, pixy } = symbol
    return Array.from({ length: pixy }, (_row, y) =>
      pixs
        .slice(y * pixx, (y + 1) * pixx)
        .map(value => (value === 1 ? '#' : '.'))
        .join(''),
    ).join('\n')
  })
}

const isSame = (text: string, level: Level): boolean => {
  const code = qrCode(text, level)
  return theirs(text, level, (code.width - 17) / 4).includes(ours(code))
}

for (const level of ['low', 'medium', 'quartile', 'high'] as const) {
  t.test(`a code with ${level} correction is the one of another encoder`, async t => {
    for (const length of [1, 18, 150, 400]) t.ok(isSame('a'.repeat(length), level), `${length}`)
    t.ok(isSame('0123456789'.repeat(3), level), 'digits')
    t.ok(isSame('CLAIM-7F3K-22 $%*+./:', level), 'capitals')
    t.ok(isSame('Käsekuchen für 漢字 \u{1f3ab}', level), 'UTF-8, and says so')
  })
}

t.test(
  'the largest code is the one of another encoder, and one letter more is refused',
  async t => {
    t.ok(isSame('7'.repeat(7089), 'low'))
    t.throws(() => qrCode('7'.repeat(7090), 'low'), {
      code: 'ticket.invalid',
      message: 'this is more than a QR code holds',
    })
    t.equal(qrCode('x'.repeat(2953), 'low').width, 177)
    t.equal(qrCode('x'.repeat(1273), 'high').width, 177)
  },
)

t.test('each version begins where the one before is full', async t => {
  // ISO/IEC 18004, table 7: letters of byte mode that versions 1, 2, 9, 10, 26 and 27 hold at level M.
  for (const [version, letters] of [
    [1, 14],
    [2, 26],
    [9, 180],
    [10, 213],
    [26, 1059],
    [27, 1125],
  ] as const) {
    t.equal(qrCode('x'.repeat(letters), 'medium').width, version * 4 + 17)
    t.equal(qrCode('x'.repeat(letters + 1), 'medium').width, version * 4 + 21)
  }
})
