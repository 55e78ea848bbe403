import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { encodeTicket, escposOptionsUsual } from '../../../drivers/escpos-encode.js'
import { linuxPictures } from '../../../drivers/linux/pictures.js'
import { readDocument } from '../../../runtime/core/document.js'
import { ConfigError } from '../../../runtime/core/errors.js'
import { check } from '../../../runtime/core/schema.js'
import { type TicketDocument, ticketDocument } from '../../../runtime/core/ticket-document.js'
import { resolveTicket } from '../../../runtime/services/printing/resolve.js'
import {
  fillTemplate,
  readTemplate,
  type TicketTemplate,
} from '../../../runtime/services/printing/template.js'
import { paper58, paper80 } from '../../drivers/ticket-examples.js'

const builtIn = {
  serial: 'A7K-2MX9',
  box: 'lobby',
  tour: 'spring',
  printedAt: '2027-03-01 20:15',
  reprint: 0,
}

const head = 'apiVersion: ticket/v1\nname: test\nkind: receipt\n'

const read = new Map<string, TicketTemplate>()

/** A template is read once, however often it is filled. */
function templateOf(body: string): TicketTemplate {
  const template = read.get(body) ?? readTemplate(`${head}${body}`, 'test.yaml')
  read.set(body, template)
  return template
}

function filled(
  body: string,
  fields: Readonly<Record<string, string>> = {},
  reprint = 0,
): TicketDocument['blocks'] {
  return fillTemplate(templateOf(body), fields, { ...builtIn, reprint }).blocks
}

const problems = (body: string): readonly string[] => {
  try {
    readTemplate(`${head}${body}`, 'test.yaml')
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n')
  }
}

const FOLDER = 'runtime/services/printing/templates'
const examples: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  claim: { name: 'Ada' },
  handover: { from: 'Ada', to: 'Grace', items: 'Radio 12 | 2 | ok' },
  label: { title: 'Zine 4', link: 'https://example.org/zine/4' },
  receipt: { items: '2 x Poster | 24.00\n1 x Pin | 3.50', total: '27.50' },
}

t.test('the four that come with the runtime print on both widths of paper', async t => {
  const files = readdirSync(FOLDER)
  t.same(files.sort(), ['claim.yaml', 'handover.yaml', 'label.yaml', 'receipt.yaml'])
  for (const file of files) {
    const template = readTemplate(readFileSync(join(FOLDER, file), 'utf8'), file)
    t.equal(`${template.name}.yaml`, file)
    t.equal(template.kind, template.name === 'claim' ? 'redeemable' : 'receipt')
    const document = fillTemplate(template, examples[template.name] ?? {}, builtIn)
    t.ok(JSON.stringify(document).includes(builtIn.serial), `${file} shows its serial`)
    for (const paper of [paper58, paper80]) {
      const { ticket, warnings } = resolveTicket(document, paper, new Map(), linuxPictures)
      t.same(warnings, [])
      t.ok(encodeTicket(ticket, paper, escposOptionsUsual).millimetres > 30)
    }
  }
})

t.test('the QR code of a claim holds the serial and nothing else', async t => {
  const template = readTemplate(readFileSync(join(FOLDER, 'claim.yaml'), 'utf8'), 'claim.yaml')
  const { blocks } = fillTemplate(template, {}, builtIn)
  t.match(
    blocks.filter(({ kind }) => kind === 'qr'),
    [{ content: builtIn.serial }],
  )
})

t.test('fields with every value at its limit still print, on the narrow paper too', async t => {
  for (const file of readdirSync(FOLDER)) {
    const template = readTemplate(readFileSync(join(FOLDER, file), 'utf8'), file)
    const longest = Object.fromEntries(
      template.fields.map(({ name, max, lines }) => [
        name,
        lines === 1 ? 'W'.repeat(max) : `${'W | 9\n'.repeat(lines - 1)}W`.slice(0, max),
      ]),
    )
    const document = fillTemplate(template, longest, { ...builtIn, serial: 'A'.repeat(40) })
    t.doesNotThrow(() => resolveTicket(document, paper58, new Map(), linuxPictures), file)
  }
})

