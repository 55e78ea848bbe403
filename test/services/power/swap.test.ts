import t from 'tap'
import type { GaugeReading } from '../../../runtime/ports/gauge.js'
import { freshSwapWatch, type SwapCause, watched } from '../../../runtime/services/power/swap.js'
import { reading } from './scripted-gauge.js'

const model = { cells: 1, ampHours: 5, ohms: 0.08, ohmsDeviation: 0.2 }
type Known = Partial<Omit<GaugeReading, 'at'>>

/** One reading a second. */
function causes(knowns: readonly Known[], everyMs = 1_000, of = model): SwapCause[] {
  let watch = freshSwapWatch
  const found: SwapCause[] = []
  for (const [index, known] of knowns.entries()) {
    const finding = watched(watch, reading(index * everyMs, known), of)
    watch = finding.watch
    if (finding.cause !== null) found.push(finding.cause)
  }
  return found
}

const many = (count: number, known: Known): Known[] => Array.from({ length: count }, () => known)
const steady = { millivolts: 3_700, milliamps: -500 }

t.test('a pack that only drains is never taken for another one', async t => {
  const hours = Array.from({ length: 5_000 }, (_, at) => ({
    millivolts: 4_100 - at / 5,
    milliamps: at % 60 < 5 ? -2_500 : -500,
    percent: 100 - at / 60,
  }))
  const sagging = hours.map(known => ({
    ...known,
    millivolts: known.millivolts + known.milliamps * 0.08,
  }))
  t.same(causes(sagging), [])
})

t.test(
  'a load that grows may lower a voltage by more than is believed, and not the other way round',
  async t => {
    const newcomer = { ...model, ohmsDeviation: 0.5 }
    const printing = { millivolts: 3_100, milliamps: -3_000 }
    t.same(
      causes([...many(9, steady), ...many(5, printing), ...many(9, steady)], 1_000, newcomer),
      [],
    )
    const lifted = { millivolts: 4_300, milliamps: -3_000 }
    t.same(causes([...many(9, steady), ...many(5, lifted)], 1_000, newcomer), ['step'])
  },
)

t.test('what each sign of another pack is', async t => {
  const cases: [SwapCause[], Known[]][] = [
    [['step'], [...many(5, steady), ...many(5, { ...steady, millivolts: 4_100 })]],
    [['step'], [...many(5, { millivolts: 3_300 }), ...many(5, { millivolts: 4_100 })]],
    // A load that rises hides part of the step.
    [['step'], [...many(5, steady), ...many(5, { millivolts: 4_000, milliamps: -2_500 })]],
    [['jump'], [...many(5, { percent: 20 }), ...many(5, { percent: 85 })]],
    [['reset'], [...many(5, steady), { ...steady, wasReset: true }, ...many(5, steady)]],
    [
      ['returned'],
      [...many(5, steady), ...many(30, { troubles: ['no-pack'] }), ...many(5, steady)],
    ],
  ]
  for (const [expected, knowns] of cases) t.same(causes(knowns), expected, expected.join())
})

t.test('one swap with all its signs counts once', async t => {
  const before = { millivolts: 3_400, milliamps: -500, percent: 12 }
  const after = { millivolts: 4_100, milliamps: -500, percent: 88 }
  const knowns = [...many(5, before), { ...after, percent: 12, wasReset: true }, ...many(20, after)]
  t.same(causes(knowns), ['reset'])
})

t.test('one odd reading is no swap', async t => {
  t.same(causes([...many(5, steady), { ...steady, millivolts: 4_150 }, ...many(5, steady)]), [])
  t.same(causes([...many(5, { percent: 50 }), { percent: 99 }, ...many(5, { percent: 50 })]), [])
})

t.test('a charger that is plugged in or out is no swap', async t => {
  const fed = { millivolts: 4_300, milliamps: 1_500, isExternal: true }
  t.same(causes([...many(5, { ...steady, isExternal: false }), ...many(5, fed)]), [])
  t.same(causes([...many(5, fed), ...many(5, { ...steady, isExternal: false })]), [])
})

t.test('a charge that climbs over minutes is no jump', async t => {
  t.same(causes(Array.from({ length: 300 }, (_, at) => ({ percent: 20 + at / 10 }))), [])
})

t.test('the reset of the first reading is that of the switch-on', async t => {
  t.same(causes([{ ...steady, wasReset: true }, ...many(5, steady)]), [])
})

t.test('what is not known is no sign', async t => {
  t.same(causes([...many(3, steady), ...many(3, {}), ...many(3, steady)]), [])
})
