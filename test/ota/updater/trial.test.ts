import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Trial } from '../../../ota/updater/trial.js'
import { checkUpdaterConfig } from '../../../ota/updater/updater-config.js'

const SECOND_MS = 1_000
const OTHERS_MS = 240_000
const DEADLINE_MS = 60_000

function bench() {
  const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  const world = { gate: ['its printer does not answer'] as readonly string[] }
  const told: { unmet: string; deadlineMs: number }[] = []
  const { gate } = checkUpdaterConfig({ schemaVersion: 1, tour: 't', box: 'b' })
  const trial = new Trial(
    {
      clock,
      box: { gate: async () => world.gate },
      launcher: {
        gate: (unmet, deadlineMs) => void told.push({ unmet: unmet.join('; '), deadlineMs }),
      },
      seesHub: () => true,
    },
    gate,
  )
  const look = (sight: { othersMs?: number; isArmed?: boolean } = {}) =>
    trial.look({ othersMs: sight.othersMs ?? null, isArmed: sight.isArmed ?? false })
  return { clock, world, told, trial, look }
}

t.test('it has its time, and not more', async t => {
  const { clock, world, trial, told, look } = bench()
  t.equal(await look(), 'waits')
  await clock.advance(DEADLINE_MS)
  t.equal(await look(), 'waits')
  await clock.advance(1)
  t.equal(await look(), 'failed')
  t.same(trial.unmet, ['its printer does not answer'])
  world.gate = []
  t.equal(await look(), 'passed')
  t.same(told[0], { unmet: 'its printer does not answer', deadlineMs: DEADLINE_MS })
})

t.test('what breaks while the others are waited for is not passed any more', async t => {
  const { clock, world, trial, told, look } = bench()
  world.gate = []
  t.equal(await look({ othersMs: OTHERS_MS }), 'passed')
  t.same(told.at(-1), {
    unmet: 'the other boxes of the venue',
    deadlineMs: DEADLINE_MS + OTHERS_MS,
  })
  await clock.advance(100 * SECOND_MS)
  world.gate = ['broker: no message came back']
  t.equal(await look({ othersMs: OTHERS_MS }), 'waits', 'for a moment that may happen')
  t.notOk(trial.hasPassed)
  await clock.advance(15 * SECOND_MS)
  world.gate = []
  t.equal(await look({ othersMs: OTHERS_MS }), 'passed')
  world.gate = ['broker: no message came back']
  t.equal(await look({ othersMs: OTHERS_MS }), 'waits', 'and the moment begins anew')
  await clock.advance(21 * SECOND_MS)
  t.equal(await look({ othersMs: OTHERS_MS }), 'failed')
})

t.test('an armed show is not ended by a trial, nor does the launcher end it', async t => {
  const { clock, told, trial, look } = bench()
  t.equal(await look(), 'waits')
  for (let minute = 0; minute < 90; minute++) {
    await clock.advance(60 * SECOND_MS)
    t.equal(await look({ isArmed: true }), 'waits')
    const limitMs = Math.max(...told.map(({ deadlineMs }) => deadlineMs))
    t.ok(limitMs >= trial.ageMs + DEADLINE_MS, `${limitMs} is later than now`)
  }
  t.match(trial.unmet, ['its printer does not answer', /armed/])
  t.equal(await look(), 'failed', 'after it, it is')
})
