import { readFileSync } from 'node:fs'
import t from 'tap'
import { showTimeMs } from '../../../runtime/core/time.js'
import { levels, nextChange } from '../../../runtime/services/show/levels.js'
import { fireOf, readShow, shown, stateAfter } from './stage.js'

const small = readShow(readFileSync('test/fixtures/shows/small.yaml', 'utf8'))
const AMBER = [1, 128 / 255, 0]

t.test('before any cue every output is at home', async t => {
  t.same(shown(small, stateAfter(small, []), 5000), { front: 0.1, color: 0, lamp: 0 })
})

t.test('a fade goes from where the output was to where the cue puts it', async t => {
  const state = stateAfter(small, [{ atMs: 1000, deed: fireOf('1') }])
  const table: [number, number, number][] = [
    [1000, 0.1, 0],
    [2000, 0.175, 0.1],
    [3000, 0.25, 0.2],
    [5000, 0.4, 0.4],
    [9000, 0.4, 0.4],
  ]
  for (const [tMs, front, color] of table)
    t.match(shown(small, state, tMs), { front, color, lamp: color }, `at ${tMs}`)
})

t.test('up and down have their own times, and a delay holds an output back', async t => {
  const show = readShow(`apiVersion: show/v1
name: a
patch:
  a: {kind: dimmer, out: "x#0", home: 0}
  b: {kind: dimmer, out: "x#1", home: 1}
  c: {kind: dimmer, out: "x#2", home: 0}
cues: [{id: "1", levels: {a: 1, b: 0, c: 1}, fade: {up: 1s, down: 4s, delay: {c: 500ms}}}]`)
  const state = stateAfter(show, [{ atMs: 0, deed: fireOf('1') }])
  t.same(shown(show, state, 500), { a: 0.5, b: 0.875, c: 0 })
  t.same(shown(show, state, 1000), { a: 1, b: 0.75, c: 0.5 })
  t.same(shown(show, state, 1500), { a: 1, b: 0.625, c: 1 })
  t.same(shown(show, state, 4000), { a: 1, b: 0, c: 1 })
})

t.test('a later cue starts from what the earlier one shows at that moment', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 2000, deed: fireOf('4') },
  ])
  t.match(shown(small, state, 2000), { front: 0.25, color: 0.2 })
  t.match(shown(small, state, 3000), { front: 0.125, color: 0.1 })
  t.match(shown(small, state, 4000), { front: 0, color: 0 })
})

t.test('until its delay is over, the earlier cue plays on', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 2000, deed: fireOf('2') },
  ])
  t.match(shown(small, state, 2400), { color: 0.24 })
  t.match(shown(small, state, 2500), { color: 0.25 })
  t.ok((shown(small, state, 2600)['color'] ?? 0) > 0.25)
})

t.test('an rgb output fades each component, and its cap keeps the hue', async t => {
  const state = stateAfter(small, [{ atMs: 0, deed: fireOf('2') }])
  const found = [...levels(small, state, showTimeMs(2000)).slice(0, 3)]
  for (const [index, level] of found.entries())
    t.ok(Math.abs(level - (AMBER[index] ?? 0) * 0.8) < 1e-12, `component ${index}`)
})

t.test('a chase goes round, each step fading into the next, and fades in with its cue', async t => {
  const state = stateAfter(small, [{ atMs: 10_000, deed: fireOf('3') }])
  t.match(shown(small, state, 11_200), { front: 1, color: 0 })
  t.match(shown(small, state, 11_550), { front: 0.5, color: 0.5 })
  t.match(shown(small, state, 11_700), { front: 0, color: 0.8 })
  t.match(shown(small, state, 12_050), { front: 0.5, color: 0.5 })
  t.match(shown(small, state, 10_250), { front: 0.55, color: 0 })
})

t.test('a chase begins from what was there, and its last step does not flash up', async t => {
  const show = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: "x#0"}, b: {kind: dimmer, out: "x#1"}, c: {kind: dimmer, out: "x#2"}}
