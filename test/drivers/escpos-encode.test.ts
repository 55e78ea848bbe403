import fc from 'fast-check'
import t from 'tap'
import {
  type EscposOptions,
  encodeTicket,
  escposOptionsUsual,
} from '../../drivers/escpos-encode.js'
import { codePageNames } from '../../runtime/core/code-pages.js'
import { BoxError } from '../../runtime/core/errors.js'
import type { Paper } from '../../runtime/ports/printer.js'
import type { Ticket } from '../../runtime/ports/ticket.js'
import { type Read, readEscpos } from './escpos-reader.js'
import { tickets } from './ticket-arbitrary.js'
import { documentOf, paper58, paper80, ticketOf } from './ticket-examples.js'

const START = '1b 40 1b 74 13 1c 2e 1b 52 00 1d 50 cb cb'
/** 14 mm to the tear bar, 112 dots. */
const END = '1b 4a 70'

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ')

const encoded = (
  paper: Paper,
  options: Partial<EscposOptions>,
  ...blocks: readonly object[]
): Uint8Array =>
  encodeTicket(ticketOf(paper, ...blocks), paper, { ...escposOptionsUsual, ...options }).bytes

const readBack = (
  paper: Paper,
  options: Partial<EscposOptions>,
  ...blocks: readonly object[]
): readonly Read[] => readEscpos(encoded(paper, options, ...blocks)).items

t.test('each kind of block has the bytes of the command tables', async t => {
  const cases: readonly (readonly [name: string, block: object, bytes: string])[] = [
    ['plain text', { kind: 'text', text: 'Hi €' }, `1b 33 1e 48 69 20 d5 0a ${END}`],
    [
      'all styles, and back',
      {
        ...{ kind: 'text', text: 'A', align: 'right', isBold: true, isUnderlined: true },
        ...{ isInverted: true, widthScale: 2, heightScale: 3, font: 'b' },
      },
      '1b 4d 01 1d 21 12 1b 45 01 1b 2d 01 1d 42 01 1b 61 02 1b 33 38 41 0a ' +
        '1b 4d 00 1d 21 00 1b 45 00 1b 2d 00 1d 42 00 1b 61 00 1b 4a 70',
    ],
    ['a rule', { kind: 'rule' }, `1b 33 1e ${'c4 '.repeat(48)}0a ${END}`],
    ['space', { kind: 'space', millimetres: 40 }, '1b 4a ff 1b 4a 41'],
    [
      'a QR code',
      { kind: 'qr', content: 'AB', moduleDots: 4, errorCorrection: 'high' },
      '1b 4a 10 1b 61 01 1d 28 6b 04 00 31 41 32 00 1d 28 6b 03 00 31 43 04 ' +
        '1d 28 6b 03 00 31 45 33 1d 28 6b 05 00 31 50 30 41 42 1d 28 6b 03 00 31 51 30 ' +
        `1b 61 00 1b 4a 10 ${END}`,
    ],
    [
      'an EAN-13 with its check digit',
      { kind: 'barcode', symbology: 'ean-13', content: '400638133393', moduleDots: 3 },
      '1b 61 01 1d 68 50 1d 77 03 1d 66 00 1d 48 02 1d 6b 43 0d ' +
        `34 30 30 36 33 38 31 33 33 33 39 33 31 1b 61 00 1b 4a 06 ${END}`,
    ],
    [
      'a Code 128 in sets B and C',
      {
        kind: 'barcode',
        symbology: 'code-128',
        content: '{a123456',
        isTextShown: false,
        align: 'left',
      },
      `1d 68 50 1d 77 02 1d 66 00 1d 48 00 1d 6b 49 0a 7b 42 7b 7b 61 7b 43 0c 22 38 1b 4a 06 ${END}`,
    ],
    ['a partial cut', { kind: 'cut', feedMillimetres: 2 }, '1d 56 42 10'],
    [
      'a full cut after a long feed',
      { kind: 'cut', cut: 'full', feedMillimetres: 50 },
      '1b 4a 91 1d 56 41 ff',
    ],
    ['the drawer', { kind: 'drawer', pin: 5, onMs: 100, offMs: 240 }, '1b 70 01 32 78'],
  ]
  for (const [name, block, bytes] of cases)
    t.equal(hex(encoded(paper80, {}, block)), `${START} ${bytes}`, name)
})

t.test('a picture is GS v 0 in bands of at most 64 rows', async t => {
  const bytes = encoded(
    paper58,
    {},
    { kind: 'image', image: 'logo', width: 0.5, align: 'left', dither: 'threshold' },
  )
  // 192 dots wide, 96 high: 24 bytes a row, bands of 64 and 32 rows.
  const [first, second] = readEscpos(bytes).items
  t.match(first, { kind: 'raster', widthBytes: 24, height: 64 })
  t.match(second, { kind: 'raster', widthBytes: 24, height: 32 })
  t.match(hex(bytes), `${START} 1d 76 30 00 18 00 40 00 ff ff`)
})

