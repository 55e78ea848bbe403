/** When a ticket is too old: by the wall clock where it is known, by running time for a span. */
import t from 'tap'
import { freshDeadline, isOver, keptDeadline } from '../../../runtime/services/printing/expiry.js'

const WALL = 1_777_665_600_000
const DAY = 86_400_000
const now = { wallMs: WALL, monotonicMs: 5_000 }
const later = (ms: number, setByMs = 0): typeof now => ({
  wallMs: WALL + ms + setByMs,
  monotonicMs: 5_000 + ms,
})
const none = { expiresAtWallMs: null, expiresAfterMs: null, askedWallMs: WALL }

t.test('without an end a ticket never expires', async t => {
  t.notOk(isOver(freshDeadline(none, now), later(3650 * DAY)))
  t.notOk(isOver(keptDeadline(none, now), later(3650 * DAY)))
})

t.test('a moment of the wall clock is over when the wall clock shows it', async t => {
  const expiry = { ...none, expiresAtWallMs: WALL + 60_000 }
  for (const deadline of [freshDeadline(expiry, now), keptDeadline(expiry, now)]) {
    t.notOk(isOver(deadline, later(59_999)))
    t.ok(isOver(deadline, later(60_000)))
    t.ok(isOver(deadline, later(0, 60_000)), 'also when the clock is set')
  }
})

t.test('a clock that was never set lets nothing expire', async t => {
  const expiry = { ...none, expiresAtWallMs: WALL - DAY }
  t.notOk(isOver(freshDeadline(expiry, now), { wallMs: 1_000, monotonicMs: 1e9 }))
  t.ok(isOver(freshDeadline(expiry, now), now))
})

t.test('a span goes by running time while the box runs, however the clock is set', async t => {
  const deadline = freshDeadline({ ...none, expiresAfterMs: 60_000 }, now)
  t.notOk(isOver(deadline, later(59_999, 400 * DAY)))
  t.ok(isOver(deadline, later(60_000, -400 * DAY)))
})

t.test('over a restart a span goes by the wall clock', async t => {
  const expiry = { ...none, expiresAfterMs: 60_000 }
  const restarted = { wallMs: WALL + 30_000, monotonicMs: 0 }
  const deadline = keptDeadline(expiry, restarted)
  t.notOk(isOver(deadline, { wallMs: WALL + 59_999, monotonicMs: 29_999 }))
  t.ok(isOver(deadline, { wallMs: WALL + 60_000, monotonicMs: 30_000 }))
  t.ok(isOver(keptDeadline(expiry, { wallMs: WALL + DAY, monotonicMs: 0 }), later(DAY)))
})

t.test('over a restart a span of an unknown clock begins anew', async t => {
  const expiry = { ...none, askedWallMs: 5_000, expiresAfterMs: 60_000 }
  const deadline = keptDeadline(expiry, now)
  t.notOk(isOver(deadline, later(59_999)))
  t.ok(isOver(deadline, later(60_000)))
})

t.test('of a moment and a span the first one counts', async t => {
  const expiry = { ...none, expiresAtWallMs: WALL + 10_000, expiresAfterMs: 60_000 }
  for (const deadline of [freshDeadline(expiry, now), keptDeadline(expiry, now)]) {
    t.notOk(isOver(deadline, later(9_999)))
    t.ok(isOver(deadline, later(10_000)))
  }
})