cues:
  - {id: "1", levels: {b: 40%}}
  - {id: "2", chase: {steps: [{a: 1}, {b: 1}, {c: 1}], period: 3s, fade: 500ms}}`)
  const state = stateAfter(show, [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 1000, deed: fireOf('2') },
  ])
  t.same(shown(show, state, 1000), { a: 0, b: 0.4, c: 0 })
  t.same(shown(show, state, 1250), { a: 0.5, b: 0.2, c: 0 })
  t.same(shown(show, state, 1500), { a: 1, b: 0, c: 0 })
  t.same(
    shown(show, state, 4250),
    { a: 0.5, b: 0, c: 0.5 },
    'the second time it comes from the last',
  )
})

t.test('a shared chase is in step with the timeline, whenever it was fired', async t => {
  const show = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: "x#0"}, b: {kind: dimmer, out: "x#1"}}
cues:
  - {id: "1", chase: {steps: [{a: 1}, {b: 1}], period: 3s, phase: shared, until: 4s}}`)
  for (const atMs of [1_800_000_000_123, 1_800_000_000_777]) {
    const state = stateAfter(show, [{ atMs, deed: fireOf('1') }])
    t.same(shown(show, state, 1_800_000_001_000), { a: 1, b: 0 })
    t.same(shown(show, state, 1_800_000_002_000), { a: 0, b: 1 })
    t.same(shown(show, state, 1_800_000_003_000), { a: 1, b: 0 })
    const frozen = shown(show, state, atMs + 4000)
    t.same(shown(show, state, atMs + 5500), frozen, 'after its time it stays as it is')
  }
})

