import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { linuxPictures } from '../../drivers/linux/pictures.js'
import type { CliActions } from '../../runtime/cli/actions.js'
import { exitCodes } from '../../runtime/cli/failure.js'
import { type PreviewOptions, printPreview } from '../../runtime/cli/print-preview.js'
import { paintFor } from '../../runtime/cli/terminal.js'
import { readBoxConfig } from '../../runtime/config.js'
import { loadPrintShop } from '../../runtime/print-shop.js'
import { type Typed, type } from './cli-world.js'

const preview: CliActions['preview'] = (options, isColour) =>
  printPreview(options, {
    pictures: linuxPictures,
    loadConfig: async file => readBoxConfig(JSON.parse(readFileSync(file, 'utf8')), () => null),
    printShop: (folder, printing) => loadPrintShop(folder, printing, linuxPictures),
    wallMs: () => 1_800_000_000_000,
    paint: paintFor({ write: () => {}, writeError: () => {}, isColour }),
  })

const print = (...words: readonly string[]): Promise<Typed> =>
  type(['print', '--preview', ...words], { preview })

const claim = ['--template', 'claim', '--field', 'name=Ada', '--field', 'what=One\\nposter']

t.test('without a file the ticket is drawn in the terminal, as wide as its paper', async t => {
  const { exitCode, out, error } = await print(...claim, '--paper', '58')
  t.match({ exitCode, error }, { exitCode: 0, error: '' })
  const lines = out.trimEnd().split('\n')
  t.equal(lines[0], `┌${'─'.repeat(34)}┐`)
  t.ok(lines.every(line => line.length === 36))
  t.ok(lines.includes(`│${'For Ada'.padStart(20).padEnd(34)}│`))
  t.match(out, /│ +One +│\n│ +poster +│/)
  t.match(out, '█▀▀▀▀▀█')
  t.match(out, 'PREVIEW-0000')
})

t.test('what is written is told, and what cannot be printed as it is', async t => {
  const folder = t.testdir()
  for (const name of ['claim.svg', 'claim.png']) {
    const file = join(folder, name)
    const typed = await print('--template', 'claim', '--field', 'name=漢', '--out', file)
    t.match(typed, { exitCode: 0, out: `${file}\n` })
    t.match(
      typed.error,
      'warning ticket.blocks[2] (text): "漢" is not in cp858 and is printed as "?"',
    )
    t.ok(readFileSync(file).length > 1000)
  }
  t.match(readFileSync(join(folder, 'claim.svg'), 'utf8'), '<svg ')
  t.match(readFileSync(join(folder, 'claim.png')).subarray(1, 4).toString(), 'PNG')
  const json = await print('--template', 'claim', '--field', 'name=漢', '--json')
  t.match(JSON.parse(json.out), { out: null, warnings: { length: 1 }, text: /PREVIEW/ })
})

t.test('a ticket of its own is drawn, of everything that a ticket can hold', async t => {
  const folder = t.testdir({
    'ticket.yaml': `blocks:
  - {kind: text, text: Wide, widthScale: 2, align: right}
  - {kind: rule, line: double}
  - {kind: table, columns: [{}, {align: right}], rows: [[a, "1.00"]]}
  - {kind: image, image: logo, width: 0.5}
  - {kind: barcode, symbology: ean-13, content: "400638133393"}
  - {kind: space, millimetres: 4}
  - {kind: drawer}
  - {kind: cut}
`,
    'box.json': JSON.stringify({
      schemaVersion: 1,
      tour: 'spring',
      box: 'lobby',
      printing: { images: { logo: 'logo.png' }, templates: ['claim.yaml'] },
    }),
    'claim.yaml':
      'apiVersion: ticket/v1\nname: claim\nkind: redeemable\nblocks: [{kind: text, text: "Ours, {{box}}, {{reprint}}"}]\n',
  })
  const { PNG } = await import('pngjs')
  writeFileSync(
    join(folder, 'logo.png'),
    PNG.sync.write(new PNG({ width: 24, height: 24, fill: true })),
  )
  const config = ['--config', join(folder, 'box.json')]
  const { out, error } = await print('--ticket', join(folder, 'ticket.yaml'), ...config)
  t.equal(error, '')
  for (const part of [
    'W i d e │',
    '═'.repeat(48),
    '1.00 │',
    '4006381333931',
    '(drawer opens by pin 2)',
    '- - -',
  ])
    t.match(out, part)
  t.match(
    (await print('--template', 'claim', '--reprint', '2', ...config)).out,
    /REPRINT 2|R E P R I N T {3}2/,
  )
  t.match((await print('--template', 'claim', '--reprint', '2', ...config)).out, 'Ours, lobby, 2')
})

t.test('what is wrong is one sentence with its exit code', async t => {
  const folder = t.testdir({ 'bad.yaml': 'blocks:\n  - {kind: qr, content: x, moduleDots: 99}\n' })
  const cases: readonly (readonly [words: string[], exitCode: number, message: RegExp])[] = [
    [['--template', 'clam'], exitCodes.usage, /no template "clam" \(did you mean "claim"\?\)/],
    [[], exitCodes.usage, /either --template or --ticket/],
    [['--template', 'claim', '--ticket', 'x'], exitCodes.usage, /either --template or --ticket/],
    [['--template', 'claim', '--field', 'nameAda'], exitCodes.usage, /field like name=Ada/],
    [['--template', 'claim', '--out', 'claim.pdf'], exitCodes.usage, /must end in \.svg or \.png/],
    [['--template', 'claim', '--paper', '110'], exitCodes.usage, /58, 80/],
    [['--template', 'claim', '--reprint', '0'], exitCodes.usage, /1 to 999/],
    [['--template', 'receipt'], exitCodes.invalid, /the field "items" is required/],
    [['--ticket', 'nowhere.yaml'], exitCodes.usage, /no such file/],
    [
      ['--ticket', join(folder, 'bad.yaml')],
      exitCodes.invalid,
      /2:28 ticket\.blocks\[0]\.moduleDots: must be between 2 and 16, is 99/,
    ],
    [
      ['--template', 'claim', '--out', join(folder, 'no', 'claim.svg')],
      exitCodes.usage,
      /cannot be written/,
    ],
  ]
  for (const [words, exitCode, message] of cases) {
    const typed = await print(...words)
    t.equal(typed.exitCode, exitCode, words.join(' '))
    t.match(typed.error, message)
  }
})

t.test('the options reach the preview as they were typed', async t => {
  const seen: PreviewOptions[] = []
  await type(
    ['print', '--preview', '--template', 'x', '--field', 'a=b=c', '--code-page', 'cp866'],
    {
      preview: async options => {
        seen.push(options)
        return { text: '', warnings: [], out: null, ticket: { blocks: [] } }
      },
    },
  )
  t.same(seen, [
    {
      what: { kind: 'template', name: 'x', fields: { a: 'b=c' } },
      configFile: null,
      paper: 80,
      codePage: 'cp866',
      reprint: 0,
      out: null,
    },
  ])
})
