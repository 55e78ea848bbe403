import fc from 'fast-check'
import t from 'tap'
import { readDocument } from '../../runtime/core/document.js'
import { ConfigError } from '../../runtime/core/errors.js'
import { boolean, check, list, object } from '../../runtime/core/schema.js'

const read = (text: string): unknown => readDocument(text, 'show', 'show.invalid').value

/** The message of the ConfigError, or the value as JSON when there is none. */
function outcome(text: string): string {
  try {
    return JSON.stringify(read(text)) ?? 'undefined'
  } catch (error) {
    return error instanceof ConfigError ? error.message : `a bug: ${String(error)}`
  }
}

t.test('YAML and JSON are read into plain values', async t => {
  t.same(read('a: [1, two, true, null]\nb:\n  - c: "3"\n'), {
    a: [1, 'two', true, null],
    b: [{ c: '3' }],
  })
  t.same(read('{"a": [1, "two", true, null]}'), { a: [1, 'two', true, null] })
  t.equal(read(''), null)
})

t.test('yes, no, on, off and dates are texts, as YAML 1.2 has it', async t => {
  t.same(read('[yes, no, on, off, 2026-05-01, 12:30, 0o17, 1_000]'), [
    'yes',
    'no',
    'on',
    'off',
    '2026-05-01',
    '12:30',
    15,
    '1_000',
  ])
})

for (const [what, text, message] of [
  ['an open bracket', 'a: [1,\n', /^[12]:\d+ show: /],
  ['a key twice', 'a: 1\na: 2\n', /^2:1 show: Map keys must be unique/],
  ['a tab for an indent', 'a:\n\t- 1\n', /^2:\d show: /],
  ['an alias of nothing', 'a: *b\n', /^show: Unresolved alias/],
  ['two documents', 'a: 1\n---\nb: 2\n', /^2:\d show: must be one document/],
  ['a set', '%YAML 1.1\n---\na: !!set {x, y}\n', /must hold texts, numbers/],
  ['bytes', '%YAML 1.1\n---\na: !!binary aGk=\n', /must hold texts, numbers/],
  ['a list that holds itself', '&a [*a]', /must hold texts, numbers/],
  ['aliases that unfold without end', bomb(), /Excessive alias count/],
] as const)
  t.test(`${what} is refused`, async t => {
    t.match(outcome(text), message)
  })

/** Nine lines that would unfold to 10^9 texts. */
function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let at = 1; at < 9; at++)
    lines.push(`a${at}: &a${at} [${Array.from({ length: 10 }, () => `*a${at - 1}`).join()}]`)
  return lines.join('\n')
}

const nestings: readonly (readonly [string, (depth: number) => string])[] = [
  ['lists in brackets', depth => '['.repeat(depth) + ']'.repeat(depth)],
  ['open brackets', depth => '['.repeat(depth)],
  ['maps in braces', depth => '{a: '.repeat(depth) + '}'.repeat(depth)],
  ['dashes', depth => `${'- '.repeat(depth)}x`],
  ['question marks', depth => '? '.repeat(depth)],
  ['indents', depth => Array.from({ length: depth }, (_, at) => `${' '.repeat(at)}a:\n`).join('')],
  ['brackets with closing ones in comments', depth => '[ # ]]\n'.repeat(depth)],
  ['brackets with closing ones in texts', depth => '["]]", '.repeat(depth)],
]

for (const [what, text] of nestings)
  t.test(`${what} 1000 deep are refused, which would else abort the process`, async t => {
    t.match(outcome(text(1000)), /\d+:\d+ show: must not nest deeper than 64 levels/)
    t.match(outcome(text(100)), /must not nest deeper/)
    t.notMatch(outcome(text(50)), /must not nest deeper|a bug/)
  })

t.test('a text is refused when it is too long, or has too many parts', async t => {
  t.match(outcome('x'.repeat(1024 * 1024 + 1)), /must have at most 1048576 characters/)
  t.match(outcome(`[${'0,'.repeat(300_000)}0]`), /must have at most 200000 words and signs/)
})

t.test('a problem in a value is placed where the value stands', async t => {
  const text = 'name: opening\ncues:\n  - isOn: true\n  - isOn: maybe\n    colour: red\n  - 5\n'
  const { value, locate } = readDocument(text, 'show', 'show.invalid')
  const schema = object({ cues: list(object({ isOn: boolean, at: boolean }), { max: 9 }) })
  const thrown = ((): unknown => {
    try {
      return check(schema, value, 'show', { locate })
    } catch (error) {
      return error
    }
  })()
  t.ok(thrown instanceof ConfigError)
  t.same(thrown instanceof ConfigError ? thrown.message.split('\n') : [], [
    '3:5 show.cues[0].at: is missing',
    '4:5 show.cues[1].isOn: must be true or false, is "maybe"',
    '4:5 show.cues[1].at: is missing',
    '5:5 show.cues[1].colour: is not a known setting; known are isOn, at',
    '6:5 show.cues[2]: must be an object, is 5',
    '1:1 show.name: is not a known setting; known are cues',
  ])
})

t.test('a place is found for any path, however wrong', async t => {
  const { locate } = readDocument('a:\n  b: [1, {c: 2}]\n"1": x\n', 'show', 'show.invalid')
  t.same(locate([]), { line: 1, column: 1 })
  t.same(locate(['a', 'b', 1, 'c']), { line: 2, column: 11 })
  t.same(locate(['a', 'b', 0]), { line: 2, column: 7 })
  t.same(locate(['1']), { line: 3, column: 1 })
  t.same(locate(['a', 'nowhere', 5, 'at all']), { line: 1, column: 1 })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(Symbol('s')))),
        path => locate(path) !== undefined,
      ),
    ),
  )
})

t.test('no text whatever ends in anything but plain values or a ConfigError', async t => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '!!set ',
    '!x ',
    '"',
    "'",
    '#',
    '|\n',
    '>',
    '? ',
    '%YAML 1.1\n',
    '---\n',
    '...',
    '<<',
    '\t',
    '\0',
    '\ufeff',
    ',',
    '1',
    'é',
    '\ud800',
  )
  const yamlish = fc.array(piece, { maxLength: 60 }).map(pieces => pieces.join(''))
  const isFine = (text: string): boolean => !outcome(text).startsWith('a bug')
  t.doesNotThrow(() => fc.assert(fc.property(yamlish, isFine), { numRuns: 3000 }))
  t.doesNotThrow(() =>
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), isFine), { numRuns: 500 }),
  )
})

t.test('what JSON can say is read as JSON reads it', async t => {
  const isSame = (json: string): boolean =>
    JSON.stringify(read(json)) === JSON.stringify(JSON.parse(json))
  const isFlat = (json: string): boolean => json.length > 0 && !json.includes('__proto__')
  t.doesNotThrow(() =>
    fc.assert(fc.property(fc.json({ maxDepth: 8 }).filter(isFlat), isSame), { numRuns: 300 }),
  )
})
