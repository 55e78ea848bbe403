/** The serial is on every ticket, whoever wrote it. */
import t from 'tap'
import { check } from '../../../runtime/core/schema.js'
import { type TicketDocument, ticketDocument } from '../../../runtime/core/ticket-document.js'
import { withSerial } from '../../../runtime/services/printing/ticket-making.js'

const SERIAL = 'K7QX2M-0001-F'

const documentOf = (...blocks: readonly unknown[]): TicketDocument =>
  check(ticketDocument, { blocks }, 'ticket')

const text = (value: string): unknown => ({ kind: 'text', text: value })
const kinds = ({ blocks }: TicketDocument): string => blocks.map(({ kind }) => kind).join(' ')

for (const [why, blocks, found] of [
  ['at the end', [text('x')], 'text qr text'],
  ['in front of the last cut', [text('x'), { kind: 'cut' }], 'text qr text cut'],
  [
    'in front of the last cut and the drawer behind it',
    [text('x'), { kind: 'cut' }, text('y'), { kind: 'cut' }, { kind: 'drawer' }],
    'text cut text qr text cut drawer',
  ],
  ['also where only a drawer is opened', [{ kind: 'drawer' }], 'qr text drawer'],
] as const)
  t.test(`a serial that is missing is added ${why}`, async t => {
    const marked = withSerial(documentOf(...blocks), SERIAL)
    t.equal(kinds(marked), found)
    t.same(check(ticketDocument, marked, 'ticket'), marked, 'it can be kept and read back')
  })

for (const [where, block] of [
  ['text', text(`Your number: ${SERIAL}.`)],
  ['a table', { kind: 'table', columns: [{}, {}], rows: [['No', SERIAL]] }],
  ['a QR code', { kind: 'qr', content: `https://tour.example/t/${SERIAL}` }],
  ['a barcode', { kind: 'barcode', symbology: 'code-128', content: SERIAL }],
] as const)
  t.test(`a serial that is there in ${where} is not added`, async t => {
    const document = documentOf(block)
    t.equal(withSerial(document, SERIAL), document)
  })

t.test('a ticket that leaves no room for it is refused', async t => {
  const full = documentOf(...Array.from({ length: 255 }, () => ({ kind: 'rule' })))
  t.throws(() => withSerial(full, SERIAL), { code: 'ticket.invalid' })
  t.equal(withSerial(documentOf(...full.blocks.slice(1)), SERIAL).blocks.length, 256)
})
