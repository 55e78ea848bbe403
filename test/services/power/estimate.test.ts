import t from 'tap'
import { chargeOf, estimated } from '../../../runtime/services/power/estimate.js'
import {
  type Estimate,
  freshEstimate,
  type Sample,
  swapped,
  unknownPack,
} from '../../../runtime/services/power/estimate-state.js'
import { nothingLearned, type PackModel } from '../../../runtime/services/power/knowledge.js'

const liIon: PackModel = { chemistry: 'li-ion', cells: 1, milliampHours: 10_000, milliohms: 50 }
const lifepo4: PackModel = { chemistry: 'lifepo4', cells: 4, milliampHours: 6_000, milliohms: 80 }

const second: Sample = {
  elapsedMs: 1_000,
  volts: 3.748,
  amps: 0,
  celsius: 25,
  isCharging: null,
}

function after(count: number, sample: Partial<Sample>, model = liIon, from?: Estimate): Estimate {
  let estimate = from ?? unknownPack(model)
  for (let index = 0; index < count; index++)
    estimate = estimated(estimate, { ...second, ...sample }, model)
  return estimate
}

const percent = (estimate: Estimate): number => Math.round(chargeOf(estimate)?.percent ?? -1)
const error = (estimate: Estimate): number => chargeOf(estimate)?.percentError ?? 101

/** A pack that has just been charged full. */
const full = (model = liIon): Estimate => after(90, { volts: model === liIon ? 4.19 : 3.5 }, model)

t.test('nothing is said before a voltage was seen', async t => {
  t.equal(chargeOf(after(10, { volts: null })), null)
})

t.test('the first voltage is read off the curve, without what the load takes', async t => {
  const cases = [{}, { volts: 3.648, amps: -2 }, { volts: 3.848, amps: 2 }]
  for (const sample of cases) {
    const found = percent(after(1, sample))
    t.ok(Math.abs(found - 50) <= 12, `${JSON.stringify(sample)}: ${found}`)
  }
})

t.test('the flat middle of lifepo4 is known to tell little', async t => {
  const middle = after(1, { volts: 3.29 }, lifepo4)
  t.ok(error(middle) > 20, `${error(middle)} points`)
  const low = after(1, { volts: 2.95 }, lifepo4)
  t.ok(error(low) < 8, `${error(low)} points`)
})

t.test('charge is counted on the time that passed, however often it is read', async t => {
  for (const elapsedMs of [250, 1_000, 5_000]) {
    const count = 3_600_000 / elapsedMs
    const counted = after(count, { elapsedMs, volts: 4.03, amps: -1 }, liIon, full())
    // Of what is believed of a pack that nothing is known of.
    const expected = 100 - 10
    const found = chargeOf(counted)?.percent ?? 0
    t.ok(Math.abs(found - expected) < 1.5, `${elapsedMs} ms: ${found}`)
  }
})

t.test('a tapered charge at the top is full, a voltage lifted by the charger is not', async t => {
  t.match(chargeOf(full()), { percent: 100 })
  t.ok(error(full()) <= 3)
  const lifted = after(90, { volts: 4.19, amps: 3 })
  t.ok(percent(lifted) < 97, `${percent(lifted)}`)
})

t.test('readings that stop let the error grow, and the charge does not jump', async t => {
  const running = after(600, { volts: 4.1, amps: -3 }, liIon, full())
  const gap = after(1_800, { volts: null, amps: null }, liIon, running)
  t.equal(percent(gap), percent(running))
  t.ok(error(gap) > error(running) + 20, `${error(running)}, then ${error(gap)}`)
  const short = after(20, { volts: null, amps: null }, liIon, running)
  const back = after(30, { volts: 4.1, amps: -3 }, liIon, short)
  t.ok(Math.abs(percent(back) - percent(running)) <= 1)
})

t.test('after a long silence the voltage and what was known are weighed', async t => {
  const gap = after(3_600, { volts: null, amps: null }, liIon, full())
  const same = after(1, { volts: 4.12, amps: -1 }, liIon, gap)
  t.ok(percent(same) > 85)
  const other = after(1, { volts: 3.5, amps: -1 }, liIon, gap)
  t.ok(percent(other) < 30, `${percent(other)}`)
})