t.test('placeholders are filled in texts, codes and rows', async t => {
  const body = `fields: {who: {}, link: {}, lines: {lines: 5}}
blocks:
  - {kind: text, text: "Hi {{ who }}, {{serial}} {{tour}}/{{box}} {{printedAt}}"}
  - {kind: qr, content: "https://x.org/?n={{who | url}}&s={{serial}}"}
  - {kind: barcode, symbology: code-128, content: "{{serial}}"}
  - kind: table
    columns: [{}, {align: right}]
    rows: [[Item, Price], ["{{who}}", "1"]]
    repeat: lines
`
  t.match(filled(body, { who: 'Ada & Bo', lines: 'a | 1\n\n b|2|' }), [
    { text: 'Hi Ada & Bo, A7K-2MX9 spring/lobby 2027-03-01 20:15' },
    { content: 'https://x.org/?n=Ada%20%26%20Bo&s=A7K-2MX9' },
    { content: 'A7K-2MX9' },
    {
      rows: [
        ['Item', 'Price'],
        ['Ada & Bo', '1'],
        ['a', '1'],
        ['b', '2', ''],
      ],
    },
  ])
})

t.test('a block of empty placeholders is left out, and a first print is no reprint', async t => {
  const body = `fields: {note: {}, other: {default: there}}
blocks:
  - {kind: text, text: "Note: {{note}}"}
  - {kind: text, text: "{{note}} and {{other}}"}
  - {kind: text, text: "Print {{reprint}}"}
  - {kind: qr, content: "{{note}}"}
  - {kind: table, columns: [{}, {}], rows: [[Note, "{{note}}"], ["{{note}}"]]}
  - {kind: text, text: ""}
`
  t.match(
    filled(body).map(block => ('text' in block ? block.text : block.kind)),
    [' and there', 'table', ''],
  )
  t.ok(filled(body, {}, 3).some(block => block.kind === 'text' && block.text === 'Print 3'))
})

t.test('a value is never read again, whatever it looks like', async t => {
  const body = 'fields: {a: {max: 200}, b: {}}\nblocks: [{kind: text, text: "{{a}}{{b}}"}]\n'
  const texts = filled(body, { a: '{{serial}} {{b}} $& $1 $$ {{', b: '}}' })
  t.match(texts, [{ text: '{{serial}} {{b}} $& $1 $$ {{}}' }])
  const value = fc.string({ unit: 'grapheme', maxLength: 100 })
  const holds = fc.property(value, text => {
    const [block] = filled(body, { a: text, b: '|' })
    return block?.kind === 'text' && block.text === `${text}|`
  })
  t.doesNotThrow(() => fc.assert(holds))
})

t.test('a value that breaks its rule is refused with field, rule and value', async t => {
  const body = `fields:
  name: {max: 5, isRequired: true}
  code: {pattern: "[A-Z]{2}\\\\d{2}"}
  list: {lines: 2}
blocks: [{kind: text, text: "{{name}}{{code}}{{list}}"}]
`
  const cases: readonly (readonly [fields: Record<string, string>, message: string])[] = [
    [{}, 'the field "name" is required'],
    [{ name: '' }, 'the field "name" is required'],
    [{ name: 'toolong' }, 'the field "name" must have at most 5 characters, has 7: "toolong"'],
    [{ name: 'a\nb' }, 'the field "name" must be one line, has 2'],
    [{ name: 'a', list: '1\n2\n3' }, 'the field "list" must have at most 2 lines, has 3'],
    [{ name: 'a\u001bp' }, 'the field "name" must be text without control characters'],
    [{ name: '\ud800' }, 'the field "name" must be text without control characters'],
    [{ name: 'a', code: 'AB1' }, 'the field "code" must be of the form [A-Z]{2}\\d{2}, is "AB1"'],
    [{ name: 'a', cod: 'AB12' }, 'there is no field "cod" (did you mean "code"?)'],
    [{ name: 'a', serial: 'X' }, 'there is no field "serial" (there is name, code, list)'],
  ]
  for (const [fields, message] of cases)
    t.throws(() => filled(body, fields), {
      code: 'ticket.invalid',
      message: `template "test": ${message}`,
    })
  t.match(filled(body, { name: 'a', code: 'AB12', list: '1\r\n2' }), [{ text: 'aAB121\n2' }])
})

t.test('no field brings a control character into a document', async t => {
  const body = 'fields: {a: {max: 200, lines: 9}}\nblocks: [{kind: text, text: "{{a}}"}]\n'
  let refusedCount = 0
  const holds = fc.property(fc.string({ unit: 'binary', maxLength: 50 }), text => {
    try {
      const blocks = filled(body, { a: text })
      return !/[^\P{Cc}\n]/u.test(blocks.map(block => ('text' in block ? block.text : '')).join(''))
    } catch {
      refusedCount++
      return true
    }
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 150 }))
  t.ok(refusedCount > 0 && refusedCount < 150)
})