t.test('the code page is the pinned one, on every page', async t => {
  const numbers = { cp437: 0, cp850: 2, cp852: 18, cp858: 19, cp866: 17, 'windows-1252': 16 }
  for (const codePage of codePageNames)
    t.equal(
      readEscpos(encoded({ ...paper80, codePage }, {}, { kind: 'text', text: 'x' })).codePage,
      numbers[codePage],
      codePage,
    )
  const windows: Paper = { ...paper80, codePage: 'windows-1252' }
  t.match(hex(encoded(windows, {}, { kind: 'text', text: '€' })), /80 0a/)
})

t.test('what only some printers know can be left out', async t => {
  const options = { hasKanjiMode: false, hasMotionUnits: false }
  t.equal(
    hex(encoded(paper80, options, { kind: 'space', millimetres: 1 })),
    '1b 40 1b 74 13 1b 52 00 1b 4a 08',
  )
})

t.test('without a cutter a cut is a feed to the tear bar', async t => {
  t.same(readBack(paper80, { hasCutter: false }, { kind: 'cut', feedMillimetres: 2 }), [
    { kind: 'feed', dots: 128 },
  ])
  t.match(readBack(paper80, { hasPartialCut: false }, { kind: 'cut' }), [{ kind: 'cut', mode: 65 }])
})

t.test('each line takes the paper that its letters need', async t => {
  const styles = [
    { style: {}, dots: 30 },
    { style: { font: 'b' }, dots: 22 },
    { style: { heightScale: 8 }, dots: 198 },
    { style: { font: 'b', heightScale: 2 }, dots: 39 },
  ]
  for (const { style, dots } of styles) {
    const ticket = ticketOf(paper80, { kind: 'text', text: 'one\ntwo', ...style })
    const { bytes, millimetres } = encodeTicket(ticket, paper80, escposOptionsUsual)
    t.equal(readEscpos(bytes).fedDots, 2 * dots + 112)
    t.equal(millimetres, (2 * dots + 112) / 8)
  }
})

t.test('letters per line are those of the head, the font and the scale', async t => {
  const long = 'x'.repeat(200)
  const lengths = (paper: Paper, style: object): number[] =>
    readBack(paper, {}, { kind: 'text', text: long, ...style }).flatMap(item =>
      item.kind === 'line' ? [item.letters.length] : [],
    )
  t.equal(lengths(paper58, {})[0], 32)
  t.equal(lengths(paper80, {})[0], 48)
  t.equal(lengths(paper58, { font: 'b' })[0], 42)
  t.equal(lengths(paper80, { font: 'b' })[0], 64)
  t.equal(lengths(paper80, { widthScale: 3 })[0], 16)
  t.equal(lengths(paper58, { widthScale: 8 })[0], 4)
})

t.test('a code that the printer shall not draw is sent as dots, at the same place', async t => {
  const blocks = [
    { kind: 'qr', content: 'CLAIM-1', moduleDots: 4 },
    { kind: 'barcode', symbology: 'ean-13', content: '4006381333931', moduleDots: 2 },
  ]
  const items = readBack(paper58, { codes: 'raster' }, ...blocks)
  t.notOk(items.some(({ kind }) => kind === 'qr' || kind === 'barcode'))
  const native = encodeTicket(ticketOf(paper58, ...blocks), paper58, escposOptionsUsual)
  const raster = encodeTicket(ticketOf(paper58, ...blocks), paper58, {
    ...escposOptionsUsual,
    codes: 'raster',
  })
  t.equal(native.millimetres, raster.millimetres)
  const text = items.find(item => item.kind === 'line')
  t.match(text, { letters: [...Buffer.from('4006381333931')], align: 1 })
})

t.test('what does not fit the head is refused with block and reason', async t => {
  const refuses = (blocks: readonly object[], message: string | RegExp, paper = paper58): void => {
    t.throws(() => ticketOf(paper, ...blocks), { code: 'ticket.invalid', message })
  }
  refuses(
    [
      { kind: 'text', text: 'x' },
      { kind: 'qr', content: 'x'.repeat(300), moduleDots: 8 },
    ],
    'ticket.blocks[1] (qr): is 552 dots wide, and the head prints 384',
  )
  refuses(
    [{ kind: 'barcode', symbology: 'code-128', content: 'x'.repeat(30) }],
    /^ticket\.blocks\[0] \(barcode\): is \d+ dots wide, and the head prints 384$/,
  )
  refuses(
    [{ kind: 'table', columns: [{}], rows: [['a', 'b']] }],
    'ticket.blocks[0] (table): a row has 2 cells and the table 1 column',
  )
  refuses(
    [{ kind: 'table', columns: [{}, {}, {}], rows: [], widthScale: 8 }],
    'ticket.blocks[0] (table): 3 columns do not fit into 4 letters of this style',
  )
  refuses(
    [{ kind: 'text', text: '\n'.repeat(400), heightScale: 8 }],
    /makes the ticket longer than 3000 mm/,
  )
  refuses([{ kind: 'text', text: 'x', widthScale: 8 }], /not one letter/, {
    ...paper58,
    dotsPerLine: 90,
  })
  const torn: Ticket = {
    blocks: [
      { kind: 'image', bitmap: { width: 9, height: 2, rows: new Uint8Array(3) }, align: 'left' },
    ],
  }
  t.throws(() => encodeTicket(torn, paper58, escposOptionsUsual), {
    code: 'ticket.invalid',
    message: 'ticket.blocks[0] (image): its bitmap of 9 by 2 dots has 3 bytes',
  })
})

