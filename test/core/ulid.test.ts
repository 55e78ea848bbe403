import t from 'tap'
import { decodeTime, isValid } from 'ulid'
import { randomFrom } from '../../runtime/core/random.js'
import { ulid } from '../../runtime/core/ulid.js'

t.test('an id is what the ulid package takes for one, and gives its time back', async t => {
  const random = randomFrom(3)
  for (let round = 0; round < 1000; round++) {
    const atMs = Math.floor(random() * 2 ** 48)
    const id = ulid(
      atMs,
      Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256)),
    )
    if (!isValid(id) || decodeTime(id) !== atMs) t.fail(id)
  }
  t.pass('1000 ids')
})

t.test('all eighty bits of chance are kept', async t => {
  const ids = new Set<string>()
  for (let bit = 0; bit < 80; bit++) {
    const bytes = new Uint8Array(10)
    bytes[bit >> 3] = 1 << (bit & 7)
    ids.add(ulid(0, bytes))
  }
  t.equal(ids.size, 80)
  t.equal(ulid(0, new Uint8Array(10).fill(255)), '0000000000ZZZZZZZZZZZZZZZZ')
})

t.test('ids sort by time, and a clock before 1970 makes the smallest', async t => {
  const bytes = new Uint8Array(10)
  t.ok(ulid(1, bytes) < ulid(2, bytes))
  t.ok(ulid(31, bytes) < ulid(32, bytes))
  t.equal(ulid(-5, bytes), ulid(0, bytes))
  t.equal(ulid(2 ** 60, bytes), ulid(2 ** 48 - 1, bytes))
})
