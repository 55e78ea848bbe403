import t from 'tap'
import { linuxPictures } from '../../../drivers/linux/pictures.js'
import type { TicketDocument } from '../../../runtime/core/ticket-document.js'
import type { CodePageName } from '../../../runtime/ports/printer.js'
import {
  type ResolvedTicket,
  resolveTicket,
  withReprintBanner,
} from '../../../runtime/services/printing/resolve.js'
import { documentOf, paper58, paper80, ramp } from '../../drivers/ticket-examples.js'

const images = new Map([
  ['logo', ramp(200, 100)],
  ['needle', ramp(1, 4096)],
])

const resolved = (document: TicketDocument, codePage: CodePageName = 'cp858'): ResolvedTicket =>
  resolveTicket(document, { ...paper58, codePage }, images, linuxPictures)

t.test('a picture has its share of the paper, codes have their modules', async t => {
  const document = documentOf(
    { kind: 'image', image: 'logo', width: 0.5 },
    { kind: 'qr', content: 'CLAIM-1' },
    { kind: 'barcode', symbology: 'ean-13', content: '400638133393' },
    { kind: 'text', text: 'a', isBold: true },
  )
  t.match(resolved(document).ticket.blocks, [
    { kind: 'image', bitmap: { width: 192, height: 96 } },
    { kind: 'qr', modules: { width: 21, height: 21 } },
    { kind: 'barcode', modules: { width: 95, height: 1 } },
    { kind: 'text', style: { isBold: true, font: 'a', widthScale: 1 } },
  ])
  t.match(resolveTicket(document, paper80, images, linuxPictures).ticket.blocks[0], {
    bitmap: { width: 288, height: 144 },
  })
})

t.test('what cannot be resolved names its block and the reason', async t => {
  const cases: readonly (readonly [block: object, message: string | RegExp])[] = [
    [
      { kind: 'image', image: 'lgo' },
      'ticket.blocks[0] (image): there is no image "lgo" (did you mean "logo"?)',
    ],
    [{ kind: 'image', image: 'needle' }, /\(image\): would be 1572864 dots high/],
    [
      { kind: 'qr', content: '漢'.repeat(1000), errorCorrection: 'high' },
      /\(qr\): this is more than a QR code holds/,
    ],
    [
      { kind: 'barcode', symbology: 'ean-13', content: '4006381333930' },
      /\(barcode\): the check digit of this EAN-13 would be 1/,
    ],
    [{ kind: 'qr', content: 'x'.repeat(200), moduleDots: 16 }, /\(qr\): is \d+ dots wide/],
  ]
  for (const [block, message] of cases)
    t.throws(() => resolved(documentOf(block)), { code: 'ticket.invalid', message })
})

t.test('letters that the printer has not are told, each once for each block', async t => {
  const document = documentOf(
    { kind: 'text', text: 'Łódź – 漢漢' },
    { kind: 'table', columns: [{}], rows: [['漢'], ['ok']] },
    { kind: 'qr', content: '漢' },
  )
  t.same(resolved(document).warnings, [
    'ticket.blocks[0] (text): "Ł" is not in cp858 and is printed as "L"',
    'ticket.blocks[0] (text): "ź" is not in cp858 and is printed as "z"',
    'ticket.blocks[0] (text): "漢" is not in cp858 and is printed as "?"',
    'ticket.blocks[1] (table): "漢" is not in cp858 and is printed as "?"',
  ])
  t.same(resolved(documentOf({ kind: 'text', text: 'Привет' }), 'cp866').warnings, [])
  t.same(resolved(documentOf({ kind: 'text', text: 'Łódź, 5 €' }), 'cp852').warnings, [])
  const many = Array.from({ length: 50 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join('')
  const { warnings } = resolved(documentOf({ kind: 'text', text: many }))
  t.equal(warnings.length, 21)
  t.equal(warnings.at(-1), 'and 30 more letters')
})

const kindsOf = ({ blocks }: TicketDocument): string[] =>
  blocks.map(block => (block.kind === 'text' ? block.text.trim() : block.kind))

t.test('a reprint is marked at both ends, before it is cut, and opens no drawer', async t => {
  const document = documentOf({ kind: 'text', text: 'one' }, { kind: 'cut' }, { kind: 'drawer' })
  const marked = withReprintBanner(document, 2)
  t.same(kindsOf(marked), ['REPRINT 2', 'one', 'REPRINT 2', 'cut'])
  t.match(marked.blocks[0], { isInverted: true, isBold: true, widthScale: 2, heightScale: 3 })
  t.same(kindsOf(withReprintBanner(documentOf({ kind: 'rule' }), 1)), [
    'REPRINT 1',
    'rule',
    'REPRINT 1',
  ])
})

t.test('no part that a cut makes of a reprint could pass for the original', async t => {
  const document = documentOf(
    ...[{ kind: 'cut' }, { kind: 'text', text: 'one' }, { kind: 'drawer' }, { kind: 'cut' }],
    ...[{ kind: 'cut' }, { kind: 'rule' }, { kind: 'text', text: 'two' }],
  )
  const mark = 'REPRINT 1'
  t.same(kindsOf(withReprintBanner(document, 1)), [
    ...['cut', mark, 'one', mark, 'cut'],
    ...['cut', mark, 'rule', 'two', mark],
  ])
})

t.test('the mark fits every head', async t => {
  for (const reprint of [1, 999]) {
    const marked = withReprintBanner(documentOf({ kind: 'rule' }), reprint)
    const { ticket } = resolveTicket(marked, paper58, images, linuxPictures)
    t.match(ticket.blocks[0], { text: ` REPRINT ${reprint} ` })
    // 384 dots hold 16 letters of double width.
    t.ok(` REPRINT ${reprint} `.length <= 16)
  }
})
