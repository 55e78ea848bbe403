/** The show's memory: what was answered survives any power cut, and what is kept stays small. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { after, showTimeMs } from '../../../runtime/core/time.js'
import type { Store } from '../../../runtime/ports/store.js'
import { decide } from '../../../runtime/services/show/decide.js'
import { fold } from '../../../runtime/services/show/fold.js'
import { ACCEPTED, Journal } from '../../../runtime/services/show/journal.js'
import { levels } from '../../../runtime/services/show/levels.js'
import { initialState, type ShowState } from '../../../runtime/services/show/state.js'
import type { ShowCommand } from '../../../runtime/topics.js'
import { readShow, Stage } from './stage.js'

const text = readFileSync('test/fixtures/shows/small.yaml', 'utf8')
const show = readShow(text)
const START_MS = 1_000_000

/** An evening: every 700 ms somebody wants something. */
const evening: readonly Omit<ShowCommand, 'id' | 'origin'>[] = [
  { action: 'go' },
  { action: 'level', target: 'front', level: 0.8, fadeMs: 300 },
  { action: 'go' },
  { action: 'clear', fadeMs: 2000 },
  { action: 'blackout', on: true, fadeMs: 500 },
  { action: 'blackout', on: false },
  { action: 'go' },
  { action: 'back' },
  { action: 'panic' },
  { action: 'release', fadeMs: 900 },
  { action: 'scene', scene: 'reveal', fadeMs: 3000 },
  { action: 'go' },
]
const PAUSE_MS = 700

/** The states that a box which never lost power has after none, one, two … of the commands. */
function states(): ShowState[] {
  let ids = 0
  const found = [initialState(show, START_MS)]
  for (const [index, command] of evening.entries()) {
    const state = found.at(-1) ?? initialState(show, START_MS)
    const nowMs = START_MS + index * PAUSE_MS
    const decision = decide(
      show,
      state,
      { ...command, id: `c${index}`, origin: 'test' },
      {
        nowMs,
        wallMs: nowMs,
        leadMs: 0,
        newId: () => `id-${++ids}`,
      },
    )
    const events = decision.kind === 'act' ? decision.events : []
    found.push(events.reduce((before, event) => fold(show, before, event).state, state))
  }
  return found
}

/** What the dimmer's four channels show: front, then the color. */
function channels(state: ShowState, tMs: number): number[] {
  const [red = 0, green = 0, blue = 0, front = 0] = levels(show, state, showTimeMs(tMs))
  return [front, red, green, blue]
}

const gap = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? 9))))

t.test('whenever the power goes, what was answered is back and nothing is half', async t => {
  const expected = states()
  let middleOfFades = 0
  let lostUnanswered = 0
  for (let calls = 1; calls <= 45; calls++) {
    const store = new SimulatedStore(randomFrom(calls))
    const clock = new SimulatedClock({ showStartMs: START_MS, driftPpm: 0 })
    const stage = new Stage({ show: text, clock, store: store.boot({ callsUntilPowerCut: calls }) })
    const begun = stage.service.start()
    await clock.advance(0)
    for (const [index, command] of evening.entries()) {
      await stage.ask({ ...command, id: `c${index}` })
      await clock.advance(PAUSE_MS)
    }
    const answered = stage.heard('command/answered').filter(({ isAccepted }) => isAccepted).length
    void begun
    const again = new Stage({
      show: text,
      clock,
      store: store.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }),
    })
    await again.service.start()
    const nowMs = clock.showTimeMs()
    const shown = again.light('dimmer').shown
    const kept = expected.findIndex(
      (state, count) => count >= answered && gap(channels(state, nowMs), shown) < 1e-9,
    )
    if (kept < 0) t.fail(`power cut after ${calls} calls: ${answered} were answered`, { shown })
    if (kept > 0 && kept < evening.length) lostUnanswered++
    await clock.advance(200)
    if (gap(again.light('dimmer').shown, shown) > 0) middleOfFades++
    await again.service.stop()
  }
  t.ok(lostUnanswered > 5, `${lostUnanswered} evenings were cut short`)
  t.ok(middleOfFades > 5, `${middleOfFades} restarts were in the middle of a fade`)
})

const tables = ['show-state', 'show-events', 'show-fires', 'show-commands']

async function rowCount(store: Store): Promise<number> {
  let count = 0
  for (const table of tables)
    count += (await store.scan(table, { from: '', before: null, limit: 10_000 })).length
  return count
}

t.test('a long evening keeps no more than a short one', async t => {
  const store = new SimulatedStore()
  const stage = new Stage({ show: text, store })
  await stage.service.start()
  for (let index = 0; index < 1500; index++) {
    await stage.ask(
      index % 3 === 0 ? { action: 'fire', cue: '2' } : { action: 'blackout', on: index % 2 === 0 },
    )
    await stage.clock.advance(10)
  }
  const count = await rowCount(store)
  t.ok(count <= 1 + 256 + 256 + 1024, `${count} rows`)
  const before = stage.light('dimmer').shown
  await stage.service.stop()
  const again = new Stage({ show: text, store, clock: stage.clock })
  await again.service.start()
  t.same(again.light('dimmer').shown, before)
  t.match(again.heard('show/state')[0], { current: '2' })
})

