import fc from 'fast-check'
import t from 'tap'
import { boardSchema } from '../../boards/board.js'
import { boxConfigSchema } from '../../runtime/config.js'
import { ConfigError } from '../../runtime/core/errors.js'
import {
  boolean,
  check,
  choice,
  either,
  eitherForm,
  integer,
  jsonSchema,
  list,
  literal,
  name,
  nullable,
  number,
  object,
  oneOf,
  optional,
  parsed,
  pathText,
  pattern,
  type Schema,
  string,
  table,
  unknown,
  withDefault,
} from '../../runtime/core/schema.js'
import { topics } from '../../runtime/topics.js'

/** The lines of the ConfigError that the check ends in, or none when the value is right. */
function problems(schema: Schema<unknown>, value: unknown, root = 'box'): readonly string[] {
  try {
    check(schema, value, root)
    return []
  } catch (error) {
    return error instanceof ConfigError ? error.message.split('\n') : [`a bug: ${String(error)}`]
  }
}

const pulse = object({ pulseMs: integer({ min: 5, max: 5000 }), name })

t.test('what is right comes back as it is', async t => {
  const value = { pulseMs: 80, name: 'shutter' }
  t.same(check(pulse, value, 'box'), value)
})

const cases: readonly (readonly [string, Schema<unknown>, unknown, readonly string[]])[] = [
  [
    'a number out of range',
    pulse,
    { pulseMs: 4, name: 'a' },
    ['box.pulseMs: must be between 5 and 5000, is 4'],
  ],
  [
    'a broken number',
    pulse,
    { pulseMs: 5.5, name: 'a' },
    ['box.pulseMs: must be a whole number, is 5.5'],
  ],
  ['a missing key', pulse, { pulseMs: 5 }, ['box.name: is missing']],
  ['a wrong type', pulse, { pulseMs: '5', name: 'a' }, ['box.pulseMs: must be a number, is "5"']],
  ['not a number', number({ min: 0, max: 1 }), Number.NaN, ['box: must be a number, is NaN']],
  [
    'without end',
    number({ min: 0, max: 1 }),
    Number.POSITIVE_INFINITY,
    ['box: must be a number, is Infinity'],
  ],
  ['no object', pulse, [], ['box: must be an object, is a list']],
  ['nothing', pulse, undefined, ['box: is missing']],
  ['null', pulse, null, ['box: must be an object, is null']],
  [
    'a misspelt key',
    pulse,
    { pulsMs: 5, pulseMs: 5, name: 'a' },
    ['box.pulsMs: is not a known setting (did you mean "pulseMs"?)'],
  ],
  [
    'an unknown key',
    pulse,
    { colour: 5, pulseMs: 5, name: 'a' },
    ['box.colour: is not a known setting; known are pulseMs, name'],
  ],
  [
    'a name that is none',
    name,
    'Front Wash',
    ['box: must be lower-case letters, digits and dashes, at most 63, is "Front Wash"'],
  ],
  [
    'a text too long',
    string({ max: 3 }),
    'four',
    ['box: must have at most 3 characters, is "four"'],
  ],
  [
    'a text too short',
    string({ min: 2, max: 3 }),
    'f',
    ['box: must have at least 2 characters, is "f"'],
  ],
  [
    'a list too long',
    list(boolean, { max: 1 }),
    [true, true],
    ['box: must have at most 1 entries, is a list'],
  ],
  [
    'a list too short',
    list(boolean, { min: 1, max: 2 }),
    [],
    ['box: must have at least 1 entries, is a list'],
  ],
  ['a wrong entry', list(boolean, { max: 9 }), [true, 1], ['box[1]: must be true or false, is 1']],
  [
    'none of a set',
    oneOf('in', 'out'),
    'inn',
    ['box: must be "in" or "out", is "inn" (did you mean "in"?)'],
  ],
  ['not the literal', literal(1), 2, ['box: must be 1, is 2']],
  [
    'a table too large',
    table(name, boolean, { max: 1 }),
    { a: true, b: true },
    ['box: must have at most 1 entries'],
  ],
  [
    'a wrong key of a table',
    table(name, boolean, { max: 9 }),
    { 'A B': true },
    ['box["A B"]: must be lower-case letters, digits and dashes, at most 63'],
  ],
  [
    'a form of its own',
    eitherForm('a time like 5s', literal(1), literal(2)),
    3,
    ['box: must be a time like 5s, is 3'],
  ],
  [
    'no form',
    either(object({ a: boolean }), boolean),
    'x',
    ['box: has none of the allowed forms, is "x"'],
  ],
  [
    'nearly a form',
    either(object({ a: boolean }), boolean),
    { a: 1 },
    ['box.a: must be true or false, is 1'],
  ],
  [
    'a long value',
    boolean,
    'x'.repeat(100),
    [`box: must be true or false, is "${'x'.repeat(56)}...`],
  ],
]

for (const [what, schema, value, expected] of cases)
  t.test(`${what} is told with path, rule and value`, async t => {
    t.same(problems(schema, value), expected)
  })

t.test('what is wrong with a secret is told, and not what it is', async t => {
  const schema = object({ password: nullable(string({ min: 8, max: 12 })), token: name })
  for (const [value, path] of [
    [{ password: 'hush', token: 'ok' }, 'password'],
    [{ password: 47_110_815, token: 'ok' }, 'password'],
    [{ password: 'hush-hush-hush', token: 'ok' }, 'password'],
    [{ password: null, token: 'Hush Hush' }, 'token'],
  ] as const) {
    const [told = '', ...others] = problems(schema, value)
    t.match(told, new RegExp(`^box\\.${path}: must`))
    t.notMatch(told, /hush|47110815/i)
    t.same(others, [])
  }
})