t.test('what is remembered over a night counts where the voltage tells nothing', async t => {
  const knowledge = nothingLearned(lifepo4)
  const remembered = freshEstimate(knowledge, { charge: 0.62, deviation: 0.03 })
  const woken = after(1, { volts: 3.295 }, lifepo4, remembered)
  t.ok(Math.abs(percent(woken) - 62) <= 4, `${percent(woken)}`)
  const empty = after(1, { volts: 2.9 }, lifepo4, remembered)
  t.ok(percent(empty) < 10, `${percent(empty)}`)
})

t.test('without a current the voltage is followed, and said to be less sure', async t => {
  const high = after(600, { volts: 4.05, amps: null, isCharging: false })
  const low = after(3_600, { volts: 3.6, amps: null, isCharging: false }, liIon, high)
  t.ok(percent(high) > 75, `${percent(high)}`)
  t.ok(percent(low) < 45, `${percent(low)}`)
  t.ok(error(low) > 8)
})

t.test('a full charge and an empty one teach what the pack holds, within bounds', async t => {
  const cases = [
    [-8, 0.8],
    [-4, 0.4],
    // A gauge with the wrong shunt: no pack holds so much more than is printed on it.
    [-16, 1.3],
  ] as const
  for (const [ampHoursOut, share] of cases) {
    const amps = -4
    const seconds = (3_600 * ampHoursOut) / amps
    let estimate = full()
    for (let at = 0; at < seconds; at++) {
      const charge = 1 - at / seconds
      const volts = 3.4 + 0.7 * charge + (amps * 50) / 1000
      estimate = estimated(estimate, { ...second, volts, amps }, liIon)
    }
    estimate = after(240, { volts: 2.7 + (amps * 100) / 1000, amps }, liIon, estimate)
    const { capacityShare, lessons } = estimate.knowledge
    t.ok(lessons >= 1, `${ampHoursOut} Ah were a lesson`)
    t.ok(Math.abs(capacityShare - share) < 0.06, `${capacityShare} is about ${share}`)
  }
})

t.test('half a discharge teaches nothing', async t => {
  const half = after(3_600, { volts: 3.9, amps: -4 }, liIon, full())
  t.equal(half.knowledge.lessons, 0)
  t.equal(half.knowledge.capacityShare, nothingLearned(liIon).capacityShare)
})

t.test('a gap within a discharge teaches nothing either', async t => {
  let estimate = after(3_600, { volts: 3.8, amps: -5 }, liIon, full())
  estimate = after(600, { volts: null, amps: null }, liIon, estimate)
  estimate = after(1_800, { volts: 3.0, amps: -5 }, liIon, estimate)
  t.equal(estimate.knowledge.lessons, 0)
})

t.test('steps of the load teach the resistance, and one odd step does not', async t => {
  let estimate = after(60, { volts: 3.8, amps: -0.5 })
  for (let step = 0; step < 60; step++) {
    estimate = after(5, { volts: 3.8 - 0.02 * 3, amps: -3.5 }, liIon, estimate)
    estimate = after(5, { volts: 3.8, amps: -0.5 }, liIon, estimate)
  }
  const { ohms, ohmsDeviation } = estimate.knowledge
  t.ok(Math.abs(ohms - 0.025) < 0.004, `${ohms}: 20 milliohms at once, a quarter more in time`)
  t.ok(ohmsDeviation < 0.3)
  const odd = after(1, { volts: 2.0, amps: -3.5 }, liIon, estimate)
  t.equal(odd.knowledge.ohms, ohms)
})

t.test('another pack is known by its voltage, and its size is doubted', async t => {
  const other = after(1, { volts: 3.6, amps: -0.5 }, liIon, swapped(full()))
  t.ok(percent(other) < 45, `${percent(other)}`)
  t.ok(other.knowledge.capacityDeviation >= 0.08)
})

t.test('nonsense makes no nonsense', async t => {
  for (const volts of [0.001, 1, 5, 60, -3]) {
    const made = chargeOf(after(120, { volts, amps: -2 }))
    t.ok(made === null || (made.percent >= 0 && made.percent <= 100), `${volts} V`)
  }
  for (const amps of [1e6, -1e6]) {
    const made = chargeOf(after(120, { amps }))
    t.ok(made === null || (made.percent >= 0 && made.percent <= 100), `${amps} A`)
  }
})
