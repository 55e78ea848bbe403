/** Goal: a tired battery gets dimmer lamps, and nothing else changes. */
import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { Bus } from '../../runtime/core/bus.js'
import { after } from '../../runtime/core/time.js'
import type { Light } from '../../runtime/ports/devices.js'
import { LightCap } from '../../runtime/services/light-cap.js'
import type { Messages } from '../../runtime/topics.js'
import { powerState } from './power-state.js'

interface Applied {
  readonly levels: readonly number[]
  readonly atMs: number
}

function lamp(isDimmable: boolean): { light: Light; applied: Applied[] } {
  const applied: Applied[] = []
  const light: Light = {
    name: 'lamp',
    channelCount: 2,
    isDimmable,
    leadMs: 7,
    apply: (levels, at) => void applied.push({ levels, atMs: at }),
    cancelPlanned: () => void applied.push({ levels: [], atMs: -1 }),
    start: async () => {},
    stop: async () => {},
    onFault: () => () => {},
    onApplied: () => () => {},
    blackout: () => {},
    restore: () => {},
  }
  return { light, applied }
}

function stage() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const cap = new LightCap(clock, new SimulatedLog(), bus)
  const say = (lightCap: number): void => bus.publish('power/state', { ...powerState, lightCap })
  return { clock, cap, say }
}

t.test('with enough power everything is handed through as it is', async t => {
  const { clock, cap } = stage()
  await cap.start()
  const { light, applied } = lamp(true)
  const capped = cap.over(light)
  const levels = [0.3, 1]
  capped.apply(levels, after(clock.monotonicMs(), 40))
  t.equal(applied[0]?.levels, levels, 'not even a copy')
  t.equal(applied[0]?.atMs, 40)
  t.equal(capped.leadMs, 7)
  await cap.stop()
})

t.test('the cap comes in small steps, to what is shown and to what comes', async t => {
  const { clock, cap, say } = stage()
  await cap.start()
  const { light, applied } = lamp(true)
  const capped = cap.over(light)
  capped.apply([1, 0.5], clock.monotonicMs())
  say(0.5)
  await clock.advance(60_000)
  const shown = applied.map(({ levels }) => levels[0] ?? 0)
  t.equal(shown.at(-1), 0.5)
  for (const [index, level] of shown.entries())
    t.ok((shown[index - 1] ?? level) - level <= 0.02 + 1e-9, 'no step that looks like a cue')
  capped.apply([0.4, 0.8], clock.monotonicMs())
  t.same(applied.at(-1)?.levels, [0.2, 0.4])
  say(1)
  await clock.advance(60_000)
  t.same(applied.at(-1)?.levels, [0.4, 0.8], 'and back')
  const count = applied.length
  await clock.advance(60_000)
  t.equal(applied.length, count, 'then nothing is left to do')
  await cap.stop()
})

t.test('what was taken back is not shown by a change of the cap', async t => {
  const { clock, cap, say } = stage()
  await cap.start()
  const { light, applied } = lamp(true)
  const capped = cap.over(light)
  capped.apply([0.6, 0.6], clock.monotonicMs())
  await clock.advance(10)
  capped.apply([1, 1], after(clock.monotonicMs(), 5_000))
  capped.cancelPlanned()
  say(0.5)
  await clock.advance(60_000)
  t.same(applied.at(-1)?.levels, [0.3, 0.3])
  await cap.stop()
})

t.test('a change of the cap does not overtake what is planned', async t => {
  const { clock, cap, say } = stage()
  await cap.start()
  const { light, applied } = lamp(true)
  cap.over(light).apply([1, 1], after(clock.monotonicMs(), 300))
  say(0.9)
  await clock.advance(200)
  for (const { atMs } of applied) t.equal(atMs, 300)
  await cap.stop()
})

t.test('a lamp that is only on or off stays as it is', async t => {
  const { cap } = stage()
  const { light } = lamp(false)
  t.equal(cap.over(light), light)
})
