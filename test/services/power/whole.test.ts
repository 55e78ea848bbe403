import t from 'tap'
import { type Draw, DrawMemory, enduranceOf } from '../../../runtime/services/power/endurance.js'
import { nothingLearned, type PackModel } from '../../../runtime/services/power/knowledge.js'
import type { PackView } from '../../../runtime/services/power/pack.js'
import { externalByCurrent, type Part, wholeOf } from '../../../runtime/services/power/whole.js'

const model: PackModel = { chemistry: 'li-ion', cells: 1, milliampHours: 10_000, milliohms: 30 }
const known: PackView = {
  millivolts: 3_750,
  milliamps: -1_000,
  peakMillivolts: 0,
  restMillivolts: null,
  celsius: null,
  percent: 50,
  percentError: 4,
  method: 'coulomb',
  fullMilliampHours: 10_000,
  remainingMilliampHours: 5_000,
  isExternal: false,
  isCharging: false,
  secondsToEmpty: null,
  isAbsent: false,
  isSilent: false,
  troubles: [],
}
const silent: Partial<PackView> = {
  millivolts: null,
  milliamps: null,
  percent: null,
  percentError: null,
  isExternal: null,
  isCharging: null,
  isSilent: true,
}
const absent: Partial<PackView> = { ...silent, isSilent: false, isAbsent: true }

const part = (view: Partial<PackView> = {}, of: Partial<PackModel> = {}): Part => {
  const full = { ...model, ...of }
  return { view: { ...known, ...view }, model: full, knowledge: nothingLearned(full) }
}

t.test('packs count by what they hold', async t => {
  const small = part({ percent: 80, fullMilliampHours: 5_000 })
  const large = part({ percent: 20, fullMilliampHours: 15_000 })
  t.match(wholeOf([small, large], null), { percent: 35, percentError: 4 })
})

t.test('a pair lasts as long as the sum: one at zero, or taken out, is not the end', async t => {
  t.match(wholeOf([part({ percent: 0 }), part({ percent: 90 })], null), { percent: 45 })
  t.match(wholeOf([part(absent), part({ percent: 90 })], null), { percent: 90, percentError: 4 })
  const waiting = part({ percent: 90, milliamps: 0, millivolts: 4_080 })
  const inUse = part({ percent: 10, milliamps: -1_000, millivolts: 3_450 })
  const draw = { meanMilliwatts: 3_600, highMilliwatts: 3_600 }
  const both = enduranceOf([inUse, waiting], draw, null)?.seconds ?? 0
  const one = enduranceOf([waiting], draw, null)?.seconds ?? 0
  t.ok(both > one, `${both} s with both, ${one} s with one`)
})

t.test(
  'a pack that nobody hears widens the error, and all of them leave nothing known',
  async t => {
    const whole = wholeOf([part(), part(silent)], null)
    t.equal(whole.percent, 50)
    t.equal(whole.percentError, 27)
    t.match(wholeOf([part(silent), part(silent)], null), { percent: null, percentError: null })
    t.match(wholeOf([part(absent)], null), { percent: null, millivolts: null, milliwatts: null })
    t.match(wholeOf([], null), { percent: null, isExternal: null })
  },
)

t.test('power is the sum, and unknown when one part of it is', async t => {
  t.equal(wholeOf([part(), part({ milliamps: 500 })], null).milliwatts, -1_875)
  t.equal(wholeOf([part(), part({ milliamps: null })], null).milliwatts, null)
})

t.test('who sees mains is believed', async t => {
  const cases = [
    [[true, false], true],
    [[false, null], false],
    [[null, null], null],
  ] as const
  for (const [said, isExternal] of cases)
    t.equal(
      wholeOf(
        said.map(one => part({ isExternal: one })),
        null,
      ).isExternal,
      isExternal,
    )
})

t.test(
  'the voltage rule looks at the best pack, by its own chemistry, and needs them all',
  async t => {
    const low = part({ millivolts: 3_100 })
    t.equal(wholeOf([low], null).marginMillivolts, -100)
    t.equal(wholeOf([low], 3_000).marginMillivolts, 100)
    t.equal(wholeOf([low, part({ millivolts: 3_900 })], null).marginMillivolts, 700)
    t.equal(wholeOf([low, part(silent)], null).marginMillivolts, null)
    t.equal(wholeOf([low, part(absent)], null).marginMillivolts, -100)
    const lead = part({ millivolts: 6 * 1_850 - 6 }, { chemistry: 'lead-acid', cells: 6 })
    t.equal(wholeOf([lead], null).marginMillivolts, -1)
    const iron = part({ millivolts: 4 * 2_800 - 4 }, { chemistry: 'lifepo4', cells: 4 })
    t.equal(wholeOf([iron], null).marginMillivolts, -1)
  },
)