t.test('what a template cannot become names the template', async t => {
  const body = `fields: {a: {max: 1024}}
blocks: [{kind: barcode, symbology: code-128, content: "{{a}}{{a}}"}]
`
  t.throws(() => filled(body, { a: 'x'.repeat(50) }), {
    code: 'ticket.invalid',
    message: /^template "test": ticket\.blocks\[0]\.content: must have at most 80 characters/,
  })
  t.throws(() => filled(body), { code: 'ticket.invalid', message: /ticket\.blocks/ })
})

t.test('a wrong template is told with place, path, rule and value', async t => {
  const cases: readonly (readonly [body: string, message: string | RegExp])[] = [
    [
      'blocks:\n  - {kind: text, text: "{{nam}}"}\nfields: {name: {}}',
      '5:18 test.yaml: template.blocks[0].text: {{nam}} is no field (did you mean "name"?)',
    ],
    [
      'blocks:\n  - {kind: text, text: "{{a b}}"}',
      /^5:18 test\.yaml: template\.blocks\[0]\.text: must have placeholders like \{\{name\}\}.*is "\{\{a b\}\}"$/,
    ],
    [
      'blocks:\n  - {kind: txt}',
      /^5:\d+ test\.yaml: template\.blocks\[0]\S* must be "text" or .*, is "txt"/,
    ],
    [
      'fields: {serial: {}}\nblocks: [{kind: rule}]',
      '4:10 test.yaml: template.fields.serial: is built in, and needs no field',
    ],
    [
      'fields: {a: {max: 3, default: long}}\nblocks: [{kind: rule}]',
      /template\.fields\.a: its default must have at most 3 characters, has 4: "long"/,
    ],
    [
      'fields: {a: {isRequired: true, default: x}}\nblocks: [{kind: rule}]',
      /template\.fields\.a: is required, so its default would never be used/,
    ],
    [
      'fields: {a: {pattern: "(a+)+"}}\nblocks: [{kind: rule}]',
      /4:14 .*template\.fields\.a\.pattern: must be a pattern of letters.*is "\(a\+\)\+"/,
    ],
    [
      'fields: {a: {}}\nblocks: [{kind: table, columns: [{}], repeat: a}]',
      /template\.blocks\[0]\.repeat: needs a field of several lines, and "a" has one/,
    ],
    [
      'fields: {items: {lines: 2}}\nblocks: [{kind: table, columns: [{}], repeat: item}]',
      /template\.blocks\[0]\.repeat: is no field, is "item" \(did you mean "items"\?\)/,
    ],
    ['blocks: [{kind: table, columns: [{}]}]', /has neither rows nor a repeat/],
    ['blocks: [{kind: table, columns: [{}], rows: [[a], [a, b]]}]', /row 1 has 2 cells/],
    [
      'blocks: [{kind: barcode, symbology: ean-13, content: "4006381333930"}]',
      /content: the check digit of this EAN-13 would be 1/,
    ],
    ['blocks: [{kind: text, text: "a\\u001b@"}]', /text: must be text without control characters/],
    ['blocks: []', /blocks: must have at least 1 entries/],
    ['block: []', /template\.block: .*did you mean "blocks"/],
  ]
  for (const [body, message] of cases) t.match(problems(body).join('\n'), message, body)
  t.throws(() => readTemplate('a: [', 'broken.yaml'), { message: /broken\.yaml: template/ })
})

t.test('the examples of the documentation are right', async t => {
  const text = readFileSync('docs/tickets.md', 'utf8')
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml)
  t.equal(examples.length, 2)
  const [ticket = '', template = ''] = examples
  const document = check(
    ticketDocument,
    readDocument(ticket, 'ticket', 'config.invalid').value,
    'ticket',
  )
  const drinks = readTemplate(template, 'docs/tickets.md')
  const filledDrinks = fillTemplate(drinks, { guest: 'Ada & Bo', extras: 'Ice | 2' }, builtIn)
  for (const one of [document, filledDrinks])
    t.doesNotThrow(() => resolveTicket(one, paper58, new Map(), linuxPictures))
})
