import { readFileSync } from 'node:fs'
import t from 'tap'
import { resume, resumeOther, shiftMs } from '../../../runtime/services/show/resume.js'
import { fireOf, readShow, shown, stateAfter } from './stage.js'

const small = readShow(readFileSync('test/fixtures/shows/small.yaml', 'utf8'))
const HOUR_MS = 3_600_000
const kept = { showMs: 1000, wallMs: 501_000 }
/** So much later on both clocks. */
const later = (byMs: number) => ({ showMs: kept.showMs + byMs, wallMs: kept.wallMs + byMs })

t.test('the clock that makes sense is believed, show time first', async t => {
  const table: [{ showMs: number; wallMs: number }, number | null, string][] = [
    [later(5000), 0, 'both agree'],
    [{ showMs: 6000, wallMs: 0 }, 0, 'no wall clock'],
    [{ showMs: 50, wallMs: 506_000 }, -5950, 'the timeline begins anew'],
    [{ showMs: 900 * HOUR_MS, wallMs: 506_000 }, 900 * HOUR_MS - 6000, 'the timeline is another'],
    [{ showMs: 50, wallMs: 0 }, null, 'neither'],
    [later(13 * HOUR_MS), null, 'another evening'],
  ]
  for (const [now, shift, why] of table) t.equal(shiftMs(kept, now), shift, why)
})

t.test(
  'a follow that came due while the box was away is in, as if nothing had happened',
  async t => {
    const state = stateAfter(small, [{ atMs: 1000, deed: fireOf('2') }])
    const resumed = resume(small, state, kept, later(10_200))
    t.match(resumed, { current: '3', next: '4' })
    t.same(shown(small, resumed, 11_200), shown(small, state, 11_200))
  },
)

t.test('late follows are fired now or passed over where their cue says so', async t => {
  const show = (late: string) =>
    readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: x}}
cues:
  - {id: "1", levels: {a: 50%}, follow: {after: 1s}}
  - {id: "2", levels: {a: 100%}, fade: 10s, late: ${late}, follow: {after: 60s}}
  - {id: "3", levels: {a: 0%}}`)
  const at = (late: string) => {
    const state = stateAfter(show(late), [{ atMs: 1000, deed: fireOf('1') }])
    const resumed = resume(show(late), state, kept, later(6000))
    return [resumed.current, shown(show(late), resumed, 7000)['a'], resumed.waiting[0]?.t0Ms]
  }
  t.same(at('join'), ['2', 0.75, 62_000], 'half-way, as it would be')
  t.same(at('fire'), ['2', 0.5, 67_000], 'from its beginning')
  t.same(at('skip'), ['2', 0.5, 62_000], 'not at all, and the list goes on')
})

t.test('when nobody knows how long it was, fades are at their end and nothing waits', async t => {
  const state = stateAfter(small, [{ atMs: 1000, deed: fireOf('2') }])
  const resumed = resume(small, state, kept, { showMs: 10, wallMs: 0 })
  t.match(resumed, { current: '2', waiting: [], open: [] })
  t.same(shown(small, resumed, 10), { front: 1, color: 0.8, lamp: 1 })
})

t.test('a loop that was away for days goes on at once and in bounded time', async t => {
  const show = readShow(`apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: x}}
cues:
  - {id: "1", levels: {a: 1}, follow: {after: 100ms, go: "2"}}
  - {id: "2", levels: {a: 0}, follow: {after: 100ms, go: "1"}}`)
  const state = stateAfter(show, [{ atMs: 1000, deed: fireOf('1') }])
  const now = later(11 * HOUR_MS)
  const resumed = resume(show, state, kept, now)
  t.equal(resumed.waiting.length, 1)
  t.ok((resumed.waiting[0]?.t0Ms ?? 0) > now.showMs)
})

t.test('another show starts at its beginning, and panic stays on', async t => {
  const state = stateAfter(small, [
    { atMs: 0, deed: fireOf('2') },
    { atMs: 10, deed: { kind: 'blackout', isOn: true, fadeMs: 0 } },
    { atMs: 10, deed: { kind: 'panic' } },
  ])
  const other = resumeOther(small, state, 5000)
  t.match(other, { current: null, next: '1', waiting: [] })
  t.match(shown(small, other, 5000), { front: 0.5, color: 0 })
})
