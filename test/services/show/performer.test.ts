/** What cues do beside light, over restarts: each once, and missed only if it was not done. */
import t, { type Test } from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import type { Store } from '../../../runtime/ports/store.js'
import { Stage } from './stage.js'

const show = `
apiVersion: show/v1
name: trial
patch:
  spot: {kind: dimmer, out: dimmer, home: 0}
  cam: {kind: capture, out: camera}
cues:
  - id: "1"
    do:
      - {mqtt: {topic: stage/a, payload: "a"}, at: 1s}
      - {capture: cam, at: 2s, count: 3, every: 500ms}
      - {mqtt: {topic: stage/b, payload: "b"}, at: 10s}
  - id: "2"
    do:
      - {mqtt: {topic: stage/c, payload: "c"}, at: 0s}
  - id: "3"
    do:
      - {mqtt: {topic: stage/d, payload: "d"}, at: 1s}
      - {mqtt: {topic: stage/e, payload: "e"}, at: 60s}
`

/** A disk that a process can be cut off from: what it asks for from then on never ends. */
function cable(store: Store): { readonly disk: Store; pull(): void } {
  let isPulled = false
  const through = <T>(ask: () => Promise<T>): Promise<T> =>
    isPulled ? new Promise(() => {}) : ask()
  return {
    disk: {
      commit: changes => through(() => store.commit(changes)),
      read: (table, key) => through(() => store.read(table, key)),
      scan: (table, range) => through(() => store.scan(table, range)),
    },
    pull: () => {
      isPulled = true
    },
  }
}

async function boot(t: Test, clock: SimulatedClock, store: Store): Promise<Stage> {
  const stage = new Stage({ show, clock, store })
  t.teardown(() => stage.service.stop())
  await stage.service.start()
  return stage
}

const parts = (): [SimulatedClock, SimulatedStore] => [
  new SimulatedClock({ showStartMs: 1_000_000, driftPpm: 0 }),
  new SimulatedStore(),
]

const told = (stage: Stage, name: string): unknown[] =>
  stage.log.lines.filter(({ event }) => event === name).map(({ facts }) => facts)
const missed = (stage: Stage): unknown[] => told(stage, 'show.action-missed')
const unknown = (stage: Stage): unknown[] => told(stage, 'show.action-unknown')

const sent = (stage: Stage): string[] => stage.heard('message/requested').map(({ topic }) => topic)

t.test('what was done before an orderly restart is neither done again nor missed', async t => {
  const [clock, store] = parts()
  const first = await boot(t, clock, store)
  await first.ask({ action: 'fire', cue: '1' })
  await clock.advance(2_600)
  t.same(
    [sent(first), first.camera.calls.length],
    [['stage/a'], 3],
    'two are taken, one is asked for',
  )
  await first.service.stop()
  const second = await boot(t, clock, store)
  t.same(missed(second), [])
  await clock.advance(9_000)
  t.same(sent(second), ['stage/b'])
  t.same(
    second.camera.calls.map(({ atMs }) => atMs),
    [3_000],
    'the third picture, which the stop had taken back',
  )
})

t.test('what came due while the box was off is missed, and told once each', async t => {
  const [clock, store] = parts()
  const first = await boot(t, clock, store)
  await first.ask({ action: 'fire', cue: '1' })
  await clock.advance(2_100)
  await first.service.stop()
  await clock.advance(2_000)
  const second = await boot(t, clock, store)
  t.match(missed(second), [
    { cue: '1', action: 'capture', lateMs: 1_600 },
    { cue: '1', action: 'capture', lateMs: 1_100 },
  ])
  t.same(second.camera.calls, [], 'and not done afterwards')
  t.same(unknown(second), [])
  await second.service.stop()
  const third = await boot(t, clock, store)
  t.same([...missed(third), ...unknown(third)], [], 'nor told again')
})

t.test('a power cut before anything was due makes it missed, if it was long enough', async t => {
  const [clock, store] = parts()
  const { disk, pull } = cable(store)
  const first = new Stage({ show, clock, store: disk })
  await first.service.start()
  await first.ask({ action: 'fire', cue: '3' })
  await clock.advance(500)
  pull()
  void first.service.stop()
  await clock.advance(70_000)
  const second = await boot(t, clock, store)
  t.match(unknown(second), [{ cue: '3', action: 'mqtt' }], 'the box may have lived for it')
  t.match(missed(second), [{ cue: '3', action: 'mqtt' }], 'it did not live for a minute more')
  await second.service.stop()
  const third = await boot(t, clock, store)
  t.same([...missed(third), ...unknown(third)], [], 'each is told once')
  t.same([...sent(second), ...sent(third)], [])
})

