import t from 'tap'
import { copyOfWrites, isOvertaken } from '../../runtime/core/planned-writes.js'
import type { RegisterWrite } from '../../runtime/ports/host.js'

const write = (register: number, byteCount: number): RegisterWrite => ({
  register,
  bytes: new Uint8Array(byteCount),
})

t.test('what a later one writes as a whole is overtaken', async t => {
  t.equal(isOvertaken([write(6, 4)], [[write(6, 4)]]), true)
  t.equal(isOvertaken([write(10, 4)], [[write(6, 32)]]), true)
  t.equal(isOvertaken([write(6, 4), write(38, 4)], [[write(38, 8)], [write(6, 8)]]), true)
})

t.test('what nobody writes again is not', async t => {
  t.equal(isOvertaken([write(6, 4)], []), false)
  t.equal(isOvertaken([write(6, 4)], [[write(7, 4)]]), false)
  t.equal(isOvertaken([write(6, 5)], [[write(6, 4)]]), false)
  t.equal(isOvertaken([write(6, 4), write(38, 4)], [[write(6, 32)]]), false)
  t.equal(isOvertaken([write(6, 8)], [[write(6, 4), write(10, 4)]]), false, 'nor in two halves')
})

t.test('a copy keeps its bytes, and what is too much is refused', async t => {
  const bytes = Uint8Array.of(1, 2)
  const [copy] = copyOfWrites([{ register: 6, bytes }])
  bytes.fill(0)
  t.same([...(copy?.bytes ?? [])], [1, 2])
  for (const wrong of [[], [write(0, 0)], [write(0, 33)], [1, 1, 1, 1, 1].map(n => write(0, n))])
    t.throws(() => copyOfWrites(wrong), { code: 'device.limit' })
})
