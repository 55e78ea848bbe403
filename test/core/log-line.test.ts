import fc from 'fast-check'
import t from 'tap'
import { BoxError } from '../../runtime/core/errors.js'
import { plainFacts } from '../../runtime/core/log-line.js'

t.test('plain values stay what they are', async t => {
  const facts = { text: 'a', count: 1.5, isOn: true, none: null, list: [1, ['b']], inner: { a: 1 } }
  t.same(plainFacts(facts), facts)
})

t.test('what JSON cannot say becomes a text that says it', async t => {
  t.same(
    plainFacts({
      late: Number.POSITIVE_INFINITY,
      none: Number.NaN,
      big: 2n ** 70n,
      bytes: new Uint8Array(16),
      set: new Set([1, 2]),
      map: new Map([['a', 1]]),
      symbol: Symbol('s'),
    }),
    {
      late: 'Infinity',
      none: 'NaN',
      big: '1180591620717411303424',
      bytes: '16 bytes',
      set: [1, 2],
      map: [['a', 1]],
      symbol: 'Symbol(s)',
    },
  )
})

t.test('an error shows its code and the whole chain of its causes', async t => {
  const facts = plainFacts({
    error: new BoxError('storage.io', 'outer', { cause: new TypeError('inner') }),
  })
  t.match(facts, {
    error: {
      name: 'BoxError',
      code: 'storage.io',
      message: 'outer',
      stack: /outer/,
      cause: { name: 'TypeError', message: 'inner' },
    },
  })
})

t.test('circles and knots end', async t => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const error = new Error('round')
  error.cause = error
  const knot = Array.from({ length: 50 }, () => ({}) as Record<string, unknown>)
  for (const node of knot) for (const [at, other] of knot.entries()) node[`to${at}`] = other
  for (const facts of [circle, { error }, { knot }])
    t.ok(JSON.stringify(plainFacts(facts)).length < 100_000)
})

t.test('long texts, long lists and large objects are cut short', async t => {
  const facts = plainFacts({
    text: 'x'.repeat(100_000),
    list: Array.from({ length: 100_000 }, (_, at) => at),
  })
  t.ok(JSON.stringify(facts).length < 20_000)
  t.match(JSON.stringify(facts), /…/)
})

t.test('a value that cannot be read does not break the line', async t => {
  const hostile = {
    get trap(): never {
      throw new Error('no')
    },
  }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  t.same(plainFacts({ a: 1, hostile, proxy: revoked.proxy }), {
    a: 1,
    hostile: 'unreadable',
    proxy: 'unreadable',
  })
})

t.test('whatever is logged comes out as a line of JSON of bounded length', async t => {
  const isFine = fc.property(
    fc.dictionary(
      fc.string(),
      fc.anything({
        withBigInt: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withNullPrototype: true,
        withSparseArray: true,
        withDate: true,
        withObjectString: true,
      }),
    ),
    facts => {
      const text = JSON.stringify(plainFacts(facts))
      return typeof text === 'string' && text.length < 3_000_000
    },
  )
  t.doesNotThrow(() => fc.assert(isFine, { numRuns: 300 }))
})
