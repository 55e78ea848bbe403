/** The look of the list at a cue: what a GO after a goto shows. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import type { FireDeed } from '../../../runtime/services/show/state.js'
import { holds, RUNS } from './any-show.js'
import { fireOf, readShow, shown, stateAfter } from './stage.js'

const small = readShow(readFileSync('test/fixtures/shows/small.yaml', 'utf8'))

const list = readShow(`apiVersion: show/v1
name: a
patch:
  a: {kind: dimmer, out: "x#0", home: 20%}
  b: {kind: dimmer, out: "x#1"}
  c: {kind: dimmer, out: "x#2", home: 5%}
scenes:
  bright: {a: 90%, b: 90%, c: 90%}
cues:
  - {id: "1", levels: {a: 100%}}
  - {id: "2", levels: {b: 60%}, fade: 1s}
  - {id: "3", levels: {a: 30%}, fade: 2s, curve: sine}
  - {id: "4", levels: {b: 0%, c: 70%}}`)

const jump = (cue: string, id = `jump-${cue}`): FireDeed => ({ ...fireOf(cue, id), way: 'jump' })

t.test('a jump shows what the list shows when it is played from the top', async t => {
  for (const [last, { id }] of list.cues.entries()) {
    const played = stateAfter(
      list,
      list.cues.slice(0, last + 1).map((cue, index) => ({
        atMs: index * 10_000,
        deed: fireOf(cue.id),
      })),
    )
    const jumped = stateAfter(list, [
      { atMs: 0, deed: fireOf('4') },
      { atMs: 1000, deed: { kind: 'scene', scene: 'bright', fadeMs: 0 } },
      { atMs: 2000, deed: jump(id) },
    ])
    t.same(shown(list, jumped, 100_000), shown(list, played, 100_000), `cue ${id}`)
    t.match(jumped, { current: id, next: played.next })
  }
})

t.test('all of it takes the time of the cue that is jumped to', async t => {
  const state = stateAfter(list, [
    { atMs: 0, deed: { kind: 'scene', scene: 'bright', fadeMs: 0 } },
    { atMs: 1000, deed: jump('3') },
  ])
  t.same(shown(list, state, 1000), { a: 0.9, b: 0.9, c: 0.9 })
  t.same(shown(list, state, 2000), { a: 0.6, b: 0.75, c: 0.475 }, 'half-way, on its curve')
  t.same(shown(list, state, 3000), { a: 0.3, b: 0.6, c: 0.05 })
})

t.test('the list goes on from there', async t => {
  const state = stateAfter(list, [
    { atMs: 0, deed: jump('3') },
    { atMs: 5000, deed: fireOf('4') },
  ])
  t.same(shown(list, state, 9000), { a: 0.3, b: 0, c: 0.7 })
})

t.test('a cue that is fired by its name still leaves the rest alone', async t => {
  const state = stateAfter(list, [
    { atMs: 0, deed: { kind: 'scene', scene: 'bright', fadeMs: 0 } },
    { atMs: 1000, deed: fireOf('3') },
  ])
  t.same(shown(list, state, 9000), { a: 0.3, b: 0.9, c: 0.9 })
})

t.test('a chase of a cue above runs, and one that had its time is where it ends', async t => {
  const show = (until: string) =>
    readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: "x#0"}, b: {kind: dimmer, out: "x#1"}}
cues:
  - id: "1"
    chase: {steps: [{a: 100%}, {a: 50%}, {a: 0%}], period: 3s, until: ${until}}
  - {id: "2", levels: {b: 40%}}`)
  const at = (until: string, tMs: number) =>
    shown(show(until), stateAfter(show(until), [{ atMs: 0, deed: jump('2') }]), tMs)['a']
  t.same([at('next', 500), at('next', 1500), at('next', 3500)], [1, 0.5, 1])
  t.same([at('1500ms', 0), at('1500ms', 500), at('1500ms', 9500)], [0.5, 0.5, 0.5])
})

t.test('what a jump has shown, back takes to the list above', async t => {
  const state = stateAfter(list, [
    { atMs: 0, deed: jump('4') },
    { atMs: 5000, deed: { ...fireOf('3', 'B'), way: 'back' } },
  ])
  t.same(shown(list, state, 9000), { a: 0.3, b: 0.6, c: 0.05 })
  t.match(state, { current: '3', next: '4' })
})

t.test('a chase that had its time does not run again on the way back', async t => {
  const show = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: "x#0"}, b: {kind: dimmer, out: "x#1"}}
cues:
  - {id: "1", chase: {steps: [{a: 100%}, {a: 50%}, {a: 0%}], period: 3s, until: 1500ms}}
  - {id: "2", levels: {b: 40%}}
  - {id: "3", levels: {a: 80%}}`)
  const state = stateAfter(show, [
    { atMs: 0, deed: fireOf('1') },
    { atMs: 5000, deed: fireOf('2') },
    { atMs: 6000, deed: fireOf('3') },
    { atMs: 9000, deed: { ...fireOf('2', 'B'), way: 'back' } },
  ])
  for (const tMs of [9000, 9500, 10_200, 12_000])
    t.equal(shown(show, state, tMs)['a'], 0.5, `at ${tMs}`)
})

t.test('actions and follows of the cue that is jumped to are its own', async t => {
  const state = stateAfter(small, [{ atMs: 0, deed: jump('2', 'A') }])
  t.match(state.open, [{ id: 'A', cue: '2' }])
  t.match(state.waiting, [{ t0Ms: 3000, deed: { id: 'A.1', cue: '3', way: 'follow' } }])
})

/** Four cues, each of which names some of five outputs. */
const sparse = fc
  .array(
    fc.record({
      levels: fc.dictionary(
        fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        fc.integer({ min: 0, max: 100 }).map(percent => `${percent}%`),
        { maxKeys: 2 },
      ),
      fade: fc.integer({ min: 0, max: 3000 }).map(ms => `${ms}ms`),
    }),
    { minLength: 4, maxLength: 4 },
  )
  .map(cues =>
    readShow(
      JSON.stringify({
        apiVersion: 'show/v1',
        name: 'any',
        patch: Object.fromEntries(
          [...'abcde'].map((name, channel) => [
            name,
            { kind: 'dimmer', out: `x#${channel}`, home: `${channel}%` },
          ]),
        ),
        cues: cues.map((entry, index) => ({ id: String(index + 1), ...entry })),
      }),
    ),
  )

t.test('in any show a jump shows what the list says, wherever the show stood', async t => {
  let different = 0
  holds(
    fc.property(sparse, fc.array(fc.nat(3), { maxLength: 4 }), fc.nat(3), (show, before, to) => {
      const cue = String(to + 1)
      const played = [0, 1, 2, 3].slice(0, to + 1)
      const [list_, jumped, plain] = [
        played.map(index => fireOf(String(index + 1))),
        [...before.map((index, nth) => fireOf(String(index + 1), `B${nth}`)), jump(cue)],
        [...before.map((index, nth) => fireOf(String(index + 1), `B${nth}`)), fireOf(cue)],
      ].map(deeds => {
        const state = stateAfter(
          show,
          deeds.map((deed, index) => ({ atMs: index * 1000, deed })),
        )
        return JSON.stringify(shown(show, state, 60_000))
      })
      if (plain !== list_) different++
      return jumped === list_
    }),
  )
  t.ok(different > RUNS / 4, `${different} times a plain fire would have shown something else`)
})
