import t from 'tap'
import { nativeBarcode, nativeQr } from '../../drivers/escpos-symbols.js'
import { layoutTicket } from '../../runtime/core/ticket-layout.js'
import { paper80, ticketOf } from './ticket-examples.js'

/** A wide head, so that long codes fit. */
const paper = { ...paper80, dotsPerLine: 1024 }

/** Of a content that may be longer than a document allows. */
function qrBytes(content: string): readonly number[] | null {
  const block = { kind: 'qr', content: 'x', moduleDots: 2, errorCorrection: 'low' }
  const [piece] = layoutTicket(ticketOf(paper, block), paper).pieces
  return piece?.kind === 'qr' ? nativeQr({ ...piece, code: { ...piece.code, content } }) : []
}

function barcodeData(content: string): readonly number[] | null {
  const ticket = ticketOf(paper, { kind: 'barcode', symbology: 'code-128', content })
  const [piece] = layoutTicket(ticket, paper).pieces
  const bytes = piece?.kind === 'barcode' ? nativeBarcode(piece) : []
  return bytes === null ? null : bytes.slice(bytes.indexOf(0x6b) + 3)
}

t.test('the length of a QR code is in two bytes', async t => {
  const bytes = qrBytes('e'.repeat(600)) ?? []
  const store = bytes.slice(8 + 8 + 9 - 1, 8 + 8 + 9 + 7)
  t.same(bytes.slice(25, 33), [0x1d, 0x28, 0x6b, 603 & 0xff, 603 >> 8, 49, 80, 48], `${store}`)
  t.same(bytes.slice(-8), [0x1d, 0x28, 0x6b, 3, 0, 49, 81, 48])
})

t.test('a length that reads as DLE EOT is sent as dots', async t => {
  // 1037 bytes and three: 10 04.
  t.equal(qrBytes('e'.repeat(1037)), null)
  t.not(qrBytes('e'.repeat(1036)), null)
  t.not(qrBytes('e'.repeat(1038)), null)
})

t.test('a QR code of letters beyond ASCII is sent as dots, which say what they are', async t => {
  for (const content of ['https://example.org/?n=Zoë', '5 €', 'Привет', '\u0080'])
    t.equal(qrBytes(content), null, content)
  t.not(qrBytes(' ~'), null)
})

t.test('digits are pairs where that is shorter, and never a real-time command', async t => {
  const ascii = (text: string): number[] => [...Buffer.from(text)]
  const cases: readonly (readonly [content: string, data: number[]])[] = [
    ['ABC', ascii('{BABC')],
    ['123', ascii('{B123')],
    ['1234', [...ascii('{C'), 12, 34]],
    ['12345', [...ascii('{B1{C'), 23, 45]],
    ['A123456B', [...ascii('{BA{C'), 12, 34, 56, ...ascii('{BB')]],
    ['A1234B', ascii('{BA1234B')],
    ['A{B', ascii('{BA{{B')],
    // 16 and 04 are DLE and EOT, 16 and 20 DLE and DC4; 04 and 16 are nothing.
    ['1604', ascii('{B1604')],
    ['99160599', ascii('{B99160599')],
    ['1620', ascii('{B1620')],
    ['0416', [...ascii('{C'), 4, 16]],
  ]
  for (const [content, data] of cases) t.same(barcodeData(content), data, content)
})
