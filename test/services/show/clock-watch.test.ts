/** A time of day comes by running. What a clock jumps over when it is set does not happen. */
import t, { type Test } from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import type { Store } from '../../../runtime/ports/store.js'
import { Stage } from './stage.js'

const SECOND_MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const DOORS_MS = Date.parse('2027-03-01T19:00:00Z')

const show = (late = 'join') => `
apiVersion: show/v1
name: a
patch: {a: {kind: dimmer, out: "dimmer#0"}}
cues:
  - {id: "doors", at: "2027-03-01T20:00:00+01:00", levels: {a: 100%}, late: ${late}}
  - {id: "end", at: "2027-03-01T19:20:00Z", levels: {a: 10%}, late: ${late}}
`

/** A box, its wall clock at `wallMs`. */
async function box(
  t: Test,
  wallMs: number,
  options: { clock?: SimulatedClock; store?: Store; late?: string } = {},
): Promise<Stage> {
  const clock = options.clock ?? new SimulatedClock({ showStartMs: wallMs, driftPpm: 0 })
  const store = options.store ?? new SimulatedStore()
  const stage = new Stage({ show: show(options.late), clock, store })
  t.teardown(() => stage.service.stop())
  await stage.service.start()
  return stage
}

async function armed(t: Test, wallMs: number, store?: Store): Promise<Stage> {
  const stage = await box(t, wallMs, store ? { store } : {})
  await stage.ask({ action: 'arm' })
  return stage
}

const fired = (stage: Stage): string[] => stage.heard('cue/fired').map(({ cue }) => cue)

t.test('a cue that the first answer of a time server jumps over is not fired', async t => {
  const table: [number, string][] = [
    [0, 'from 1970'],
    [DOORS_MS - DAY_MS, 'from yesterday'],
    [DOORS_MS - 2 * HOUR_MS, 'from two hours ago'],
    [DOORS_MS - MINUTE_MS, 'from a minute ago'],
  ]
  for (const [wallMs, why] of table)
    for (const late of ['join', 'fire', 'skip']) {
      const stage = await box(t, wallMs, { late })
      await stage.ask({ action: 'arm' })
      await stage.clock.advance(20 * SECOND_MS)
      stage.clock.stepWall(DOORS_MS + 10 * MINUTE_MS - stage.clock.wallTimeMs())
      await stage.clock.advance(MINUTE_MS)
      t.same(fired(stage), [], `${why}, ${late}`)
      t.match(
        stage.log.lines.find(({ event }) => event === 'show.clock-set')?.facts,
        { jumped: ['doors'] },
        'and the log says which',
      )
      await stage.clock.advance(15 * MINUTE_MS)
      t.same(fired(stage), ['end'], 'what is still to come comes')
    }
})

t.test('a cue of the next minute comes in its time, whatever the clock was before', async t => {
  for (const wallMs of [0, DOORS_MS - DAY_MS, DOORS_MS + DAY_MS]) {
    const stage = await armed(t, wallMs)
    await stage.clock.advance(20 * SECOND_MS)
    stage.clock.stepWall(DOORS_MS - MINUTE_MS - stage.clock.wallTimeMs())
    await stage.clock.advance(59 * SECOND_MS)
    t.same(fired(stage), [])
    await stage.clock.advance(2 * SECOND_MS)
    t.same(fired(stage), ['doors'])
    t.equal(stage.heard('cue/fired')[0]?.lateMs, 0, 'on time')
  }
})

t.test('a clock that is set by a day and back again costs no cue', async t => {
  for (const byMs of [DAY_MS, -DAY_MS]) {
    const stage = await armed(t, DOORS_MS - MINUTE_MS)
    await stage.clock.advance(10 * SECOND_MS)
    stage.clock.stepWall(byMs)
    await stage.clock.advance(10 * SECOND_MS)
    stage.clock.stepWall(-byMs)
    await stage.clock.advance(5 * MINUTE_MS)
    t.same(fired(stage), ['doors'])
  }
})

t.test('a cue that was fired is not fired again by a clock that is set back', async t => {
  const stage = await armed(t, DOORS_MS - MINUTE_MS)
  await stage.clock.advance(2 * MINUTE_MS)
  stage.clock.stepWall(-2 * MINUTE_MS)
  await stage.clock.advance(5 * MINUTE_MS)
  t.same(fired(stage), ['doors'])
})

t.test('a small correction over the moment does not lose the cue', async t => {
  const stage = await armed(t, DOORS_MS - 10 * SECOND_MS)
  await stage.clock.advance(9500)
  stage.clock.stepWall(1200)
  await stage.clock.advance(2 * SECOND_MS)
  t.same(fired(stage), ['doors'])
})