t.test('walking from change to change meets every step of a chase once', async t => {
  for (const phase of ['start', 'shared']) {
    const show = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: "x#0"}, b: {kind: dimmer, out: "x#1"}, c: {kind: dimmer, out: "x#2"}}
cues:
  - {id: "1", chase: {steps: [{a: 1}, {b: 1}, {c: 1}], period: 1s, phase: ${phase}}}`)
    const t0 = 1_800_000_000_000.123
    const state = stateAfter(show, [{ atMs: t0, deed: fireOf('1') }])
    let now = showTimeMs(t0)
    let last = [...levels(show, state, now)].indexOf(1)
    for (let step = 0; step < 3000; step++) {
      const change = nextChange(show, state, now)
      now = change?.kind === 'at' ? change.atShowMs : showTimeMs(0)
      const lit = [...levels(show, state, now)].indexOf(1)
      if (lit !== (last + 1) % 3) t.fail(`${phase} ${step}: ${last} became ${lit}`)
      last = lit
    }
    t.ok(Math.abs(now - t0 - 1_000_000) < 1000, `${phase}: ${now - t0} ms for 1000 rounds`)
  }
})

t.test('a level set by hand holds against cues until it is cleared', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: { kind: 'level', target: 'front', level: 0.7, fadeMs: 1000 } },
    { atMs: 2000, deed: fireOf('4') },
    { atMs: 6000, deed: { kind: 'clear', target: null, fadeMs: 1000 } },
  ])
  const before = stateAfter(small, [
    { atMs: 0, deed: { kind: 'level', target: 'front', level: 0.7, fadeMs: 1000 } },
    { atMs: 2000, deed: fireOf('4') },
  ])
  t.match(shown(small, before, 500), { front: 0.4 })
  t.match(shown(small, before, 5000), { front: 0.7 })
  t.match(shown(small, state, 6500), { front: 0.35 })
  t.match(shown(small, state, 7000), { front: 0 })
})

t.test(
  'a color keeps its hue when its level is set by hand, and a dark one becomes white',
  async t => {
    const lit = stateAfter(small, [
      { atMs: 0, deed: fireOf('2') },
      { atMs: 2900, deed: { kind: 'level', target: 'color', level: 0.5, fadeMs: 0 } },
    ])
    const dark = stateAfter(small, [
      { atMs: 0, deed: { kind: 'level', target: 'color', level: 0.5, fadeMs: 0 } },
    ])
    const round = (tMs: number, state: typeof lit): number[] =>
      [...levels(small, state, showTimeMs(tMs)).slice(0, 3)].map(
        part => Math.round(part * 100) / 100,
      )
    t.same(round(2950, lit), [0.5, 0.25, 0])
    t.same(round(100, dark), [0.5, 0.5, 0.5])
  },
)

t.test('blackout takes everything away and gives it back as it is by then', async t => {
  const events = [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 1000, deed: { kind: 'blackout' as const, isOn: true, fadeMs: 500 } },
    { atMs: 8000, deed: { kind: 'blackout' as const, isOn: false, fadeMs: 0 } },
  ]
  const state = stateAfter(small, events.slice(0, 2))
  t.match(shown(small, state, 1250), { front: 0.097 })
  t.match(shown(small, state, 1500), { front: 0, color: 0, lamp: 0 })
  t.match(shown(small, stateAfter(small, events), 8000), { front: 0.4, color: 0.4 })
})

t.test('panic lies over everything, blackout too, and is there within 300 ms', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: { kind: 'level', target: 'all', level: 1, fadeMs: 0 } },
    { atMs: 0, deed: { kind: 'blackout', isOn: true, fadeMs: 0 } },
    { atMs: 1000, deed: { kind: 'panic' } },
  ])
  t.match(shown(small, state, 1000), { front: 0, color: 0, lamp: 0 })
  t.match(shown(small, state, 1100), { front: 0.25 })
  t.match(shown(small, state, 1200), { front: 0.5, color: 0, lamp: 0 })
  t.match(shown(small, state, 99_000), { front: 0.5, color: 0, lamp: 0 })
})

t.test('without a leader outputs go where the patch says, and come back with it', async t => {
  const lost = { kind: 'lost' as const, isLost: true }
  const events = [
    { atMs: 0, deed: { kind: 'scene' as const, scene: 'reveal', fadeMs: 0 } },
    { atMs: 1000, deed: lost },
    { atMs: 12_000, deed: { kind: 'lost' as const, isLost: false } },
  ]
  const state = stateAfter(small, events.slice(0, 2))
  t.match(shown(small, state, 10_900), { color: 0.8, front: 1 })
  t.match(shown(small, state, 1500), { lamp: 0.5 })
  t.match(shown(small, state, 2000), { lamp: 0 })
  t.match(shown(small, state, 13_000), { color: 0.4, front: 1 })
  const back = stateAfter(small, events)
  t.match(shown(small, back, 12_000), { color: shown(small, state, 12_000)['color'] })
  t.match(shown(small, back, 14_000), { color: 0.8, lamp: 1 })
})

t.test('the next change is named exactly, or said to go on all the time', async t => {
  const at = (events: Parameters<typeof stateAfter>[1], tMs: number) =>
    nextChange(small, stateAfter(small, events), showTimeMs(tMs))
  t.equal(at([], 0), null)
  const doors = [{ atMs: 1000, deed: fireOf('1') }]
  t.same(at(doors, 1000), { kind: 'fading', boundaryShowMs: 5000 })
  t.equal(at(doors, 5000), null)
  const reveal = [{ atMs: 0, deed: fireOf('2') }]
  t.same(at(reveal, 0), { kind: 'fading', boundaryShowMs: 500 })
  t.same(at(reveal, 1600), { kind: 'at', atShowMs: 3000 }, 'the follow')
  const chase = [{ atMs: 0, deed: fireOf('3') }]
  t.same(at(chase, 700), { kind: 'at', atShowMs: 1000 })
  t.same(at(chase, 1050), { kind: 'fading', boundaryShowMs: 1100 })
  const dark = [...chase, { atMs: 600, deed: { kind: 'blackout' as const, isOn: true, fadeMs: 0 } }]
  t.equal(at(dark, 700), null, 'nothing is seen of a chase in the dark')
  const hand = [
    { atMs: 0, deed: { kind: 'level' as const, target: 'all', level: 1, fadeMs: 0 } },
    ...doors,
  ]
  t.equal(at(hand, 2000), null, 'nor of a fade under a hand')
})
