/** Which of two boxes knows better whether there is a panic; and what a release takes back. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { fold } from '../../../runtime/services/show/fold.js'
import { meet } from '../../../runtime/services/show/panics.js'
import {
  PANICS_ACTIVE_MAX,
  PANICS_KEPT,
  type ShowState,
} from '../../../runtime/services/show/state.js'
import { readShow, stateAfter } from './stage.js'

const small = readShow(readFileSync('test/fixtures/shows/small.yaml', 'utf8'))

type Deeds = Parameters<typeof stateAfter>[1]
const panic = (id: string): Deeds[number] => ({ atMs: 0, deed: { kind: 'panic', id } })
const release = (...ids: string[]): Deeds[number] => ({
  atMs: 0,
  deed: { kind: 'release', fadeMs: 0, ids },
})
const after = (...deeds: Deeds): ShowState => stateAfter(small, deeds)

interface Row {
  readonly what: string
  readonly own: ShowState
  readonly others: ShowState
  readonly ids?: readonly string[]
  readonly isOn: boolean
  readonly unheard?: readonly string[]
  readonly released?: readonly string[]
}

const rows: readonly Row[] = [
  { what: 'nothing', own: after(), others: after(), isOn: false },
  { what: 'one both have', own: after(panic('a')), others: after(panic('a')), isOn: true },
  { what: 'the leader has one', own: after(), others: after(panic('a')), isOn: true },
  {
    what: 'only this box has one',
    own: after(panic('a')),
    others: after(),
    isOn: true,
    unheard: ['a'],
  },
  {
    what: 'it was away when one was released',
    own: after(panic('a')),
    others: after(panic('a'), release('a')),
    isOn: false,
  },
  {
    what: 'its own is known by its id alone',
    own: after(panic('a')),
    others: after(),
    ids: ['a'],
    isOn: false,
  },
  {
    what: 'the leader was away when one was released',
    own: after(panic('a'), release('a')),
    others: after(panic('a')),
    isOn: false,
    released: ['a'],
  },
  {
    what: 'a new one came since',
    own: after(panic('a'), release('a')),
    others: after(panic('a'), panic('b')),
    isOn: true,
    released: ['a'],
  },
  {
    what: 'another one was released without knowing of the own',
    own: after(panic('a')),
    others: after(panic('b'), release('b')),
    isOn: true,
    unheard: ['a'],
  },
  {
    what: 'each has one of its own',
    own: after(panic('a')),
    others: after(panic('b')),
    isOn: true,
    unheard: ['a'],
  },
  {
    what: 'who is in one is no witness that another is over',
    own: after(panic('a'), panic('b')),
    others: after(panic('b')),
    isOn: true,
    unheard: ['a'],
  },
  {
    what: 'one of an earlier program, without an id',
    own: after(),
    others: after({ atMs: 0, deed: { kind: 'panic' } }),
    isOn: true,
  },
]

for (const { what, own, others, ids = [], isOn, unheard = [], released = [] } of rows)
  t.test(`two boxes meet: ${what}`, async t => {
    const met = meet(own, others, ids)
    t.equal(met.panic.isOn, isOn)
    t.same(met.unheard, unheard)
    t.same(met.released, released)
    for (const id of [...own.panics.known, ...others.panics.known])
      t.ok(met.panics.known.includes(id), `${id} stays known`)
    for (const id of unheard) t.ok(met.panics.active.includes(id), `${id} stays`)
    for (const id of released) t.notOk(met.panics.active.includes(id), `${id} is over`)
  })

t.test('a release takes back what it names, and all where it names none', async t => {
  t.equal(after(panic('a'), panic('b'), release('b')).panic.isOn, true)
  t.equal(after(panic('a'), panic('b'), release('a', 'b')).panic.isOn, false)
  const all = { atMs: 0, deed: { kind: 'release' as const, fadeMs: 0 } }
  t.same(after(panic('a'), all).panics, { known: ['a'], active: [] })
  t.equal(after({ atMs: 0, deed: { kind: 'panic' } }, release()).panic.isOn, false)
})

t.test('a panic that is asked again comes no later', async t => {
  const once = after(panic('a'))
  const event = { atMs: 100, t0Ms: 100, deed: { kind: 'panic' as const, id: 'b' } }
  t.same(fold(small, once, event).state.panic, once.panic)
})

t.test('a button that is held down fills nothing', async t => {
  const held = after(...Array.from({ length: 3_000 }, (_, index) => panic(`p${index}`)))
  t.equal(held.panics.known.length, PANICS_KEPT)
  t.equal(held.panics.active.length, PANICS_ACTIVE_MAX)
  t.ok(held.panics.active.includes('p2999'))
  t.equal(fold(small, held, { ...release(...held.panics.active), t0Ms: 0 }).state.panic.isOn, false)
})
