import t from 'tap'
import { readCommand } from '../../../runtime/gateways/broker/commands.js'
import { readPrint } from '../../../runtime/gateways/broker/print-commands.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test('a whole ticket may be sent, and gets the defaults of its blocks', async t => {
  const { ticket } = readPrint(bytes('{"ticket":{"blocks":[{"kind":"text","text":"Hello"}]}}'))
  t.match(ticket, { blocks: [{ kind: 'text', text: 'Hello', align: 'left', widthScale: 1 }] })
})

t.test('what is wrong is named with path, rule and value', async t => {
  for (const [text, message] of [
    ['', /^payload: must not be empty/],
    ['{"template":"a b"}', /^payload\.template: must be lower-case letters/],
    ['{"fields":{"Name":"x"}}', /^payload\.fields\.Name: /],
    ['{"expiresAfterMs":5}', /^payload\.expiresAfterMs: must be between 1000 and .*, is 5$/],
    ['{"ticket":{"blocks":[]}}', /^payload\.ticket\.blocks: must have at least 1 entries/],
    ['{"ticket":{"blocks":[{"kind":"song"}]}}', /^payload\.ticket\.blocks\[0\]\.kind: /],
    [`{"serial":"${'A'.repeat(41)}"}`, /^payload\.serial: /],
    [`"${'x'.repeat(70_000)}"`, /^payload: must have at most 65536 bytes, has 70002$/],
  ] as const)
    t.match(readCommand({ kind: 'print' }, bytes(text)), { kind: 'refused', message }, text)
})

t.test('bytes that are no text are refused', async t => {
  t.match(readCommand({ kind: 'decide' }, new Uint8Array([0xff, 0xfe])), {
    kind: 'refused',
    message: /^payload: must be UTF-8 text/,
  })
})
