import t from 'tap'
import { layoutTicket, lineDots, plainStyle } from '../../runtime/core/ticket-layout.js'
import { paper58, paper80, ticketOf } from '../drivers/ticket-examples.js'

t.test('everything has its place in dots, and the heights add up', async t => {
  const ticket = ticketOf(
    paper58,
    { kind: 'text', text: 'ab', align: 'right', widthScale: 2 },
    { kind: 'text', text: 'abc', align: 'center', font: 'b' },
    { kind: 'rule' },
    { kind: 'space', millimetres: 2.5 },
    { kind: 'image', image: 'logo', width: 0.5, align: 'center' },
    { kind: 'qr', content: 'A', moduleDots: 4 },
    { kind: 'barcode', symbology: 'ean-13', content: '4006381333931', align: 'right' },
    { kind: 'cut', feedMillimetres: 3 },
    { kind: 'drawer' },
  )
  const { pieces, heightDots } = layoutTicket(ticket, paper58)
  t.match(pieces, [
    { kind: 'line', leftDots: 336, heightDots: 30 },
    { kind: 'line', leftDots: 178, heightDots: 22 },
    { kind: 'rule', heightDots: 30 },
    { kind: 'feed', heightDots: 20 },
    { kind: 'image', leftDots: 96, heightDots: 96 },
    // 21 modules, and 4 of white above and below.
    { kind: 'qr', leftDots: 150, quietDots: 16, heightDots: 116 },
    // 95 modules of 2 dots; 80 dots high, a line of digits, a gap.
    { kind: 'barcode', leftDots: 194, captionLeftDots: 211, heightDots: 116 },
    { kind: 'cut', heightDots: 24 },
    { kind: 'drawer', heightDots: 0 },
  ])
  t.equal(
    heightDots,
    pieces.reduce((sum, piece) => sum + piece.heightDots, 0),
  )
})

t.test('letters that become several are broken as what they become', async t => {
  const ticket = ticketOf(paper58, { kind: 'text', text: '€'.repeat(11) })
  const texts = (page: 'cp437' | 'cp858'): number[] =>
    layoutTicket(ticket, { ...paper58, codePage: page }).pieces.flatMap(piece =>
      piece.kind === 'line' ? [piece.text.length] : [],
    )
  t.same(texts('cp858'), [11])
  t.same(texts('cp437'), [32, 1])
})

t.test(
  'an inverted table is a bar over the whole paper, another is as long as its text',
  async t => {
    const table = { kind: 'table', columns: [{}, {}], rows: [['a', 'b']] }
    const textOf = (block: object): unknown => {
      const [piece] = layoutTicket(ticketOf(paper80, block), paper80).pieces
      return piece?.kind === 'line' ? piece.text.length : null
    }
    t.equal(textOf(table), 26)
    t.equal(textOf({ ...table, isInverted: true }), 48)
  },
)

t.test('the largest line spacing is one byte', async t => {
  t.equal(lineDots({ ...plainStyle, heightScale: 8 }), 198)
})
