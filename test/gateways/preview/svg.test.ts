import { PNG } from 'pngjs'
import t from 'tap'
import { svgToPng } from '../../../runtime/gateways/preview/png.js'
import { ticketSvg } from '../../../runtime/gateways/preview/svg.js'
import type { Paper } from '../../../runtime/ports/printer.js'
import { paper58, paper80, ticketOf } from '../../drivers/ticket-examples.js'

const svgOf = (paper: Paper, ...blocks: readonly object[]): string =>
  ticketSvg(ticketOf(paper, ...blocks), paper)

t.test('a ticket is as large as its paper, in millimetres', async t => {
  // 30 dots of text, 80 of space, and 3 mm above and below.
  const blocks = [
    { kind: 'text', text: 'x' },
    { kind: 'space', millimetres: 10 },
  ]
  t.match(svgOf(paper58, ...blocks), 'width="58mm" height="19.75mm" viewBox="0 0 464 158"')
  t.match(svgOf(paper80, ...blocks), 'width="80mm" height="19.75mm" viewBox="0 0 640 158"')
})

t.test('letters stand in the columns of the printer', async t => {
  const svg = svgOf(paper58, { kind: 'text', text: 'a <&>', align: 'center' })
  t.match(svg, '<g transform="translate(202 24)">')
  t.match(svg, 'x="0 12 24 36 48" y="19" font-size="19.932" fill="#000">a &lt;&amp;&gt;</text>')
  const small = svgOf(paper58, {
    kind: 'text',
    text: 'ab',
    font: 'b',
    widthScale: 2,
    heightScale: 3,
  })
  t.match(small, /translate\(40 24\) scale\(2 3\)"><text xml:space="preserve" x="0 9"/)
})

t.test('styles, rules and cuts are drawn', async t => {
  const svg = svgOf(
    paper58,
    { kind: 'text', text: 'ab', isInverted: true, isBold: true, isUnderlined: true },
    { kind: 'rule', line: 'double' },
    { kind: 'cut', feedMillimetres: 0 },
  )
  t.match(svg, '<rect width="24" height="24"/>')
  t.match(svg, /font-weight="bold" fill="#fff"/)
  t.match(svg, '<rect y="22" width="24" height="2" fill="#fff"/>')
  t.match(svg, /M40 66h384.*M40 72h384/)
  t.match(svg, 'M0 84h464" stroke="#888" stroke-dasharray="12 8"')
})

t.test('dots are runs, modules are scaled', async t => {
  const svg = svgOf(
    paper58,
    { kind: 'image', image: 'logo', width: 0.05, dither: 'threshold' },
    { kind: 'qr', content: 'A', moduleDots: 4, align: 'left' },
  )
  // 19 dots wide, black on the left.
  t.match(svg, 'translate(222 24) translate(0 .5)"')
  t.match(svg, 'd="M0 0h9M0 1h9')
  t.match(svg, /translate\(40 50\) scale\(4 4\).*d="M0 0h7/)
})

t.test('nothing of a text becomes markup', async t => {
  const svg = svgOf(paper58, { kind: 'text', text: '</text><script>x</script>&amp;"' })
  t.notOk(svg.includes('<script'))
  t.match(svg, '&lt;/text&gt;&lt;script&gt;')
})

t.test('a PNG has one pixel for each dot, and the letters of the same font everywhere', async t => {
  const svg = svgOf(
    paper58,
    { kind: 'text', text: '█', widthScale: 2, heightScale: 2 },
    { kind: 'image', image: 'logo', width: 1, dither: 'threshold' },
  )
  const [first, second] = await Promise.all([svgToPng(svg), svgToPng(svg)])
  const { width, height, data } = PNG.sync.read(Buffer.from(first))
  t.same([width, height], [464, 24 + 54 + 192 + 24])
  t.same(first, second)
  const brightness = (x: number, y: number): number => data[(y * width + x) * 4] ?? -1
  // A full block from the font, the picture's first black dot, its last white one, and the edge.
  t.equal(brightness(50, 48), 0)
  t.equal(brightness(40, 24 + 54), 0)
  t.equal(brightness(39, 24 + 54), 255)
  t.equal(brightness(423, 24 + 54 + 100), 255)
})