t.test('a current says where power comes from once it is more than noise', async t => {
  t.equal(externalByCurrent([part({ milliamps: 20 })]), null)
  t.equal(externalByCurrent([part({ milliamps: 900 })]), true)
  t.equal(externalByCurrent([part({ milliamps: -900 })]), false)
  t.equal(externalByCurrent([part({ milliamps: null })]), null)
})

const draw: Draw = { meanMilliwatts: 3_700, highMilliwatts: 7_400 }

t.test('time to empty is the energy over the draw, and its lower bound is lower', async t => {
  const endurance = enduranceOf([part()], draw, null)
  // 5 Ah at about 3.6 V, less what is left when the load meets the limit of 3.2 V.
  t.ok(Math.abs((endurance?.seconds ?? 0) / 3_600 - 4.5) < 0.3, `${endurance?.seconds} s`)
  const min = endurance?.secondsMin ?? 0
  t.ok(min < 0.5 * (endurance?.seconds ?? 0), 'at twice the draw, and four points less')
  t.ok(min > 0.35 * (endurance?.seconds ?? 0))
})

t.test('it is never negative and never without end', async t => {
  t.match(enduranceOf([part({ percent: 0 })], draw, null), { seconds: 0, secondsMin: 0 })
  t.match(enduranceOf([part({ percent: 2, percentError: 20 })], draw, null), { secondsMin: 0 })
  t.equal(enduranceOf([part()], { meanMilliwatts: 0.001, highMilliwatts: 1 }, null), null)
  t.match(enduranceOf([part()], draw, 3_900), { seconds: 0 }, 'below the limit already')
  t.equal(enduranceOf([part(silent)], draw, null), null)
  t.equal(enduranceOf([part()], null, null), null)
})

t.test('a pack that lies below its curve is empty earlier', async t => {
  const seconds = (restMillivolts: number | null): number =>
    enduranceOf([part({ percent: 20, restMillivolts })], draw, null)?.seconds ?? 0
  t.ok(seconds(3_420) < 0.8 * seconds(null), `${seconds(3_420)} and ${seconds(null)} s`)
  t.equal(seconds(2_000), seconds(2_500), 'within reason')
})

t.test('a peak of the load is not the load', async t => {
  const often = { meanMilliwatts: 3_700, highMilliwatts: 12_000 }
  const seconds = (of: Draw): number =>
    enduranceOf([part({}, { milliohms: 200 })], of, null)?.seconds ?? 0
  t.equal(seconds(often), seconds({ ...often, highMilliwatts: 3_700 }))
})

t.test('the margin at the usual load leaves a peak out', async t => {
  const printing = part({ millivolts: 3_100, peakMillivolts: 250 })
  t.match(wholeOf([printing], null), { marginMillivolts: -100, usualMarginMillivolts: 150 })
})

t.test('a weaker pack is empty earlier, since its voltage falls under the load', async t => {
  const seconds = (milliohms: number): number =>
    enduranceOf([part({}, { milliohms })], { meanMilliwatts: 12_000, highMilliwatts: 12_000 }, null)
      ?.seconds ?? 0
  t.ok(seconds(150) < 0.9 * seconds(20), `${seconds(150)} and ${seconds(20)} s`)
})

t.test('the draw is the mean of three minutes, and its peaks are known', async t => {
  const memory = new DrawMemory()
  t.equal(memory.read(), null)
  memory.add(5_000, 1_000)
  t.equal(memory.read()?.meanMilliwatts, 5_000)
  for (let second = 0; second < 1_800; second++)
    memory.add(second % 10 === 0 ? 20_000 : 5_000, 1_000)
  const seen = memory.read()
  t.ok(Math.abs((seen?.meanMilliwatts ?? 0) - 6_500) < 400)
  t.equal(seen?.highMilliwatts, 20_000)
  for (let second = 0; second < 540; second++) memory.add(5_000, 1_000)
  t.ok((memory.read()?.meanMilliwatts ?? 0) < 5_200, 'after three times as long it is the new one')
})

t.test('a draw of long ago is forgotten', async t => {
  const memory = new DrawMemory()
  memory.add(5_000, 1_000)
  for (let second = 0; second < 1_790; second++) memory.add(null, 1_000)
  t.equal(memory.read()?.meanMilliwatts, 5_000)
  for (let second = 0; second < 20; second++) memory.add(-900, 1_000)
  t.equal(memory.read(), null)
})