/** A ticket that no document would have: as if a check were forgotten. */
const smuggled = (text: string): Ticket => {
  const [block] = ticketOf(paper80, { kind: 'text', text: 'x' }).blocks
  const [table] = ticketOf(paper80, { kind: 'table', columns: [{}], rows: [['x']] }).blocks
  if (block?.kind !== 'text' || table?.kind !== 'table') throw new Error('no text')
  return {
    blocks: [
      { ...block, text },
      { ...table, rows: [[text]] },
    ],
  }
}

t.test('a command hidden in a text never reaches the printer', async t => {
  const attacks = [
    '\u001bp\u0000\u0019\u00fa',
    '\u001dV\u0000',
    '\u0010\u0014\u0001\u0000\u0001',
    '\u001b@\u001b=\u0000',
    '\u009b2J\u0085\u007f\u0000\f\v\b',
  ]
  for (const attack of attacks) {
    t.throws(() => documentOf({ kind: 'text', text: attack }), {
      code: 'config.invalid',
      message: /without control characters/,
    })
    for (const codePage of codePageNames) {
      const { bytes } = encodeTicket(smuggled(attack), { ...paper80, codePage }, escposOptionsUsual)
      for (const item of readEscpos(bytes).items) t.match(item.kind, /^(line|feed)$/)
    }
  }
})

t.test('a drawer pulse that reads as a real-time command is a little longer', async t => {
  t.match(readBack(paper80, {}, { kind: 'drawer', onMs: 32, offMs: 40 }), [
    { kind: 'drawer', on: 17, off: 20 },
  ])
})

/** Null when it is refused as a ticket may be; with the kind of block that was. */
function resolved(paper: Paper, blocks: readonly object[]): Ticket | string {
  try {
    return ticketOf(paper, ...blocks)
  } catch (error) {
    if (!(error instanceof BoxError && error.code === 'ticket.invalid')) throw error
    return /^ticket\.blocks\[\d+\] \((\w+)\): ./.exec(error.message)?.[1] ?? 'nothing is named'
  }
}

const takesPaper = (block: Ticket['blocks'][number]): boolean =>
  block.kind !== 'drawer' && !(block.kind === 'table' && block.rows.length === 0)

/** What is wrong with the bytes of a ticket; null when all is well. */
function flaw(ticket: Ticket, paper: Paper, options: EscposOptions): string | null {
  const { bytes, millimetres } = encodeTicket(ticket, paper, options)
  if (!readEscpos(bytes).isPlain) return 'a style stays on'
  if (millimetres > 0 !== ticket.blocks.some(takesPaper)) return `takes ${millimetres} mm`
  const isRealTime = bytes.some(
    (byte, at) => byte === 0x10 && [0x04, 0x05, 0x14].includes(bytes[at + 1] ?? 0),
  )
  return isRealTime ? 'holds a real-time command' : null
}

t.test('any ticket is refused, or its bytes are known commands and no others', async t => {
  const refusals = new Map<string, number>()
  let printedCount = 0
  const options = fc.record({
    codes: fc.constantFrom('native' as const, 'raster' as const),
    hasCutter: fc.boolean(),
    hasPartialCut: fc.boolean(),
  })
  const holds = fc.property(
    tickets,
    fc.constantFrom(paper58, paper80),
    fc.constantFrom(...codePageNames),
    options,
    (blocks, head, codePage, more) => {
      const paper = { ...head, codePage }
      const ticket = resolved(paper, blocks)
      if (typeof ticket === 'string') {
        refusals.set(ticket, (refusals.get(ticket) ?? 0) + 1)
        return
      }
      const found = flaw(ticket, paper, { ...escposOptionsUsual, ...more })
      if (found !== null) throw new Error(found)
      printedCount++
    },
  )
  fc.assert(holds, { numRuns: 300 })
  // A property that refuses everything, or nothing, proves nothing.
  t.ok(printedCount > 100, `${printedCount} were printed`)
  t.ok((refusals.get('qr') ?? 0) > 0, 'codes were too wide')
  t.notOk(refusals.has('nothing is named'))
})