t.test('all problems are told, not only the first', async t => {
  t.equal(problems(list(pulse, { max: 9 }), [{}, { pulseMs: 1, name: '' }, 5]).length, 5)
})

t.test('one choice is told apart by its key', async t => {
  const shape = choice(
    'kind',
    object({ kind: literal('a'), x: boolean }),
    object({ kind: literal('b') }),
  )
  t.same(problems(shape, { kind: 'a', x: 1 }), ['box.x: must be true or false, is 1'])
  t.same(problems(shape, { kind: 'c' }), ['box.kind: must be "a" or "b", is "c"'])
  t.same(problems(shape, {}), ['box.kind: must be "a" or "b"'])
})

t.test('a default fills a gap, and a present value must still be right', async t => {
  const shape = object({
    a: withDefault(integer({ min: 0, max: 9 }), 4),
    b: optional(boolean),
    c: nullable(boolean),
  })
  t.same(check(shape, { c: null }, 'box'), { a: 4, c: null })
  t.same(problems(shape, { a: null, c: null }), ['box.a: must be a number, is null'])
})

t.test('a default is nobody else’s: two configs do not share one', async t => {
  const shape = object({ list: withDefault(list(boolean, { max: 9 }), []) })
  const first = check(shape, {}, 'box')
  first.list.push(true)
  t.same(check(shape, {}, 'box'), { list: [] })
})

t.test('a parsed text is read, or refused with the form it should have', async t => {
  const seconds = parsed('seconds like 5s', text =>
    /^\d+s$/.test(text) ? Number.parseInt(text, 10) : null,
  )
  t.equal(check(seconds, '5s', 'box'), 5)
  t.same(problems(seconds, '5 m'), ['box: must be seconds like 5s, is "5 m"'])
})

t.test('a problem is placed where the text has it', async t => {
  const locate = (path: readonly PropertyKey[]): { line: number; column: number } => ({
    line: path.length,
    column: 1,
  })
  try {
    check(object({ a: object({ b: boolean }) }), { a: { b: 1, c: 2 } }, 'show', {
      locate,
      code: 'show.invalid',
    })
    t.fail('it is wrong')
  } catch (error) {
    t.match(error, { code: 'show.invalid' })
    t.match(
      String(error),
      /2:1 show\.a\.b: must be true or false, is 1\n2:1 show\.a\.c: is not a known setting/,
    )
  }
})

t.test('a path is written as a person would', async t => {
  t.equal(
    pathText('box', ['devices', 2, 'options', 'pulse-ms', 'a b', '3', '']),
    'box.devices[2].options.pulse-ms["a b"]["3"][""]',
  )
})

t.test('a key that every object has is a key like any other', async t => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const value: unknown = JSON.parse(`{"pulseMs":5,"name":"a","${key}":1}`)
    t.equal(problems(pulse, value).length, 1, key)
    const entries: unknown = JSON.parse(`{"${key}":true}`)
    t.doesNotThrow(
      () => check(table(string({ max: 64 }), boolean, { max: 9 }), entries, 'box'),
      key,
    )
  }
})

t.test('a JSON Schema says what a sender has to write', async t => {
  t.same(jsonSchema(object({ a: withDefault(integer({ min: 0, max: 9 }), 4) })), {
    type: 'object',
    properties: { a: { default: 4, type: 'integer', minimum: 0, maximum: 9 } },
    additionalProperties: false,
  })
})

t.test('a hundred thousand mistakes are told in a moment', async t => {
  const wrong = Array.from({ length: 100_000 }, () => 0)
  const lines = problems(either(object({ items: list(boolean, { max: 200_000 }) }), boolean), {
    items: wrong,
  })
  t.equal(lines.length, 50)
  const keys = Object.fromEntries(wrong.map((_, at) => [`pulseMz${at}`, 1]))
  t.equal(problems(pulse, keys).length, 50)
})

const anything = fc.anything({
  withBigInt: true,
  withMap: true,
  withSet: true,
  withDate: true,
  withTypedArray: true,
  withNullPrototype: true,
  withSparseArray: true,
  withObjectString: true,
  values: [
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.constant(null),
    fc.constant(undefined),
    fc.constant(Symbol('s')),
    fc.constant(() => 1),
  ],
})

/** True when the check ends as it may: with a value, or with a ConfigError that has a message. */
function endsWell(schema: Schema<unknown>, value: unknown): boolean {
  try {
    check(schema, value, 'box')
    return true
  } catch (error) {
    return error instanceof ConfigError && error.message.length > 0
  }
}

t.test('no value whatever ends in anything but a value or a ConfigError', async t => {
  const schemas: readonly Schema<unknown>[] = [
    boxConfigSchema,
    boardSchema,
    pulse,
    unknown,
    pattern(/^a$/, 'an a'),
    either(object({ a: boolean }), list(integer({ min: 0, max: 1 }), { max: 2 })),
    table(name, unknown, { max: 3 }),
    ...Object.values(topics).map(({ payload }) => payload),
  ]
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anything, value => schemas.every(schema => endsWell(schema, value))),
      { numRuns: 200 },
    ),
  )
})

t.test('nor does a value in the place of any setting', async t => {
  const valid = { schemaVersion: 1, tour: 'tour-7', box: 'box-12' }
  const keys = Object.keys(boxConfigSchema.shape)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.constantFrom(...keys), anything, (key, value) =>
        endsWell(boxConfigSchema, { ...valid, [key]: value }),
      ),
      { numRuns: 500 },
    ),
  )
  t.ok(endsWell(boxConfigSchema, valid))
})
