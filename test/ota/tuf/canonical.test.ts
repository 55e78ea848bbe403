import { Metadata, MetadataKind, Signature } from '@tufjs/models'
import t from 'tap'
import { canonicalJson, type Json } from '../../../ota/tuf/canonical.js'

const textOf = (value: Json): string => Buffer.from(canonicalJson(value)).toString()

t.test('one value has one form', async t => {
  t.equal(textOf({ b: [1, -2, 0, -0, true, null], a: 'x' }), '{"a":"x","b":[1,-2,0,0,true,null]}')
  t.equal(textOf('a"b\\c\n\u0007ä'), '"a\\"b\\\\c\n\u0007ä"')
  // U+10000 comes after U+FFFD, though its first half is a smaller number.
  t.equal(
    textOf({ '\u{10000}': 1, '\ufffd': 2, a: 3, '': 4, ab: 5 }),
    '{"":4,"a":3,"ab":5,"\ufffd":2,"\u{10000}":1}',
  )
})

t.test('what has no canonical form is refused', async t => {
  for (const value of [1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])
    t.throws(() => canonicalJson({ value }), RangeError)
  // What is signed for U+FFFD is not signed for this.
  for (const half of ['\ud800', '\udc00x', 'a\ud800b'])
    for (const value of [half, { [half]: 1 }]) t.throws(() => canonicalJson(value), RangeError)
  let deep: Json = 1
  for (let depth = 0; depth < 40; depth++) deep = [deep]
  t.throws(() => canonicalJson(deep), RangeError)
})

t.test('what the library signs are the same bytes', async t => {
  const signed = {
    _type: 'targets',
    spec_version: '1.0.0',
    version: 1,
    expires: '2030-01-01T00:00:00Z',
    targets: {
      'ä "x"\\': { length: 1, hashes: { sha256: '00' }, custom: { b: 1, a: [null, true] } },
    },
    'unknown field': { z: 1, y: 'line\nfeed' },
  }
  const metadata = Metadata.fromJSON(MetadataKind.Targets, { signed, signatures: [] })
  let bytes: Uint8Array = new Uint8Array()
  metadata.sign(text => {
    bytes = text
    return new Signature({ keyID: 'a', sig: 'b' })
  })
  t.equal(Buffer.from(bytes).toString(), textOf(signed))
})
