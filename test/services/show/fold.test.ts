import { readFileSync } from 'node:fs'
import t from 'tap'
import { advance, fold, rebased } from '../../../runtime/services/show/fold.js'
import { type Deed, initialState, SEGMENTS_MAX } from '../../../runtime/services/show/state.js'
import { fireOf, readShow, shown, stateAfter } from './stage.js'

const small = readShow(readFileSync('test/fixtures/shows/small.yaml', 'utf8'))

t.test('a follow fires by itself at its moment, with a name derived from its cause', async t => {
  const state = stateAfter(small, [{ atMs: 0, deed: fireOf('2', 'A') }])
  t.equal(state.current, '2')
  t.equal(advance(small, state, 2999).state.current, '2')
  const { state: later, done } = advance(small, state, 3000)
  t.equal(later.current, '3')
  t.match(done, [{ t0Ms: 3000, deed: { kind: 'fire', id: 'A.1', cue: '3', way: 'follow' } }])
  t.equal(later.next, '4')
})

t.test('whoever fires a cue takes the place of the follow that waits', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('2') },
    { atMs: 1000, deed: fireOf('4') },
  ])
  t.same(state.waiting, [])
  t.equal(advance(small, state, 10_000).state.current, '4')
})

t.test('back shows what the list says at the cue before, and does nothing else of it', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 10_000, deed: fireOf('2') },
    { atMs: 12_000, deed: { ...fireOf('1', 'B'), way: 'back' } },
  ])
  t.match(state, { current: '1', next: '2', waiting: [] })
  t.same(
    state.open.map(({ cue }) => cue),
    ['2'],
  )
  t.same(shown(small, state, 16_000), { front: 0.4, color: 0.4, lamp: 0.4 })
})

t.test('back takes outputs home that no cue above has set', async t => {
  const show = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: "x#0", home: 20%}, b: {kind: dimmer, out: "x#1"}}
