import fc from 'fast-check'
import t from 'tap'
import { nearest, suggestion, suggestionOrAll } from '../../runtime/core/nearest.js'

const KNOWN = ['front', 'front-wash', 'back', 'shutter', 'pulseMs']

for (const [wrong, meant] of [
  ['fornt', 'front'],
  ['frnt', 'front'],
  ['frontt', 'front'],
  ['FRONT', 'front'],
  ['front-wahs', 'front-wash'],
  ['pulsems', 'pulseMs'],
  ['shuter', 'shutter'],
  ['bcak', 'back'],
  ['smoke', null],
  ['xyz', null],
] as const)
  t.test(`"${wrong}" most likely means ${meant}`, async t => {
    t.equal(nearest(wrong, KNOWN), meant)
  })

t.test(
  'the first of two that are equally near is taken, and the exact one before both',
  async t => {
    t.equal(nearest('cut', ['cat', 'cot']), 'cat')
    t.equal(nearest('cot', ['cat', 'cot']), 'cot')
  },
)

t.test('a swap of neighbours counts one, and does not wrap around the start', async t => {
  t.equal(nearest('ab', ['ba']), 'ba')
  t.equal(nearest('abc', ['cab']), null)
})

t.test('nothing is near to nothing', async t => {
  t.equal(nearest('front', []), null)
  t.equal(suggestion('front', []), '')
  t.equal(suggestion('fornt', KNOWN), ' (did you mean "front"?)')
})

t.test('no more than 1000 candidates and 64 letters are compared', async t => {
  let asked = 0
  function* many(): Generator<string> {
    for (;;) {
      asked++
      yield 'x'.repeat(100_000)
    }
  }
  t.equal(nearest('a'.repeat(100_000), many()), null)
  t.ok(asked <= 1001)
})

t.test('where nothing is near, what there is is told, and not more than a line of it', async t => {
  t.equal(suggestionOrAll('fornt', KNOWN), ' (did you mean "front"?)')
  t.equal(suggestionOrAll('nope', ['1', '2', '2.5']), ' (there is 1, 2, 2.5)')
  const many = Array.from({ length: 500 }, (_, n) => `cue-${n}`)
  t.match(suggestionOrAll('x', many), /^ \(there is cue-0, .*, cue-11 and 488 more\)$/)
  t.equal(suggestionOrAll('x', []), '')
})

t.test('one slip in a name of four letters or more is always forgiven', async t => {
  const letter = fc.constantFrom(...'abcdefghij')
  const slip = fc.tuple(fc.string({ unit: letter, minLength: 4, maxLength: 20 }), fc.nat(), letter)
  const isForgiven = ([word, at, other]: [string, number, string]): boolean => {
    const index = at % word.length
    const slips = [
      word.slice(0, index) + word.slice(index + 1),
      word.slice(0, index) + other + word.slice(index),
      word.slice(0, index) + other + word.slice(index + 1),
    ]
    return slips.every(wrong => nearest(wrong, [word]) === word)
  }
  t.doesNotThrow(() => fc.assert(fc.property(slip, isForgiven)))
})
