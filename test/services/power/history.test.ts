import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { wallTimeMs } from '../../../runtime/core/time.js'
import type { Store } from '../../../runtime/ports/store.js'
import { History } from '../../../runtime/services/power/history.js'
import {
  type HistorySample,
  packedRow,
  unpackedRow,
} from '../../../runtime/services/power/history-rows.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The beginning of an hour. */
const START = 1_800_000 * 1_000_000

const sample = (percent: number | null): HistorySample => ({
  percent,
  millivolts: 12_000,
  milliwatts: -9_000,
  stageRank: 1,
})

/** Seconds, every `stepSeconds`, with the charge falling by one point an hour. */
async function live(
  store: Store,
  fromMs: number,
  hours: number,
  stepSeconds = 1,
): Promise<History> {
  const history = new History(store)
  await store.commit(await history.open(wallTimeMs(fromMs)))
  for (let at = fromMs; at < fromMs + hours * HOUR_MS; at += stepSeconds * 1_000) {
    const percent = 100 - (at - START) / HOUR_MS
    const changes = history.add(wallTimeMs(at), new Map([['all', sample(percent)]]))
    if (changes.length > 0) await store.commit(changes)
  }
  return history
}

const span = (fromWallMs: number, hours: number, stepMs: number) => ({
  series: 'all',
  fromWallMs,
  toWallMs: fromWallMs + hours * HOUR_MS,
  stepMs,
})

t.test('what goes into a row comes out of it, and the unknown stays unknown', async t => {
  const samples = [
    { percent: 55.5, millivolts: 12_346, milliwatts: -123_456, stageRank: 2 },
    { percent: null, millivolts: null, milliwatts: null, stageRank: 0 },
    { percent: 0, millivolts: 0, milliwatts: 0, stageRank: 5 },
  ]
  const bytes = packedRow({
    number: 30_000_000,
    series: new Map([
      ['all', samples],
      ['front-2', []],
    ]),
  })
  const row = unpackedRow(bytes, null)
  t.equal(row?.number, 30_000_000)
  t.same(row?.series.get('all')?.slice(0, 3), samples)
  t.match(row?.series.get('all')?.[59], { percent: null, stageRank: null })
  t.same([...(row?.series.keys() ?? [])], ['all', 'front-2'])
  t.same([...(unpackedRow(bytes, 'all')?.series.keys() ?? [])], ['all'])
})

t.test('what a rotten disk returns is no row, and no crash', async t => {
  const bytes = packedRow({ number: 1, series: new Map([['all', [sample(1)]]]) })
  for (let cut = 0; cut < bytes.length; cut++) t.equal(unpackedRow(bytes.slice(0, cut), null), null)
  t.equal(unpackedRow(new Uint8Array(600).fill(255), null), null)
  const longer = new Uint8Array(bytes.length + 1)
  longer.set(bytes)
  t.equal(unpackedRow(longer, null), null)
})

t.test('the last hour is there to the second, the minute under way included', async t => {
  const history = await live(new SimulatedStore(), START, 1.01)
  const points = await history.read(span(START + 0.01 * HOUR_MS, 1, 1_000))
  t.equal(points.length, 3_600)
  t.same(points[0], { wallMs: START + 36_000, ...sample(100) })
})

t.test('a month is there to the minute, and no more than a month', async t => {
  const history = await live(new SimulatedStore(), START, 33 * 24, 600)
  const all = await history.read(span(START, 33 * 24, HOUR_MS))
  const hours = all.length
  t.ok(hours >= 31 * 24 && hours <= 31 * 24 + 2, `${hours} hours`)
  const last = all.at(-1)
  t.ok((last?.wallMs ?? 0) >= START + (33 * 24 - 1) * HOUR_MS)
  const day = await history.read(span(START + 32 * DAY_MS, 24, 60_000))
  t.equal(day.length, 24 * 6)
})