cues:
  - {id: "1", levels: {b: 50%}}
  - {id: "2", levels: {b: 60%}}
  - {id: "3", levels: {a: 100%}}`)
  const state = stateAfter(show, [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 1, deed: fireOf('2') },
    { atMs: 2, deed: fireOf('3') },
    { atMs: 3, deed: { ...fireOf('2', 'B'), way: 'back' } },
  ])
  t.same(shown(show, state, 10), { a: 0.2, b: 0.6 })
})

t.test('a fire that is known, or of an older leader, changes nothing', async t => {
  const once = stateAfter(small, [{ atMs: 0, deed: fireOf('2', 'A', 3) }])
  const twice = fold(small, once, { atMs: 500, t0Ms: 500, deed: fireOf('2', 'A', 3) })
  t.same(twice, { state: once, done: [] })
  const older = fold(small, once, { atMs: 500, t0Ms: 500, deed: fireOf('4', 'B', 2) })
  t.same(older, { state: once, done: [] })
  t.equal(fold(small, once, { atMs: 500, t0Ms: 500, deed: fireOf('4', 'B', 4) }).state.epoch, 4)
})

t.test('a newer leader takes back what an older one has only scheduled', async t => {
  const scheduled = stateAfter(small, [
    { atMs: 0, deed: fireOf('2', 'A', 3) },
    { atMs: 100, t0Ms: 2000, deed: fireOf('1', 'B', 3) },
    { atMs: 200, t0Ms: 2500, deed: { kind: 'blackout', isOn: true, fadeMs: 0 } },
  ])
  const words: [Deed, string][] = [
    [{ kind: 'lead', epoch: 4 }, 'by whatever it says'],
    [fireOf('3', 'C', 4), 'by a fire'],
  ]
  for (const [deed, why] of words) {
    const led = fold(small, scheduled, { atMs: 500, t0Ms: 500, deed }).state
    t.equal(led.epoch, 4, why)
    const { done } = advance(small, led, 9000)
    t.notOk(
      done.some(({ deed: { kind } }) => kind === 'blackout'),
      why,
    )
    t.notOk(
      done.some(({ deed: what }) => what.kind === 'fire' && what.cue === '1'),
      why,
    )
  }
})

t.test('what an older leader began stays, with what follows it', async t => {
  const begun = stateAfter(small, [{ atMs: 0, deed: fireOf('2', 'A', 3) }])
  const { state } = fold(small, begun, { atMs: 500, t0Ms: 500, deed: { kind: 'lead', epoch: 4 } })
  for (const tMs of [500, 700, 1400, 2999, 3300])
    t.same(shown(small, state, tMs), shown(small, begun, tMs), `at ${tMs}`)
  t.match(advance(small, state, 3000).state, { current: '3', next: '4', epoch: 4 })
})

t.test('what is already due when a newer leader speaks has happened', async t => {
  const scheduled = stateAfter(small, [{ atMs: 0, t0Ms: 400, deed: fireOf('1', 'A', 3) }])
  const led = fold(small, scheduled, { atMs: 400, t0Ms: 400, deed: { kind: 'lead', epoch: 4 } })
  t.match(led, { state: { current: '1' }, done: [{ deed: { cue: '1' } }] })
})

t.test('an older leader takes nothing back', async t => {
  const scheduled = stateAfter(small, [{ atMs: 0, t0Ms: 2000, deed: fireOf('1', 'A', 3) }])
  for (const epoch of [2, 3]) {
    const { state } = fold(small, scheduled, { atMs: 9, t0Ms: 9, deed: { kind: 'lead', epoch } })
    t.same(state, { ...scheduled, atMs: 9 })
  }
})

t.test('goto takes the place of the follow that waits', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('2') },
    { atMs: 1000, deed: { kind: 'goto', cue: '1' } },
  ])
  t.match(advance(small, state, 10_000), { done: [], state: { current: '2', next: '1' } })
})

t.test('goto leaves what was scheduled', async t => {
  const state = stateAfter(small, [
    { atMs: 0, t0Ms: 5000, deed: fireOf('4') },
    { atMs: 1000, deed: { kind: 'goto', cue: '1' } },
  ])
  t.equal(advance(small, state, 5000).state.current, '4')
})

t.test('back takes the place of the follow that waits', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 1000, deed: fireOf('2') },
    { atMs: 1500, deed: { ...fireOf('1', 'B'), way: 'back' } },
  ])
  t.match(advance(small, state, 10_000), { done: [], state: { current: '1', next: '2' } })
})

t.test('a follow goes on unseen in a blackout, and a release brings none back', async t => {
  const dark: Deed = { kind: 'blackout', isOn: true, fadeMs: 0 }
  const blackedOut = stateAfter(small, [
    { atMs: 0, deed: fireOf('2') },
    { atMs: 1000, deed: dark },
  ])
  t.match(advance(small, blackedOut, 3000).state, { current: '3', blackout: { isOn: true } })
  const released = stateAfter(small, [
    { atMs: 0, deed: fireOf('2') },
    { atMs: 1000, deed: { kind: 'panic' } },
    { atMs: 1500, deed: { kind: 'release', fadeMs: 0 } },
  ])
  t.match(advance(small, released, 10_000), { done: [], state: { current: '2', next: '3' } })
})

t.test('what is to happen later waits for its moment, in order', async t => {
  const state = stateAfter(small, [
    { atMs: 0, t0Ms: 5000, deed: fireOf('4') },
    { atMs: 0, t0Ms: 2000, deed: fireOf('1') },
    { atMs: 100, t0Ms: 2000, deed: { kind: 'blackout', isOn: true, fadeMs: 0 } },
  ])
  t.equal(state.current, null)
  const { done } = advance(small, state, 9000)
  t.same(
    done.map(({ t0Ms, deed }) => [t0Ms, deed.kind]),
    [
      [2000, 'fire'],
      [2000, 'blackout'],
      [5000, 'fire'],
    ],
  )
})

t.test('a fire that arrives late gives the same as one that arrived in time', async t => {
  const inTime = stateAfter(small, [
    { atMs: 1000, deed: fireOf('1') },
    { atMs: 3000, deed: fireOf('4') },
  ])
  const late = stateAfter(small, [
    { atMs: 3000, deed: fireOf('4') },
    { atMs: 3200, t0Ms: 1000, deed: fireOf('1') },
  ])
  for (const tMs of [3200, 4000, 5000, 9000])
    t.same(shown(small, late, tMs), shown(small, inTime, tMs), `at ${tMs}`)
  t.match(late, { current: '4', next: null })
})

t.test('panic drops what waits, and leaves the place in the list', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('2') },
    { atMs: 10, t0Ms: 60_000, deed: fireOf('4') },
    { atMs: 500, deed: { kind: 'panic' } },
  ])
  t.match(state, { waiting: [], open: [], current: '2', next: '3' })
  t.equal(advance(small, state, 99_000).state.current, '2')
})

t.test('the state moves as a whole when the timeline is set', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('2') },
    { atMs: 100, deed: { kind: 'level', target: 'front', level: 0.3, fadeMs: 5000 } },
    { atMs: 200, deed: { kind: 'blackout', isOn: true, fadeMs: 3000 } },
    { atMs: 250, deed: { kind: 'lost', isLost: true } },
  ])
  const moved = rebased(state, 86_400_000)
  for (const tMs of [300, 1000, 2900])
    t.same(shown(small, moved, tMs + 86_400_000), shown(small, state, tMs))
})

t.test('fades that wait for long delays are bounded, and the newest is kept', async t => {
  const cues = Array.from(
    { length: 40 },
    (_, index) =>
      `  - {id: "c${index}", levels: {a: ${(index % 10) * 10}%}, fade: {up: 1s, delay: ${index + 1}s}}`,
  )
  const show = readShow(
    `apiVersion: show/v1\nname: a\npatch: {a: {kind: dimmer, out: x}}\ncues:\n${cues.join('\n')}`,
  )
  const state = stateAfter(
    show,
    cues.map((_, index) => ({ atMs: index, deed: fireOf(`c${index}`) })),
  )
  t.ok((state.segments[0]?.length ?? 99) <= SEGMENTS_MAX)
  t.same(shown(show, state, 60_000), { a: 0.9 })
})

t.test('an endless loop of follows needs no more memory than its first round', async t => {
  const show = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: x}}
cues:
  - {id: "1", levels: {a: 1}, fade: 1s, follow: {after: 500ms, go: "2"}}
  - {id: "2", levels: {a: 0}, fade: 1s, follow: {after: 500ms, go: "1"}}`)
  const state = stateAfter(show, [{ atMs: 0, deed: fireOf('1') }])
  const { state: later, done } = advance(show, state, 3_600_000)
  t.equal(done.length, 7200)
  t.equal(JSON.stringify(later.segments).length < 1000, true)
  t.equal(later.waiting.length, 1)
})

t.test('the start is at home, unarmed, before the first cue', async t => {
  t.match(initialState(small, 5), { atMs: 5, current: null, next: '1', armedWallMs: null })
})
