/**
 * Goal: the whole power service through a long evening on a pack: the charge is known, the forecast comes true, the stages come in
 * order, and the box goes down once, with the disk written.
 */
import t from 'tap'
import { BatteryPack } from '../../drivers/simulated/battery-pack.js'
import { BatterySensor } from '../../drivers/simulated/battery-sensor.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { Bus } from '../../runtime/core/bus.js'
import { randomFrom } from '../../runtime/core/random.js'
import { Power } from '../../runtime/services/power/power.js'
import type { Messages, Payload } from '../../runtime/topics.js'
import { reading, ScriptedGauge } from '../services/power/scripted-gauge.js'
import { usualPolicy } from '../services/power/usual-policy.js'

const HOUR_MS = 3_600_000

/** The rest is left to the voltage rule, since the forecast is of the moment at which that one strikes. */
const policy = { ...usualPolicy, shutdownPercent: 0, shutdownMinutes: 0 }

interface Told {
  readonly atMs: number
  readonly truth: number
  readonly state: Payload<'power/state'>
}

/** A box that draws 6 W of a 10 Ah cell behind an INA219 that is off by what such a chip may be. */
class Evening {
  readonly clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  readonly log = new SimulatedLog()
  readonly told: Told[] = []
  readonly pack = new BatteryPack({
    chemistry: 'li-ion',
    cells: 1,
    milliampHours: 10_000,
    milliohms: 25,
    health: 1,
    celsius: 25,
    charge: 1,
    seed: 3,
  })
  readonly power: Power
  shutDownAtMs: number | null = null
  readonly #random = randomFrom(3)
  readonly #sensor = new BatterySensor(
    this.pack,
    {
      voltGain: 1.002,
      ampGain: 0.99,
      offsetMilliamps: 6,
      noiseMillivolts: 4,
      noiseMilliamps: 5,
      stepMillivolts: 4,
      stepMilliamps: 1,
    },
    this.#random,
  )

  constructor() {
    const bus = new Bus<Messages>()
    const gauge = new ScriptedGauge('ups', async () => {
      const now = this.clock.monotonicMs()
      const isPeak = now % 60_000 < 3_000
      if (this.shutDownAtMs === null)
        this.pack.step(1, { milliwatts: isPeak ? 10_000 : 5_700, chargerMilliamps: null })
      return [
        reading(now, {
          millivolts: this.#sensor.millivolts(),
          milliamps: this.#sensor.milliamps(),
          isExternal: false,
        }),
      ]
    })
    bus.subscribe('power/state', state => {
      this.told.push({ atMs: this.clock.monotonicMs(), truth: 100 * this.pack.charge, state })
    })
    const powerSwitch = {
      shutDown: async () => {
        this.shutDownAtMs = this.clock.monotonicMs()
      },
    }
    const store = new SimulatedStore()
    this.power = new Power(
      { clock: this.clock, log: this.log, bus, store, powerSwitch },
      new Map([['ups', gauge]]),
      {
        packs: [
          {
            name: 'front',
            gauge: 'ups',
            channel: 0,
            chemistry: 'li-ion',
            cells: 1,
            milliampHours: 10_000,
            milliohms: 80,
          },
        ],
        policy,
        showEnds: null,
        timeZone: 'UTC',
      },
    )
  }
}

t.test('a long evening on a pack', async t => {
  const evening = new Evening()
  await evening.power.start()
  for (let hour = 0; hour < 10 && evening.shutDownAtMs === null; hour++)
    await evening.clock.advance(HOUR_MS)
  const endMs = evening.shutDownAtMs ?? 0
  const told = evening.told.filter(({ atMs }) => atMs > 60_000 && atMs <= endMs)
  const errors = told.map(({ truth, state }) => Math.abs((state.percent ?? 999) - truth))
  t.ok(endMs > 4.5 * HOUR_MS, `it lasted ${(endMs / HOUR_MS).toFixed(1)} hours`)
  t.ok(Math.max(...errors) < 8, `${Math.max(...errors).toFixed(1)} points of a new pack`)
  const inside = told.filter(
    ({ truth, state }) => Math.abs((state.percent ?? 999) - truth) <= (state.percentError ?? 0),
  )
  t.ok(inside.length > 0.9 * told.length, 'and as many of them within what was said')
  const stages = told.map(({ state }) => state.stage)
  const order = stages.filter((stage, index) => stage !== stages[index - 1])
  t.same(order, ['battery', 'warn', 'shed', 'protect', 'shutdown'], 'each stage once')
  const half = told.find(({ atMs }) => atMs >= endMs / 2)?.state
  const left = endMs / 2_000
  const forecast = half?.secondsToEmpty ?? 0
  t.ok(
    Math.abs(forecast - left) < 0.25 * left,
    `half-way it said ${forecast} s, and it was ${left} s`,
  )
  t.ok((half?.secondsToEmptyMin ?? Number.POSITIVE_INFINITY) < left, 'and its bound was one')
  t.equal(evening.log.events().filter(event => event === 'power.off').length, 1)
  const span = { fromWallMs: 1.8e12, toWallMs: 1.8e12 + endMs, stepMs: 60_000, series: 'all' }
  const history = await evening.power.history(span)
  t.ok(history.length >= Math.floor(endMs / 60_000) - 1, `${history.length} minutes of history`)
  await evening.power.stop()
})
