import t from 'tap'
import {
  awayMsOf,
  CLAIM_MS,
  nextOsTurn,
  type OsTurnView,
  objectionOf,
  objectionToLeaving,
} from '../../../ota/updater/os-turn.js'
import { type HeardOsWord, type OsWord, readOsWord } from '../../../ota/updater/os-word.js'

const awayMs = awayMsOf(60)
const heard = (
  box: string,
  stage: OsWord['stage'] | null,
  ageMs = 500,
  silentMs = ageMs,
): readonly [string, HeardOsWord] => [
  box,
  { word: stage && { digest: null, stage, refused: [] }, ageMs, silentMs },
]
const viewOf = (
  others: readonly (readonly [string, HeardOsWord])[],
  more: Partial<OsTurnView> = {},
): OsTurnView => ({
  ...{ box: 'm', named: [], isOpen: true, listenedMs: awayMs, claimedMs: CLAIM_MS, awayMs },
  heard: new Map(others),
  ...more,
})

t.test('a box goes when it has said so for a while and nobody objects', async t => {
  t.same(nextOsTurn(viewOf([])), { stage: 'goes', why: null })
  t.match(nextOsTurn(viewOf([], { claimedMs: null })), { stage: 'claims', why: /told before/ })
  t.match(nextOsTurn(viewOf([], { claimedMs: CLAIM_MS - 1 })), { stage: 'claims' })
  const all = [heard('a', 'stays'), heard('z', 'claims'), heard('old', null)]
  t.same(nextOsTurn(viewOf(all)), { stage: 'goes', why: null })
})

t.test('one at a time, and the first by name of two who want to', async t => {
  for (const box of ['a', 'z']) {
    t.match(nextOsTurn(viewOf([heard(box, 'goes')])), { stage: 'stays', why: /one at a time/ })
    t.match(objectionOf(viewOf([heard(box, 'goes')])), /one at a time/)
  }
  t.match(nextOsTurn(viewOf([heard('a', 'claims')])), { stage: 'stays', why: /^a is to start/ })
})

t.test('who is not heard any more may be away, for a while', async t => {
  t.match(nextOsTurn(viewOf([heard('z', 'goes', awayMs - 1)])), { stage: 'stays' })
  t.same(nextOsTurn(viewOf([heard('z', 'goes', awayMs)])), { stage: 'goes', why: null })
  for (const stage of ['stays', 'claims', null] as const) {
    const silent = [heard('z', stage, 5_000)]
    t.match(nextOsTurn(viewOf(silent)), { stage: 'claims', why: /z was heard 5 s ago/ })
    t.match(nextOsTurn(viewOf(silent, { claimedMs: null })), { stage: 'stays' })
    t.match(nextOsTurn(viewOf([heard('z', stage, awayMs)])), { stage: 'goes' })
  }
})

t.test('who leaves what nobody can judge waits for those who are away, not for ever', async t => {
  const waits = (others: Parameters<typeof viewOf>[0], waitedMs: number, isOpen = true) =>
    objectionToLeaving(viewOf(others, { isOpen, listenedMs: 0 }), waitedMs)
  for (const stage of ['stays', 'claims', null] as const)
    t.equal(waits([heard('a', stage)], 0), null, `${stage}`)
  for (const box of ['a', 'z']) {
    t.match(waits([heard(box, 'goes')], awayMs - 1), /one at a time/, box)
    t.equal(waits([heard(box, 'goes', awayMs)], 0), null, `${box} has not come back`)
  }
  t.match(waits([heard('a', 'goes')], 9 * awayMs), /^a starts/, 'of two the first by name goes')
  t.equal(waits([heard('z', 'goes')], awayMs), null)
  t.match(waits([heard('a', 'goes')], awayMs - 1, false), /^a starts/)
  t.equal(waits([heard('a', 'goes')], awayMs, false), null, 'nobody can be heard any more')
  t.equal(waits([], 0, false), null, 'a system without a network is left, too')
})

t.test('who could not be heard because the broker was away may be away itself', async t => {
  for (const stage of ['goes', 'claims', 'stays'] as const) {
    const unheard = [heard('z', stage, 2 * awayMs, awayMs - 1)]
    t.match(nextOsTurn(viewOf(unheard, { claimedMs: null })), { stage: 'stays' }, stage)
  }
})

t.test('who does not hear the others does not go, nor one that has only begun to', async t => {
  t.match(nextOsTurn(viewOf([], { isOpen: false })), { stage: 'stays', why: /broker of the venue/ })
  const deaf = { listenedMs: awayMs - 1 }
  t.match(nextOsTurn(viewOf([heard('a', 'stays')], deaf)), { stage: 'stays', why: /1 min more/ })
  const named = { ...deaf, named: ['a', 'm', 'z'] }
  t.match(nextOsTurn(viewOf([heard('a', 'stays')], named)), { stage: 'stays', why: /^z may come/ })
  const both = [heard('a', 'stays'), heard('z', 'stays')]
  t.same(nextOsTurn(viewOf(both, named)), { stage: 'goes', why: null }, 'all that are named')
})

t.test('a word of systems may say more, and one that nobody understands says nothing', async t => {
  const said = { digest: null, stage: 'goes', refused: ['ab'.repeat(32)] }
  t.same(readOsWord({ ...said, mood: 'fine' }), said)
  for (const odd of [undefined, null, 7, { ...said, stage: 'flies' }, { ...said, refused: ['x'] }])
    t.equal(readOsWord(odd), null)
})
