import type { Test } from 'tap'
import type { Keys } from '../../runtime/ports/keys.js'

export function keysContract(t: Test, makeKeys: () => Keys): void {
  t.test('digests are those of FIPS 180-4', async t => {
    const keys = makeKeys()
    for (const [text, digest] of [
      ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ] as const)
      t.equal(keys.sha256Hex(Buffer.from(text)), digest)
  })

  t.test('codes of authentication are those of RFC 4231', async t => {
    const keys = makeKeys()
    // Test cases 1 and 2 of section 4.
    for (const [key, text, code] of [
      [
        Buffer.alloc(20, 0x0b),
        'Hi There',
        'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      ],
      [
        Buffer.from('Jefe'),
        'what do ya want for nothing?',
        '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
      ],
    ] as const)
      t.equal(Buffer.from(keys.hmacSha256(key, Buffer.from(text))).toString('hex'), code)
  })

  t.test('as many random bytes come as were asked for, and not the same twice', async t => {
    const keys = makeKeys()
    for (const count of [0, 1, 16, 4096]) t.equal(keys.randomBytes(count).length, count)
    const drawn = new Set(Array.from({ length: 100 }, () => keys.randomBytes(16).join()))
    t.equal(drawn.size, 100)
  })

  t.test('every byte comes about equally often', async t => {
    const counts = new Uint32Array(256)
    for (const byte of makeKeys().randomBytes(256 * 400)) counts[byte] = (counts[byte] ?? 0) + 1
    // 400 expected, standard deviation 20: a fair source leaves this band once in some thousand years of tests.
    t.ok(counts.every(count => count > 200 && count < 600))
  })

  t.test('random bytes share memory with nobody', async t => {
    const bytes = makeKeys().randomBytes(16)
    t.equal(bytes.buffer.byteLength, 16)
  })

  t.test('a count that is no count is a bug', async t => {
    for (const count of [-1, 1.5, Number.NaN, 2 ** 30])
      t.throws(() => makeKeys().randomBytes(count), /assertion failed/)
  })
}