t.test('the space on the disk is bounded, and a commit comes once a minute', async t => {
  const store = new SimulatedStore()
  let commits = 0
  const counting: Store = {
    commit: changes => {
      commits++
      return store.commit(changes)
    },
    read: (table, key) => store.read(table, key),
    scan: (table, range) => store.scan(table, range),
  }
  await live(counting, START, 33 * 24, 600)
  const rows = await store.scan('power-history', { from: '', before: null, limit: 10_000 })
  t.ok(rows.length <= 61 + 31 * 24 + 1, `${rows.length} rows`)
  const bytes = rows.reduce((sum, { value }) => sum + value.length, 0)
  t.ok(bytes < 500_000, `${bytes} bytes`)
  commits = 0
  await live(counting, START + 40 * DAY_MS, 2)
  t.ok(commits <= 2 * 60 + 1, `${commits} commits in two hours of seconds`)
})

t.test('a box that is cut off loses a minute, and no hour', async t => {
  const store = new SimulatedStore()
  await live(store, START, 2.5)
  // Nothing was said at the end; the box comes back twenty minutes into the next hour.
  const history = await live(store, START + 3.33 * HOUR_MS, 0.1)
  const minutes = await history.read(span(START, 3.5, 60_000))
  t.equal(minutes.filter(({ wallMs }) => wallMs < START + 2.5 * HOUR_MS).length, 149)
  t.equal(minutes.filter(({ wallMs }) => wallMs > START + 3 * HOUR_MS).length, 7)
})

t.test('a box that stops in order loses nothing, and goes on in the same minute', async t => {
  const store = new SimulatedStore()
  const first = await live(store, START, 20 / 3_600)
  await store.commit(first.take())
  const second = await live(store, START + 40_000, 10 / 3_600)
  const points = await second.read(span(START, 1, 1_000))
  t.equal(points.length, 30)
})

t.test('points are means, the worst stage counts, and unknown is left out of both', async t => {
  const history = new History(new SimulatedStore())
  for (const [second, percent, stageRank] of [
    [0, 10, 1],
    [1, 20, 3],
    [2, null, 0],
  ] as const)
    history.add(
      wallTimeMs(START + second * 1_000),
      new Map([['all', { ...sample(percent), stageRank }]]),
    )
  const [point, ...others] = await history.read(span(START, 1, 30_000))
  t.match(point, { percent: 15, stageRank: 3, wallMs: START })
  t.same(others, [])
})

t.test('a clock that is set forward or back is no crash, and no more rows', async t => {
  const store = new SimulatedStore()
  const history = await live(store, START, 0.1)
  for (const jumpMs of [-50 * DAY_MS, 10 * DAY_MS, -START, -START - 5_000]) {
    for (let second = 0; second < 180; second++) {
      const changes = history.add(
        wallTimeMs(START + jumpMs + second * 1_000),
        new Map([['all', sample(50)]]),
      )
      if (changes.length > 0) await store.commit(changes)
    }
  }
  const points = await history.read(span(START, 0.1, 1_000))
  t.ok(points.length > 0)
})

t.test('a span that is none is refused, and too fine a step is made coarser', async t => {
  const history = await live(new SimulatedStore(), START, 0.1)
  for (const query of [
    span(START, 0, 1_000),
    span(START, -1, 1_000),
    span(START, 1, 0),
    span(Number.NaN, 1, 1_000),
    span(START, 24 * 400, 1_000),
  ])
    await t.rejects(history.read(query), { code: 'request.invalid' })
  const year = await history.read({ ...span(START, 24 * 300, 1), series: 'all' })
  t.ok(year.length <= 3_600)
})

t.test('a clock that is set back and right again loses no hour', async t => {
  const store = new SimulatedStore()
  const history = await live(store, START, 2.5)
  const later = START + 2.5 * HOUR_MS
  const note = async (fromMs: number, minutes: number): Promise<void> => {
    for (let at = fromMs; at < fromMs + minutes * 60_000; at += 1_000) {
      const changes = history.add(wallTimeMs(at), new Map([['all', sample(50)]]))
      if (changes.length > 0) await store.commit(changes)
    }
  }
  const pointCount = async (): Promise<number> =>
    (await history.read(span(START, 3, 60_000))).length
  const before = await pointCount()
  await note(later - HOUR_MS, 2)
  await note(later, 3)
  await store.commit(history.take())
  t.ok((await pointCount()) >= before, `${before} minutes are still there`)
  const again = new History(store)
  await store.commit(await again.open(wallTimeMs(later + 180_000)))
  t.ok((await again.read(span(START, 3, 60_000))).length >= before, 'and after a restart')
})
