/** A scanner that nobody here wrote reads what we print: from the preview, and from the dots in the bytes. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import t, { type Test } from 'tap'
import { encodeTicket, escposOptionsUsual } from '../../drivers/escpos-encode.js'
import { svgToPng } from '../../runtime/gateways/preview/png.js'
import { ticketSvg } from '../../runtime/gateways/preview/svg.js'
import type { Paper } from '../../runtime/ports/printer.js'
import { pictureOf, readEscpos } from '../drivers/escpos-reader.js'
import { paper58, paper80, ticketOf } from '../drivers/ticket-examples.js'
import { skipWithout } from './peer.js'

const needs = skipWithout('zbarimg')

/** What the scanner finds, as `QR-Code:content`, in order. */
function scanned(t: Test, png: Uint8Array): string[] {
  const file = join(t.testdir(), 'ticket.png')
  writeFileSync(file, png)
  const found = execFileSync('zbarimg', ['--quiet', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 60_000,
  })
  return found.trimEnd().split('\n').sort()
}

/** As the paper comes out: white beside the head too. */
function paperPicture(bytes: Uint8Array, paper: Paper): Buffer {
  const edge = Math.floor((paper.widthMillimetres * 8 - paper.dotsPerLine) / 2)
  const { width, height, isBlack } = pictureOf(readEscpos(bytes), paper.dotsPerLine)
  const png = new PNG({ width: width + 2 * edge, height })
  png.data.fill(255)
  for (const [at, black] of isBlack.entries()) {
    const to = (Math.floor(at / width) * png.width + edge + (at % width)) * 4
    if (black) png.data.fill(0, to, to + 3)
  }
  return PNG.sync.write(png)
}

interface Case {
  readonly name: string
  readonly paper: Paper
  readonly blocks: readonly object[]
  readonly found: readonly string[]
}

const qr = (content: string, more: object = {}): object => ({ kind: 'qr', content, ...more })
const bars = (symbology: string, content: string, more: object = {}): object => ({
  ...{ kind: 'barcode', symbology, content, ...more },
})

const cases: readonly Case[] = [
  ...(['low', 'medium', 'quartile', 'high'] as const).map(errorCorrection => ({
    name: `a serial with ${errorCorrection} correction`,
    paper: paper58,
    blocks: [qr('CLAIM-7F3K-22', { errorCorrection, moduleDots: 4 })],
    found: ['QR-Code:CLAIM-7F3K-22'],
  })),
  ...(['left', 'center', 'right'] as const).map(align => ({
    name: `an address on the ${align}`,
    paper: paper80,
    blocks: [qr('https://example.org/claim?s=A7K-2MX9&name=Ada%20L', { align, moduleDots: 3 })],
    found: ['QR-Code:https://example.org/claim?s=A7K-2MX9&name=Ada%20L'],
  })),
  {
    name: 'UTF-8',
    paper: paper80,
    blocks: [qr('Käsekuchen für Ada: 3 €', { moduleDots: 5 })],
    found: ['QR-Code:Käsekuchen für Ada: 3 €'],
  },
  {
    name: 'a thousand letters',
    paper: paper80,
    blocks: [qr('Roadcase '.repeat(113), { moduleDots: 4, errorCorrection: 'low' })],
    found: [`QR-Code:${'Roadcase '.repeat(113)}`.trimEnd()],
  },
  {
    name: 'EAN-13, with and without digits beneath',
    paper: paper58,
    blocks: [
      bars('ean-13', '400638133393'),
      bars('ean-13', '9780306406157', { isTextShown: false, moduleDots: 3 }),
    ],
    found: ['EAN-13:4006381333931', 'EAN-13:9780306406157'],
  },
  {
    name: 'Code 128 in both sets, with a brace',
    paper: paper80,
    blocks: [
      bars('code-128', 'A{7K-2MX9}', { moduleDots: 2 }),
      bars('code-128', '20270301160499', { moduleDots: 2, align: 'left' }),
      bars('code-128', 'ROAD123456CASE', { moduleDots: 2, align: 'right' }),
    ],
    found: ['CODE-128:20270301160499', 'CODE-128:A{7K-2MX9}', 'CODE-128:ROAD123456CASE'],
  },
  {
    name: 'codes between texts and pictures',
    paper: paper80,
    blocks: [
      { kind: 'image', image: 'logo', width: 0.4 },
      {
        kind: 'text',
        text: 'CLAIM',
        widthScale: 3,
        heightScale: 3,
        align: 'center',
        isInverted: true,
      },
      qr('CLAIM-1', { moduleDots: 6 }),
      { kind: 'text', text: 'CLAIM-1', align: 'center' },
      bars('code-128', 'CLAIM-1'),
      { kind: 'cut' },
    ],
    found: ['CODE-128:CLAIM-1', 'QR-Code:CLAIM-1'],
  },
]

for (const { name, paper, blocks, found } of cases) {
  t.test(`a scanner reads ${name} from the preview`, needs, async t => {
    const svg = ticketSvg(ticketOf(paper, ...blocks), paper)
    t.same(scanned(t, await svgToPng(svg)), found)
  })

  t.test(`a scanner reads ${name} from the dots that are sent`, needs, async t => {
    const options = { ...escposOptionsUsual, codes: 'raster' as const }
    const { bytes } = encodeTicket(ticketOf(paper, ...blocks), paper, options)
    t.same(scanned(t, paperPicture(bytes, paper)), found)
  })
}

t.test('what the printer draws itself is told the same contents, all of them ASCII', async t => {
  for (const { name, paper, blocks, found } of cases) {
    const { bytes } = encodeTicket(ticketOf(paper, ...blocks), paper, escposOptionsUsual)
    const told = readEscpos(bytes).items.flatMap(item =>
      item.kind === 'qr'
        ? [`QR-Code:${item.content}`.trimEnd()]
        : item.kind === 'barcode'
          ? [`${item.system === 67 ? 'EAN-13' : 'CODE-128'}:${item.content}`]
          : [],
    )
    t.same(
      told.sort(),
      found.filter(content => /^[\x20-\x7e]*$/.test(content)),
      name,
    )
  }
})
