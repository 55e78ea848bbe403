import fc from 'fast-check'
import t from 'tap'
import { readFieldPattern } from '../../../runtime/services/printing/field-pattern.js'

t.test('a pattern means what the regular expression means', async t => {
  const patterns = [
    ...['[A-Z]{2}-\\d{4}', '\\d+', 'a*b', 'a?a?aa', '[^0-9]+', '.*x.*', '[a-c.-]{2,}', 'x{0,3}y'],
    ...['\\w+@\\w+\\.\\w{2,3}', '[\\]\\\\]', 'Row [1-9]\\d?', '[.]', '\\/\\{a\\}', 'é+'],
  ]
  const letter = fc.constantFrom(...'abcxyAZ019-.@ é\\]/{}_')
  for (const source of patterns) {
    const pattern = readFieldPattern(source)
    const expression = new RegExp(`^(?:${source})$`, 'u')
    const same = (value: string): boolean => pattern?.matches(value) === expression.test(value)
    const holds = fc.property(fc.array(letter, { maxLength: 6 }), letters => same(letters.join('')))
    t.doesNotThrow(() => fc.assert(holds, { numRuns: 300 }), source)
  }
  const examples = ['AB-1234', 'aab', 'aa', 'Row 12', 'a@b.io', 'xxxy', '{a}']
  for (const source of patterns)
    for (const value of examples)
      t.equal(
        readFieldPattern(source)?.matches(value),
        new RegExp(`^(?:${source})$`, 'u').test(value),
        `${source} ${value}`,
      )
})

t.test('what could be slow, or is not understood, is no pattern', async t => {
  for (const source of [
    '(a+)+',
    'a|b',
    '^a',
    'a$',
    '(?=a)',
    '\\1',
    '[b-a]',
    'a**',
    'a{3,2}',
    '[',
    'a{',
    '*',
  ])
    t.equal(readFieldPattern(source), null, source)
  t.equal(readFieldPattern('a{9999}'), null)
  t.equal(readFieldPattern('ab'.repeat(40)), null)
})

t.test('a value made to be slow is compared in the steps of its length', async t => {
  const pattern = readFieldPattern('a*a*a*a*a*a*a*a*a*a*b')
  const value = 'a'.repeat(1024)
  t.equal(pattern?.matches(value), false)
  t.equal(pattern?.matches(`${value}b`), true)
})
