import t from 'tap'
import { LinuxDigests } from '../../drivers/linux/digests.js'

const digest = (...parts: readonly Uint8Array[]): string => {
  const running = new LinuxDigests().sha256()
  for (const part of parts) running.update(part)
  return running.hex()
}

t.test('SHA-256 of FIPS 180-4, in one part and in many', async t => {
  t.equal(digest(), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  const abc = Buffer.from('abc')
  const hex = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  t.equal(digest(abc), hex)
  t.equal(digest(...[...abc].map(byte => Uint8Array.of(byte)), new Uint8Array()), hex)
  const million = Buffer.alloc(1_000_000, 'a')
  t.equal(
    digest(million.subarray(0, 999_000), million.subarray(999_000)),
    'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  )
})

t.test('a part may be written over after it was taken', async t => {
  const running = new LinuxDigests().sha256()
  const part = Buffer.from('abc')
  running.update(part)
  part.fill(0)
  t.match(running.hex(), /^ba7816bf/)
})
