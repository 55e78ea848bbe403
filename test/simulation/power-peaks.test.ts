/**
 * Goal: a load with peaks, as a thermal printer is one, does not take the box down while its pack has something to give;
 * and an empty pack takes it down in time all the same.
 */
import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { Bus } from '../../runtime/core/bus.js'
import { rankOf, type Stage } from '../../runtime/services/power/policy.js'
import { Power } from '../../runtime/services/power/power.js'
import type { Messages } from '../../runtime/topics.js'
import { arm } from '../services/arm.js'
import { reading, ScriptedGauge } from '../services/power/scripted-gauge.js'
import { usualPolicy } from '../services/power/usual-policy.js'
import { TextbookPack, textbookTrial } from './textbook-packs.js'

const HOUR_MS = 3_600_000
const MILLIAMP_HOURS = 10_000

/** Half an ampere; a ticket of a second every twenty, and one of seven seconds every three minutes. */
const ampsAt = (second: number): number => {
  const isTicket = second % 20 === 5 || second % 180 < 7
  return isTicket ? 3 : 0.5
}

interface Night {
  readonly stages: readonly Stage[]
  /** When the machine went down; null: it did not. */
  readonly offAtCharge: number | null
  readonly lowestVolts: number
  readonly swaps: number
}

async function night(milliohms: number, isArmed: boolean): Promise<Night> {
  const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  const log = new SimulatedLog()
  const bus = new Bus<Messages>()
  const place = { chemistry: 'li-ion', capacity: 1, charge: 0.6 } as const
  const usual = textbookTrial(place, 4)
  const trial = { ...usual, milliohms, celsius: 25, milliamps: MILLIAMP_HOURS / 24 }
  const pack = new TextbookPack(trial)
  const stages: Stage[] = []
  let offAtCharge: number | null = null
  let swaps = 0
  let lowestVolts = Number.POSITIVE_INFINITY
  const gauge = new ScriptedGauge('ups', async () => {
    const now = clock.monotonicMs()
    if (offAtCharge !== null || pack.charge <= 0) return [reading(now)]
    const { volts, amps } = pack.give(ampsAt(Math.round(now / 1000)))
    lowestVolts = Math.min(lowestVolts, volts)
    return [reading(now, { millivolts: volts * 1000, milliamps: amps * 1000, isExternal: false })]
  })
  bus.subscribe('power/state', ({ stage }) => {
    if (stages.at(-1) !== stage) stages.push(stage)
  })
  bus.subscribe('battery/state', state => {
    swaps = state.swaps
  })
  const powerSwitch = {
    shutDown: async () => {
      offAtCharge = pack.charge
    },
  }
  const power = new Power(
    { clock, log, bus, store: new SimulatedStore(), powerSwitch },
    new Map([['ups', gauge]]),
    {
      packs: [
        {
          name: 'front',
          gauge: 'ups',
          channel: 0,
          chemistry: 'li-ion',
          cells: 1,
          milliampHours: MILLIAMP_HOURS,
          milliohms: 80,
        },
      ],
      policy: usualPolicy,
      showEnds: null,
      timeZone: 'UTC',
    },
  )
  await power.start()
  if (isArmed) arm(bus, true)
  for (let hour = 0; hour < 12 && offAtCharge === null; hour++) await clock.advance(HOUR_MS)
  await power.stop()
  return { stages, offAtCharge, lowestVolts, swaps }
}

t.test('a printer does not take a box down that is not empty', async t => {
  for (const isArmed of [true, false]) {
    const { stages, offAtCharge, lowestVolts, swaps } = await night(150, isArmed)
    t.ok(offAtCharge !== null, 'it went down at the end')
    t.ok(lowestVolts > 2.6, `before the cell was harmed: ${lowestVolts} V`)
    t.ok((offAtCharge ?? 1) < 0.15, `with ${offAtCharge} left`)
    const ranks = stages.map(rankOf)
    t.same(
      ranks,
      [...ranks].sort((a, b) => a - b),
      `${stages} in order, and each once`,
    )
    t.ok(stages.includes('shed') && stages.at(-1) === 'shutdown')
    t.equal(swaps, 0, 'and no pack was taken for another one')
  }
})
