import t from 'tap'
import {
  clockEvents,
  countAnew,
  jumpedOver,
  nextClockMs,
} from '../../../runtime/services/show/clock-cues.js'
import { fold } from '../../../runtime/services/show/fold.js'
import { readShow, stateAfter } from './stage.js'

const DOORS_MS = Date.parse('2027-03-01T19:00:00Z')
const show = (late = 'join') =>
  readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: x}}
cues:
  - {id: "1", at: "2027-03-01T20:00:00+01:00", late: ${late}}
  - {id: "2", at: "2027-03-01T19:30:00Z"}`)

const armed = (wallMs: number) => stateAfter(show(), [{ atMs: 0, deed: { kind: 'arm', wallMs } }])

const at = (wallMs: number) => ({ nowMs: 7_000_000, wallMs, newId: () => 'id' })

t.test('a show that is not armed has no clock cues', async t => {
  const state = stateAfter(show(), [])
  t.equal(nextClockMs(show(), state), null)
  t.same(clockEvents(show(), state, at(DOORS_MS)), [])
})

t.test('an armed show fires each at its time, and once', async t => {
  const state = armed(DOORS_MS - 1000)
  t.equal(nextClockMs(show(), state), DOORS_MS)
  t.same(clockEvents(show(), state, at(DOORS_MS - 1)), [])
  const events = clockEvents(show(), state, at(DOORS_MS + 20))
  t.match(events, [{ t0Ms: 6_999_980, deed: { kind: 'fire', cue: '1', way: 'clock' } }])
  const fired = events.reduce((before, event) => fold(show(), before, event).state, state)
  t.same(clockEvents(show(), fired, at(DOORS_MS + 20)), [])
  t.same(clockEvents(show(), fired, at(DOORS_MS - 5000)), [], 'nor when the clock is set back')
  t.equal(nextClockMs(show(), fired), DOORS_MS + 1_800_000)
})

t.test('what was before the arming stays undone', async t => {
  t.same(clockEvents(show(), armed(DOORS_MS + 1), at(DOORS_MS + 2)), [])
})

t.test('a time that passed while the box was away is handled as its cue says', async t => {
  const state = armed(DOORS_MS - 1000)
  const late = (policy: string, byMs: number) =>
    clockEvents(show(policy), state, at(DOORS_MS + byMs))[0]
  t.match(late('join', 60_000), { t0Ms: 6_940_000, deed: { kind: 'fire' } })
  t.match(late('fire', 60_000), { t0Ms: 7_000_000, deed: { kind: 'fire' } })
  t.match(late('skip', 60_000), { deed: { kind: 'pass', cue: '1' } })
  t.match(late('join', 13 * 3_600_000), { deed: { kind: 'pass' } })
})

t.test('panic lets the moment pass', async t => {
  const state = fold(show(), armed(DOORS_MS - 1000), {
    atMs: 0,
    t0Ms: 0,
    deed: { kind: 'panic' },
  }).state
  t.match(clockEvents(show(), state, at(DOORS_MS)), [{ deed: { kind: 'pass' } }])
})

t.test('after a setting only that counts which the clock comes to from then on', async t => {
  const before = armed(0)
  t.same(jumpedOver(show(), before, DOORS_MS + 60_000), ['1'])
  const set = fold(show(), before, countAnew({ nowMs: 0, wallMs: DOORS_MS + 60_000 })).state
  t.same(clockEvents(show(), set, at(DOORS_MS + 60_000)), [])
  t.equal(nextClockMs(show(), set), DOORS_MS + 1_800_000)
  const back = fold(show(), set, countAnew({ nowMs: 0, wallMs: DOORS_MS - 60_000 })).state
  t.equal(nextClockMs(show(), back), DOORS_MS, 'and nothing is lost when it is set back')
  t.equal(fold(show(), stateAfter(show(), []), countAnew(at(0))).state.armedWallMs, null)
})
