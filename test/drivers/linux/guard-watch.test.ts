import t from 'tap'
import { GuardWatch } from '../../../drivers/linux/guard-watch.js'
import { type LastWord, WORDS_MAX } from '../../../drivers/linux/last-words.js'

const LIMIT_MS = 1000
const beat = { kind: 'beat' } as const
const file = (path: string): LastWord => ({ kind: 'file', path, text: '0' })
const line: LastWord = { kind: 'line', chip: 'c', offset: 1, isActiveLow: false, isActive: false }
const chip: LastWord = {
  kind: 'i2c',
  bus: 1,
  address: 0x40,
  writes: [{ register: 1, bytes: [0] }],
}
const watching = (): GuardWatch => new GuardWatch({ heartbeatMs: LIMIT_MS })

t.test('a host that has said nothing yet is starting, not silent', async t => {
  const watch = watching()
  t.equal(watch.waitMs(1e9), null)
  t.equal(watch.takeSilence(1e9), null)
})

t.test('silence is told once, until something is heard', async t => {
  const watch = watching()
  watch.hear(beat, 100)
  t.equal(watch.waitMs(400), 700)
  t.equal(watch.takeSilence(1100), null, 'not before there is more than the limit')
  t.equal(watch.takeSilence(1101), 1001)
  t.equal(watch.takeSilence(5000), null)
  t.equal(watch.waitMs(5000), null, 'and there is nothing to wait for')
  watch.hear(beat, 6000)
  t.equal(watch.waitMs(6000), LIMIT_MS)
  t.equal(watch.takeSilence(7500), 1500)
})

t.test('a guard that was held up hears first what came meanwhile', async t => {
  const watch = watching()
  watch.hear(beat, 0)
  watch.hear(beat, 50_000)
  t.equal(watch.takeSilence(50_001), null)
})

t.test('any order is a sign of life', async t => {
  const watch = watching()
  watch.hear(beat, 0)
  watch.hear({ kind: 'keep', id: 1, word: line }, 900)
  t.equal(watch.takeSilence(1500), null)
})

t.test('words are kept until they are taken back, and come with the fast ones first', async t => {
  const watch = watching()
  for (const [id, word] of [chip, file('a'), line, file('b')].entries())
    watch.hear({ kind: 'keep', id, word }, 0)
  watch.hear({ kind: 'forget', id: 1 }, 0)
  watch.hear({ kind: 'forget', id: 99 }, 0)
  t.same(watch.words, [line, file('b'), chip])
})

t.test('there is a limit to what is kept', async t => {
  const watch = watching()
  for (let id = 0; id < WORDS_MAX; id++) watch.hear({ kind: 'keep', id, word: line }, 0)
  t.throws(() => watch.hear({ kind: 'keep', id: WORDS_MAX, word: line }, 0), /no more words/)
})