t.test('a power cut right behind an action does not make it look missed', async t => {
  const [clock, store] = parts()
  const { disk, pull } = cable(store)
  const first = new Stage({ show, clock, store: disk })
  await first.service.start()
  await first.ask({ action: 'fire', cue: '2' })
  await clock.advance(1)
  t.same(sent(first), ['stage/c'])
  pull()
  const second = await boot(t, clock, store)
  t.same([...missed(second), ...unknown(second)], [])
  await clock.advance(5_000)
  t.same(sent(second), [])
})

t.test('of an action that was not written down nobody says that it was missed', async t => {
  const [clock, store] = parts()
  const { disk, pull } = cable(store)
  const first = new Stage({ show, clock, store: disk })
  await first.service.start()
  await first.ask({ action: 'fire', cue: '3' })
  await clock.advance(990)
  pull()
  await clock.advance(20)
  t.same(sent(first), ['stage/d'])
  const second = await boot(t, clock, store)
  t.same(missed(second), [])
  t.match(unknown(second), [{ cue: '3', action: 'mqtt', lateMs: 10 }])
  await clock.advance(5_000)
  t.same(sent(second), [], 'and it is not done a second time')
})

t.test('an orderly stop says nothing of the life after it', async t => {
  const [clock, store] = parts()
  const first = await boot(t, clock, store)
  await first.ask({ action: 'fire', cue: '3' })
  await first.service.stop()
  const { disk, pull } = cable(store)
  const second = new Stage({ show, clock, store: disk })
  await second.service.start()
  await clock.advance(990)
  pull()
  await clock.advance(20)
  t.same(sent(second), ['stage/d'])
  const third = await boot(t, clock, store)
  t.same(missed(third), [])
  t.match(unknown(third), [{ cue: '3', action: 'mqtt' }])
})

t.test('a disk that does not read or write costs no action', async t => {
  const [clock, store] = parts()
  await store.commit([
    { kind: 'put', table: 'show-performed', key: 'last', value: new TextEncoder().encode('{') },
  ])
  const stage = await boot(t, clock, store)
  t.ok(stage.log.events('warn').includes('show.performed-unreadable'))
  await stage.ask({ action: 'fire', cue: '1' })
  store.fault = 'storage.full'
  await clock.advance(12_000)
  t.same(sent(stage), ['stage/a', 'stage/b'])
  t.ok(stage.log.events('warn').includes('show.performed-not-kept'))
  store.fault = null
})

const printing = `
apiVersion: show/v1
name: trial
patch:
  spot: {kind: dimmer, out: dimmer, home: 0}
cues:
  - id: "1"
    do:
      - {print: {template: claim, fields: {name: Ada}, kind: redeemable, expires: 10m}, at: 1s}
      - {print: {template: receipt, printer: bar}, at: 1s}
      - {print: {template: receipt, printer: box-2/bar}, at: 1s}
`

async function bootPrinting(t: Test, clock: SimulatedClock, store: Store): Promise<Stage> {
  const stage = new Stage({ show: printing, clock, store })
  t.teardown(() => stage.service.stop())
  await stage.service.start()
  return stage
}

t.test('a cue asks for its tickets at their moment, each under a key of its own', async t => {
  const [clock, store] = parts()
  const stage = await bootPrinting(t, clock, store)
  await stage.ask({ action: 'fire', cue: '1' })
  await clock.advance(999)
  t.same(stage.heard('print/requested'), [])
  await clock.advance(2)
  const [fire] = stage.heard('cue/fired')
  t.same(stage.heard('print/requested'), [
    {
      id: `${fire?.fire}:1000:0`,
      template: 'claim',
      fields: { name: 'Ada' },
      kind: 'redeemable',
      expiresAfterMs: 600_000,
      origin: 'cue:1',
    },
    {
      id: `${fire?.fire}:1000:1`,
      template: 'receipt',
      fields: {},
      printer: 'bar',
      origin: 'cue:1',
    },
  ])
})

t.test('a ticket that may have been asked for before a power cut is asked for again', async t => {
  const [clock, store] = parts()
  const { disk, pull } = cable(store)
  const first = new Stage({ show: printing, clock, store: disk })
  await first.service.start()
  await first.ask({ action: 'fire', cue: '1' })
  await clock.advance(900)
  pull()
  await clock.advance(200)
  const second = await bootPrinting(t, clock, store)
  const asked = (stage: Stage): string[] => stage.heard('print/requested').map(({ id }) => id)
  t.equal(asked(first).length, 2)
  t.same(asked(second), asked(first), 'under the same keys, so that it is one ticket')
  t.same(unknown(second), [])
})
