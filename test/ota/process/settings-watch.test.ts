import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SettingsWatch } from '../../../ota/process/settings-watch.js'
import { notUpdated } from '../../../ota/updater/os-report.js'
import type { OtaState } from '../../../ota/updater/parts.js'

const LOOK_MS = 5_000

async function bench() {
  const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  const world = {
    text: 'a',
    phase: 'idle' as OtaState['phase'] | null,
    system: 'idle' as NonNullable<OtaState['os']>['phase'],
    ends: 0,
  }
  const watch = new SettingsWatch({
    clock,
    log: new SimulatedLog(),
    read: async () => world.text,
    state: () =>
      world.phase && { phase: world.phase, os: { ...notUpdated('x'), phase: world.system } },
    end: () => void world.ends++,
  })
  await watch.start()
  return { clock, world, watch }
}

t.test('another ota.json ends the updater, once it is written', async t => {
  const { clock, world } = await bench()
  await clock.advance(10 * LOOK_MS)
  t.equal(world.ends, 0)
  for (const half of ['ab', 'abc', 'abcd']) {
    world.text = half
    await clock.advance(LOOK_MS)
    t.equal(world.ends, 0, 'somebody writes')
  }
  await clock.advance(LOOK_MS)
  t.equal(world.ends, 1)
  await clock.advance(10 * LOOK_MS)
  t.equal(world.ends, 1, 'and once is enough')
})

t.test('not in the middle of a trial, nor when it was put back', async t => {
  const { clock, world, watch } = await bench()
  for (const phase of ['trial', 'agreed', 'switching', null] as const) {
    world.phase = phase
    world.text = `b ${phase}`
    await clock.advance(10 * LOOK_MS)
    t.equal(world.ends, 0, `${phase}`)
  }
  world.text = 'a'
  world.phase = 'idle'
  await clock.advance(10 * LOOK_MS)
  t.equal(world.ends, 0)
  world.text = 'c'
  await watch.stop()
  await clock.advance(10 * LOOK_MS)
  t.equal(world.ends, 0, 'and not when it ends anyway')
})

t.test('not while an operating system is written or tried, and right after it', async t => {
  for (const system of ['writing', 'switching', 'trial'] as const) {
    const { clock, world } = await bench()
    world.system = system
    world.text = 'b'
    await clock.advance(10 * LOOK_MS)
    t.equal(world.ends, 0, system)
    world.system = 'waiting'
    await clock.advance(LOOK_MS)
    t.equal(world.ends, 1, `${system} is over`)
  }
})
