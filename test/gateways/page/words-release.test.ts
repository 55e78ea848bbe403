import { pathToFileURL } from 'node:url'
import t from 'tap'
import { otaState } from '../../services/ota-state.js'

const words: {
  releaseText(ota: object): string
  slotTexts(ota: object): readonly string[]
  waitsFor(ota: object): readonly string[]
  isBad(ota: object): boolean
  absenceText(ota: object | null): string
} = await import(pathToFileURL('runtime/gateways/page/assets/words-release.js').href)

const ota = otaState
const candidate = { digest: 'cd'.repeat(32), version: '1.5.0' }

t.test('what was refused is an alarm while it is ordered, or runs', async t => {
  const refusal = (digest: string) => ({ ...ota, refused: [{ digest, version: '1.5.0', why: '' }] })
  t.notOk(words.isBad(ota))
  t.ok(words.isBad({ ...ota, trouble: 'the card is full' }))
  t.notOk(words.isBad(refusal(candidate.digest)), 'something else is ordered, and runs')
  t.ok(words.isBad({ ...refusal(candidate.digest), ordered: candidate, candidate }))
  t.ok(words.isBad({ ...refusal(ota.running?.digest ?? ''), ordered: null }))
})

t.test('where a release stands is one sentence', async t => {
  const checked = { wallMs: 0, isFresh: true, words: '' }
  t.equal(words.releaseText({ ...ota, checked }), 'as ordered')
  t.equal(words.releaseText(ota), 'as ordered before the start')
  const nothing = { ...ota, ordered: null }
  t.equal(words.releaseText({ ...nothing, checked }), 'nothing is ordered for this box')
  t.equal(words.releaseText(nothing), 'what is ordered is not known')
  const stale = { ...checked, isFresh: false }
  t.equal(words.releaseText({ ...nothing, checked: stale }), 'what is ordered is not known')
  const progress = { doneBytes: 1e6, allBytes: 4e6, uplinkBytes: 0, peerBytes: 0, stickBytes: 0 }
  t.equal(
    words.releaseText({ ...ota, candidate, phase: 'fetching', progress }),
    '1.5.0 is being fetched: 25 % of 4.0 MB',
  )
  t.equal(
    words.releaseText({
      ...ota,
      candidate,
      phase: 'writing',
      progress: { ...progress, allBytes: 308 },
    }),
    '1.5.0 is being written: 324675 % of 0.3 kB',
  )
  t.equal(words.releaseText({ ...ota, phase: 'trial' }), '1.4.0 has to prove itself')
  t.equal(words.releaseText({ ...ota, candidate, phase: 'waiting' }), '1.5.0 waits')
  const refused = [{ ...ota.running, why: 'lamps flicker' }]
  t.match(words.releaseText({ ...ota, refused }), 'the last resort: it was refused here')
})

t.test('what is in the way, what was refused and what went wrong are told', async t => {
  t.same(
    words.waitsFor({
      ...ota,
      phase: 'waiting',
      unmet: [{ words: 'a show is armed' }],
      holds: [{ owner: 'Kim', reason: 'rehearsal', leftMinutes: 61 }],
      refused: [{ version: '1.4.9', why: 'gate' }],
      trouble: 'nobody answers',
    }),
    [
      'a show is armed',
      'held by Kim, 61 min more: rehearsal',
      '1.4.9 was refused: gate',
      'nobody answers',
    ],
  )
})

t.test('what is on its way is in the way of nothing, unless it does not come', async t => {
  const unmet = [
    { name: 'in-slot', words: 'it is not in the other slot yet' },
    { name: 'pieces', words: 'nothing of it has come for 40 s' },
  ]
  const told = words.waitsFor({ ...ota, candidate, phase: 'fetching', unmet })
  t.same(told, ['nothing of it has come for 40 s'])
})

t.test('what lies in each slot is told, where there are slots', async t => {
  const slots = { a: { words: '1.4.0, runs' }, b: { words: 'copy of 1.4.0' } }
  t.same(words.slotTexts({ ...ota, slots }), ['slot a: 1.4.0, runs', 'slot b: copy of 1.4.0'])
  t.same(words.slotTexts(ota), [])
})

t.test('why nothing is known to be ordered is told', async t => {
  const checked = { wallMs: 0, isFresh: false, words: '/box/ota.json:3:3: ota.tour: must be …' }
  t.same(words.waitsFor({ ...ota, ordered: null, checked }), [checked.words])
  t.same(words.waitsFor({ ...ota, checked }), [], 'of what is known nothing is to be told')
})

t.test('the operating system is told in a sentence, where there is something to tell', async t => {
  const os = {
    lacking: null,
    phase: 'waiting',
    running: 'a',
    systems: { a: { version: '2.0.0' }, b: { version: '2.1.0' } },
    candidate: { version: '2.1.0' },
    progress: null,
    unmet: [{ words: 'a show is armed' }],
    trouble: null,
  }
  const progress = { doneBytes: 1e8, allBytes: 4e8, uplinkBytes: 0, peerBytes: 0, stickBytes: 0 }
  t.same(words.waitsFor({ ...ota, os: { ...os, phase: 'writing', progress } }), [
    'operating system 2.1.0 is being written: 25 % of 400.0 MB',
  ])
  t.same(words.waitsFor({ ...ota, os }), ['operating system 2.1.0 waits: a show is armed'])
  t.same(words.waitsFor({ ...ota, os: { ...os, phase: 'idle' } }), ['operating system 2.0.0'])
  t.same(words.waitsFor({ ...ota, os: { ...os, lacking: 'none here' } }), [])
  const trial = { ...os, phase: 'trial', running: 'b', candidate: null }
  const unmet = [{ words: 'nobody can judge it' }, { words: 'it has 20 s to answer' }]
  t.same(words.waitsFor({ ...ota, os: { ...trial, unmet } }), [
    'operating system 2.1.0 has to prove itself: nobody can judge it; it has 20 s to answer',
  ])
  t.same(words.waitsFor({ ...ota, os: { ...trial, unmet: [] } }), [
    'operating system 2.1.0 has to prove itself',
  ])
})

t.test('a box that falls silent in a switch is told as that', async t => {
  t.equal(words.absenceText(null), '')
  t.equal(words.absenceText(ota), '')
  t.equal(
    words.absenceText({ ...ota, candidate, phase: 'waiting', unmet: [{ words: 'armed' }] }),
    '',
  )
  const starts =
    /^It was about to start release 1\.5\.0: that takes some ten seconds\. .*by itself\.$/
  for (const phase of ['writing', 'agreed', 'switching'])
    t.match(words.absenceText({ ...ota, candidate, phase }), starts, phase)
  t.match(words.absenceText({ ...ota, candidate, phase: 'waiting', unmet: [] }), starts)
  t.match(
    words.absenceText({ ...ota, phase: 'trial' }),
    /^Release 1\.4\.0 was on trial: .*by itself\.$/,
  )
  const os = { lacking: null, phase: 'switching', candidate: { version: '2.1.0' } }
  t.match(words.absenceText({ ...ota, os }), /^It reboots into operating system 2\.1\.0: .*minute/)
})
