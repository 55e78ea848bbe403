import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { after, wallTimeMs } from '../../../runtime/core/time.js'
import { Expiry } from '../../../runtime/gateways/broker/expiry.js'

const YEAR_MS = 365 * 86_400_000
/** The tour lasts a year, its certificates a day. */
const tourFrom = wallTimeMs(1_800_000_000_000)
const tour = { from: tourFrom, to: after(tourFrom, YEAR_MS) }
const validTo = after(tourFrom, 86_400_000)

function expiry(wallMs: number) {
  const clock = new SimulatedClock({ showStartMs: wallMs, driftPpm: 0 })
  const log = new SimulatedLog()
  return { clock, log, expiry: new Expiry(clock, log, [tour]) }
}

const overdueAt = (wallMs: number): number | null => expiry(wallMs).expiry.overdueMs({ validTo })

t.test('a certificate runs out at the moment it names, as TLS has it', async t => {
  t.equal(overdueAt(after(validTo, -1)), null)
  t.equal(overdueAt(validTo), 0)
  t.equal(overdueAt(after(validTo, 5_000)), 5_000)
  t.equal(expiry(validTo).expiry.overdueMs({ validTo: null }), null, 'a password has no day')
})

t.test('a clock that was never set, or is behind, finds nobody overdue', async t => {
  for (const wallMs of [0, 946_684_800_000, after(tourFrom, -1), tourFrom])
    t.equal(overdueAt(wallMs), null, `${wallMs}`)
})

t.test('a clock by which the authority is not valid finds nobody overdue', async t => {
  t.equal(overdueAt(after(tour.to, -1)), tour.to - validTo - 1, 'the last moment of the tour')
  for (const wallMs of [tour.to, after(tour.to, 20 * YEAR_MS)]) t.equal(overdueAt(wallMs), null)
  const old = { from: after(tourFrom, -2 * YEAR_MS), to: after(tourFrom, -YEAR_MS) }
  const { clock, log } = expiry(after(validTo, 1))
  t.equal(new Expiry(clock, log, [old, tour]).overdueMs({ validTo }), 1, 'one of two will do')
})

t.test('whoever is connected is looked at every two seconds, whatever the clock does', async t => {
  const { clock, expiry: watched } = expiry(after(tourFrom, 1_000))
  const seen: (number | null)[] = []
  watched.start(() => seen.push(watched.overdueMs({ validTo })))
  await clock.advance(10_000)
  t.same(seen, [null, null, null, null, null])
  clock.stepWall(YEAR_MS / 2)
  await clock.advance(2_000)
  t.type(seen.at(-1), 'number', 'the clock was set forward: it ran out long ago')
  clock.stepWall(-YEAR_MS / 2)
  await clock.advance(2_000)
  t.equal(seen.at(-1), null)
  watched.stop()
  const count = seen.length
  await clock.advance(60_000)
  t.equal(seen.length, count)
})

t.test('a clock that cannot be right is told once each time', async t => {
  const { clock, log, expiry: watched } = expiry(0)
  watched.start(() => {})
  await clock.advance(600_000)
  t.match(log.lines, [{ level: 'warn', event: 'broker.clock-doubted' }])
  t.equal(log.lines.length, 1)
  clock.stepWall(after(tourFrom, YEAR_MS / 2))
  await clock.advance(10_000)
  t.equal(log.lines.length, 1, 'it is right')
  clock.stepWall(YEAR_MS)
  await clock.advance(600_000)
  t.equal(log.lines.length, 2, 'it went wrong again')
  watched.stop()
})