t.test('a box that starts shortly after the time handles the cue by its late policy', async t => {
  const table: [string, string[]][] = [
    ['join', ['doors']],
    ['fire', ['doors']],
    ['skip', []],
  ]
  for (const [late, cues] of table) {
    const store = new SimulatedStore()
    const first = await box(t, DOORS_MS - MINUTE_MS, { store, late })
    await first.ask({ action: 'arm' })
    await first.clock.advance(10 * SECOND_MS)
    await first.service.stop()
    await first.clock.advance(2 * MINUTE_MS)
    const second = await box(t, 0, { clock: first.clock, store, late })
    await second.clock.advance(SECOND_MS)
    t.same(fired(second), cues, late)
  }
})

/** Armed ten minutes before the doors, and cut off a minute before them. */
async function cutBeforeDoors(t: Test, store: Store): Promise<void> {
  const stage = await armed(t, DOORS_MS - 10 * MINUTE_MS, store)
  await stage.clock.advance(9 * MINUTE_MS)
  await stage.service.stop()
}

t.test('a board whose clock stood still while it was off is late, not set', async t => {
  const store = new SimulatedStore()
  await cutBeforeDoors(t, store)
  // Switched on five minutes later; the clock goes on from a little after the cut.
  const second = await box(t, DOORS_MS - 50 * SECOND_MS, { store })
  await second.clock.advance(20 * SECOND_MS)
  t.same(fired(second), [])
  second.clock.stepWall(5 * MINUTE_MS)
  await second.clock.advance(2 * SECOND_MS)
  t.same(fired(second), ['doors'], 'it joins, as had it known the time at once')
  t.ok(second.log.events('info').includes('show.clock-found'))
  second.clock.stepWall(DOORS_MS + 4 * HOUR_MS - second.clock.wallTimeMs())
  await second.clock.advance(MINUTE_MS)
  t.same(fired(second), ['doors'], 'that was the one time: the next one is a setting')
})

t.test('a clock that is found hours after the start was set by somebody', async t => {
  const store = new SimulatedStore()
  await cutBeforeDoors(t, store)
  const second = await box(t, DOORS_MS - 50 * SECOND_MS, { store })
  await second.clock.advance(20 * MINUTE_MS)
  second.clock.stepWall(HOUR_MS)
  await second.clock.advance(MINUTE_MS)
  t.same(fired(second), ['doors'], 'which it came to by running')
})

t.test(
  'a process that starts anew beside a running clock does not take a step for a find',
  async t => {
    const store = new SimulatedStore()
    const first = await armed(t, DOORS_MS - HOUR_MS, store)
    await first.clock.advance(10 * SECOND_MS)
    await first.service.stop()
    const second = await box(t, 0, { clock: first.clock, store })
    await second.clock.advance(10 * SECOND_MS)
    second.clock.stepWall(2 * HOUR_MS)
    await second.clock.advance(MINUTE_MS)
    t.same(fired(second), [])
  },
)

t.test('what the clock was set to is remembered over a restart', async t => {
  const store = new SimulatedStore()
  const first = await armed(t, DOORS_MS - DAY_MS, store)
  await first.clock.advance(20 * SECOND_MS)
  first.clock.stepWall(DAY_MS + MINUTE_MS)
  await first.clock.advance(2 * SECOND_MS)
  await first.service.stop()
  const second = await box(t, 0, { clock: first.clock, store })
  await second.clock.advance(MINUTE_MS)
  t.same(fired(second), [])
})

t.test('the clock may be set as it likes while the show is not armed', async t => {
  const stage = await armed(t, 0)
  await stage.ask({ action: 'disarm' })
  await stage.clock.advance(MINUTE_MS)
  stage.clock.stepWall(DOORS_MS - MINUTE_MS - stage.clock.wallTimeMs())
  await stage.clock.advance(10 * SECOND_MS)
  await stage.ask({ action: 'arm' })
  await stage.clock.advance(MINUTE_MS)
  t.same(fired(stage), ['doors'])
  t.notOk(stage.log.events('warn').includes('show.clock-set'))
})

t.test('a show that is armed anew fires a cue anew that a wrong clock had fired', async t => {
  const stage = await armed(t, DOORS_MS - MINUTE_MS)
  await stage.clock.advance(2 * MINUTE_MS)
  t.same(fired(stage), ['doors'])
  stage.clock.stepWall(-5 * MINUTE_MS)
  await stage.ask({ action: 'disarm' })
  await stage.ask({ action: 'arm' })
  await stage.clock.advance(10 * MINUTE_MS)
  t.same(fired(stage), ['doors', 'doors'])
})

t.test('an armed show whose clock cues are all over costs nothing', async t => {
  const stage = await armed(t, DOORS_MS - MINUTE_MS)
  await stage.clock.advance(30 * MINUTE_MS)
  t.same(fired(stage), ['doors', 'end'])
  const said = stage.said.length
  await stage.clock.advance(DAY_MS)
  t.equal(stage.said.length, said)
})