t.test('the table itself refuses a second fire of the same name', async t => {
  const store = new SimulatedStore()
  const stage = new Stage({ show: text, store })
  await stage.service.start()
  await stage.clock.advance(10)
  await stage.ask({ action: 'fire', cue: '1', id: 'A' })
  await t.rejects(
    store.commit([{ kind: 'insert', table: 'show-fires', key: 'A', value: new Uint8Array() }]),
    { code: 'storage.conflict' },
  )
})

t.test(
  'commands that come while the disk is busy are synced together, and all answered',
  async t => {
    const store = new SimulatedStore()
    let commits = 0
    const counted: Store = {
      commit: changes => {
        commits++
        return store.commit(changes)
      },
      read: (table, key) => store.read(table, key),
      scan: (table, range) => store.scan(table, range),
    }
    const stage = new Stage({ show: text, store: counted })
    await stage.service.start()
    await stage.clock.advance(10)
    commits = 0
    for (let index = 0; index < 50; index++)
      stage.bus.publish('command/received', {
        id: `c${index}`,
        origin: 'test',
        action: 'level',
        target: 'front',
        level: index / 50,
      })
    await stage.clock.advance(10)
    t.equal(stage.heard('command/answered').length, 50)
    t.equal(commits, 2)
  },
)

t.test('a journal that cannot be read does not keep the box from its show', async t => {
  const store = new SimulatedStore()
  await store.commit([
    {
      kind: 'put',
      table: 'show-state',
      key: 'snapshot',
      value: new TextEncoder().encode('{"digest": 7'),
    },
  ])
  const stage = new Stage({ show: text, store })
  await stage.service.start()
  t.ok(stage.log.events('error').includes('show.journal-unreadable'))
  const id = await stage.ask({ action: 'go' })
  t.match(stage.answer(id), { isAccepted: true })
  await stage.service.stop()
  const again = new Stage({ show: text, store, clock: stage.clock })
  await again.service.start()
  t.match(again.heard('show/state')[0], { current: '1' })
  t.same(again.log.events('error'), [])
})

t.test('another show begins at its beginning', async t => {
  const store = new SimulatedStore()
  const stage = new Stage({ show: text, store })
  await stage.service.start()
  await stage.ask({ action: 'go' })
  await stage.service.stop()
  const other = new Stage({ show: text.replace('fade: 4s', 'fade: 5s'), store, clock: stage.clock })
  await other.service.start()
  t.match(other.heard('show/state')[0], { current: null, next: '1' })
  t.ok(other.log.events().includes('show.changed'))
})

t.test('the place in the log of the venue is kept with what happened there', async t => {
  const store = new SimulatedStore()
  const clock = new SimulatedClock({ showStartMs: START_MS, driftPpm: 0 })
  const state = initialState(show, START_MS)
  const open = async (): Promise<Journal> => {
    const journal = new Journal(clock, new SimulatedLog(), store, {
      digest: show.digest,
      state: () => state,
    })
    await Promise.all([journal.open(), clock.advance(1)])
    return journal
  }
  const journal = await open()
  t.same(journal.place, { epoch: 0, position: 0 })
  const entry = { events: [], answer: ACCEPTED, done: () => {} }
  journal.keep({ ...entry, commandId: 'one', place: { epoch: 7, position: 3 } })
  await clock.advance(1)
  journal.keep({ ...entry, commandId: null, place: null })
  journal.keep({ ...entry, commandId: 'one', place: { epoch: 7, position: 4 } })
  await clock.advance(1)
  t.same((await open()).place, { epoch: 7, position: 4 }, 'what is this box’s alone has none')
  const adopting = await open()
  adopting.adopt({ epoch: 9, position: 40 }, ['fire-1'], ['two'])
  await clock.advance(1)
  const later = await open()
  t.same(later.place, { epoch: 9, position: 40 })
  t.same(
    ['one', 'two', 'fire-1', 'three'].map(id => later.knows(id)),
    [true, true, true, false],
  )
})

t.test('a state that is adopted while a slow disk is busy is on it soon after', async t => {
  const disk = new SimulatedStore()
  const clock = new SimulatedClock({ showStartMs: START_MS, driftPpm: 0 })
  const state = initialState(show, START_MS)
  const slow: Store = {
    commit: async changes => {
      await new Promise<void>(resolve => void clock.runAt(after(clock.monotonicMs(), 50), resolve))
      await disk.commit(changes)
    },
    read: (table, key) => disk.read(table, key),
    scan: (table, range) => disk.scan(table, range),
  }
  const open = async (): Promise<Journal> => {
    const options = { digest: show.digest, state: () => state }
    const journal = new Journal(clock, new SimulatedLog(), slow, options)
    await Promise.all([journal.open(), clock.advance(1)])
    return journal
  }
  const journal = await open()
  const entry = { events: [], answer: ACCEPTED, done: () => {} }
  journal.keep({ ...entry, commandId: 'one', place: { epoch: 7, position: 3 } })
  await clock.advance(10)
  journal.adopt({ epoch: 9, position: 40 }, [], ['two'])
  await clock.advance(200)
  const later = await open()
  t.same(later.place, { epoch: 9, position: 40 })
  t.ok(later.knows('two'))
})
