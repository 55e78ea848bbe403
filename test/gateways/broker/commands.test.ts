import fc from 'fast-check'
import t from 'tap'
import { readCommand } from '../../../runtime/gateways/broker/commands.js'
import type { Address } from '../../../runtime/gateways/broker/tree.js'

const cue: Address = { kind: 'cue' }
const read = (address: Address, text: string) => readCommand(address, Buffer.from(text))

t.test('people may write a word, in any case', async t => {
  for (const [text, command] of [
    ['GO', { action: 'go' }],
    [' go\n', { action: 'go' }],
    ['Back', { action: 'back' }],
    ['PANIC', { action: 'panic' }],
    ['fire 2.5', { action: 'fire', cue: '2.5' }],
    ['GOTO 12', { action: 'goto', cue: '12' }],
    ['scene warm', { action: 'scene', scene: 'warm' }],
    ['blackout OFF', { action: 'blackout', on: false }],
    ['blackout', { action: 'blackout' }],
    ['clear', { action: 'clear' }],
    ['CLEAR front', { action: 'clear', target: 'front' }],
    ['{"action":"fire","cue":"7","id":"a1"}', { action: 'fire', cue: '7', id: 'a1' }],
  ] as const)
    t.same(read(cue, text), { kind: 'command', command }, text)
})

t.test('an output is set by a word, a number, a percentage or an object', async t => {
  const set: Address = { kind: 'set', output: 'front' }
  for (const [text, fields] of [
    ['ON', { level: 1 }],
    ['off', { level: 0 }],
    ['0.5', { level: 0.5 }],
    ['.25', { level: 0.25 }],
    ['50%', { level: 0.5 }],
    ['{"level":0.5,"fadeMs":500}', { level: 0.5, fadeMs: 500 }],
    ['{"level":1,"id":"x"}', { level: 1, id: 'x' }],
  ] as const)
    t.same(
      read(set, text),
      { kind: 'command', command: { action: 'level', target: 'front', ...fields } },
      text,
    )
})

t.test('a request carries its transaction as the id of the command', async t => {
  t.same(read({ kind: 'request', action: 'fire' }, '{"tx":"7","cue":"3"}'), {
    kind: 'command',
    command: { action: 'fire', id: '7', cue: '3' },
  })
})

t.test('a refusal names the path, the rule and the value', async t => {
  for (const [address, text, message] of [
    [cue, '', 'payload: must not be empty'],
    [cue, 'GOO', /^payload: must be one of go, back, .*; is "GOO" \(did you mean "go"\?\)$/],
    [cue, 'GO 12', 'payload: GO takes no word, is "GO 12"; to run cue 12 write FIRE 12'],
    [cue, 'fire', 'payload.cue: is missing: the action "fire" needs it'],
    [cue, 'fire a b', 'payload: must be an action and at most one word, is "fire a b"'],
    [cue, '{"action":"go"', /^payload: must be JSON: .*; is "\{\\"action\\":\\"go\\""$/],
    [cue, '{"action":"go","lvl":1}', /^payload\.lvl: is not a known setting/],
    [
      cue,
      '{"action":"level","target":"front","level":5}',
      /^payload\.level: must be between 0 and 1, is 5$/,
    ],
    [cue, '{"action":"level"}', /payload\.target: is missing.*\npayload\.level: is missing/],
    [cue, '[]', /is "\[\]"/],
    [{ kind: 'set', output: 'front' }, '50', /^payload\.level: must be between 0 and 1, is 50$/],
    [{ kind: 'set', output: 'Front' }, 'ON', /^topic\.output: must be lower-case/],
    [{ kind: 'set', output: 'front' }, 'maybe', /^payload: must be ON, OFF, a number/],
    [{ kind: 'request', action: 'go' }, 'GO', /^payload: must be JSON such as \{"tx":"1"\}/],
    [{ kind: 'request', action: 'panic' }, '', /is ""; a word alone goes to …\/cue$/],
    [{ kind: 'request', action: 'go' }, '{}', /^payload\.tx: is missing$/],
    [{ kind: 'request', action: 'fly' }, '{"tx":"1"}', /^topic\.action: must be one of/],
    [{ kind: 'get', output: '+' }, '', /^topic\.output: must be/],
  ] as const) {
    const reading = read(address, text)
    t.match(reading, { kind: 'refused', message }, text)
  }
})

t.test('bytes that are not UTF-8, and books, are refused', async t => {
  t.match(readCommand(cue, Buffer.from([0xff, 0xfe])), {
    kind: 'refused',
    message: 'payload: must be UTF-8 text',
  })
  t.match(readCommand(cue, Buffer.alloc(10_000, 'a')), {
    kind: 'refused',
    message: /at most 8192 bytes/,
  })
})

const addresses = fc.oneof(
  fc.constant(cue),
  fc.record({ kind: fc.constant('set' as const), output: fc.string() }),
  fc.record({ kind: fc.constant('request' as const), action: fc.string() }),
)
const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string().map(text => Buffer.from(text)),
  fc.json().map(text => Buffer.from(text)),
  fc
    .record(
      {
        action: fc.oneof(fc.constantFrom('go', 'fire', 'level', '__proto__'), fc.string()),
        cue: fc.oneof(fc.string(), fc.anything()),
        level: fc.oneof(fc.double(), fc.string()),
        __proto__: fc.object(),
        constructor: fc.string(),
      },
      { requiredKeys: [] },
    )
    .map(value => Buffer.from(JSON.stringify(value) ?? '')),
)

t.test('whatever is written, it is a command or a reason, and never an exception', async t => {
  let refused = 0
  fc.assert(
    fc.property(addresses, payloads, (address, payload) => {
      const reading = readCommand(address, payload)
      if (reading.kind !== 'refused') return true
      refused++
      return reading.message.length > 10 && /^(payload|topic)/.test(reading.message)
    }),
    { numRuns: 3_000, seed: 25 },
  )
  t.ok(refused > 2_000, `${refused} were refused`)
})
