import t from 'tap'
import { monotonicMs } from '../../../runtime/core/time.js'
import type { GaugeReading } from '../../../runtime/ports/gauge.js'
import { unknownPack } from '../../../runtime/services/power/estimate-state.js'
import type { PackModel } from '../../../runtime/services/power/knowledge.js'
import {
  freshPack,
  heard,
  type Pack,
  type PackView,
  viewOf,
  waited,
} from '../../../runtime/services/power/pack.js'
import { reading } from './scripted-gauge.js'

const model: PackModel = { chemistry: 'li-ion', cells: 1, milliampHours: 5_000, milliohms: 60 }
type Known = Partial<Omit<GaugeReading, 'at'>>

/** A reading each second, the last at `count` seconds. */
function fed(count: number, known: (second: number) => Known, from?: Pack): Pack {
  let pack = from ?? freshPack(unknownPack(model), 0)
  const begun = (pack.reading?.at ?? 0) / 1_000
  for (let at = 1; at <= count; at++)
    pack = heard(pack, reading((begun + at) * 1_000, known(at)), model).pack
  return pack
}

const view = (pack: Pack): PackView => viewOf(pack, pack.reading?.at ?? monotonicMs(0), model)
const half = { millivolts: 3_748, milliamps: -10 }

t.test(
  'the gauge’s own charge counts, clamped, when its voltage does not contradict it',
  async t => {
    t.match(view(fed(3, () => ({ ...half, percent: 52 }))), { percent: 52, method: 'gauge' })
    t.match(view(fed(3, () => ({ millivolts: 4_190, percent: 107 }))), {
      percent: 100,
      method: 'gauge',
    })
    t.match(view(fed(3, () => ({ percent: 40 }))), {
      percent: 40,
      percentError: 8,
      method: 'gauge',
    })
  },
)

t.test('a charge that cannot be is not passed on', async t => {
  for (const percent of [255, -4, 1, 99]) {
    const seen = view(fed(3, () => ({ ...half, percent })))
    t.match(seen, { method: 'coulomb', troubles: ['implausible'] }, `${percent} %`)
    t.ok(Math.abs((seen.percent ?? 0) - 50) < 12)
  }
})

t.test('a charge that stands still while the pack drains is stuck', async t => {
  const volts = (second: number): number => 4_150 - second / 15
  const drained = fed(9_000, second => ({
    millivolts: volts(second),
    milliamps: -1_500,
    percent: 97,
  }))
  t.match(view(drained), { troubles: ['stuck'], method: 'coulomb' })
})

t.test('which way the charge is known is said', async t => {
  t.equal(view(fed(3, () => half)).method, 'coulomb')
  t.equal(view(fed(3, () => ({ millivolts: 3_748, isCharging: false }))).method, 'voltage')
  t.equal(view(fed(3, () => ({}))).method, 'none')
})

t.test('nothing known is null, not zero', async t => {
  const seen = view(fed(3, () => ({ troubles: ['not-ready'] })))
  t.match(seen, { millivolts: null, milliamps: null, percent: null, percentError: null })
  t.same(seen.troubles, ['not-ready'])
})

t.test(
  'a gauge that falls silent is unknown after five seconds; its charge is told, less sure',
  async t => {
    const known = fed(60, () => ({ millivolts: 4_190, milliamps: 0 }))
    const at = (seconds: number): PackView => {
      const now = monotonicMs((60 + seconds) * 1_000)
      return viewOf(waited(known, now, model), now, model)
    }
    t.match(at(5), { isSilent: false, millivolts: 4_190 })
    t.match(at(6), { isSilent: true, millivolts: null, milliamps: null, troubles: ['silent'] })
    t.ok((at(6).percent ?? 0) > 95)
    t.ok((at(3_600).percentError ?? 100) > (at(6).percentError ?? 100))
  },
)

t.test('a pack that is not there has no charge, and when it is back it may be another', async t => {
  const there = fed(60, () => ({ millivolts: 4_190, milliamps: 0 }))
  const away = fed(5, () => ({ troubles: ['no-pack'], millivolts: 12 }), there)
  t.match(view(away), { isAbsent: true, percent: null, method: 'none' })
  const back = fed(5, () => half, away)
  t.equal(back.swaps, 1)
  t.ok((view(back).percent ?? 100) < 60)
})

t.test('another pack is known by its own voltage at once', async t => {
  const empty = fed(60, () => ({ millivolts: 3_300, milliamps: -500 }))
  const fresh = fed(4, () => ({ millivolts: 4_150, milliamps: -500 }), empty)
  t.equal(fresh.swaps, 1)
  t.ok((view(fresh).percent ?? 0) > 85, `${view(fresh).percent}`)
})

t.test('what a peak of the load takes is known by the load of the minutes before', async t => {
  const printing = fed(
    2,
    () => ({ ...half, milliamps: -3_010 }),
    fed(60, () => half),
  )
  const { peakMillivolts } = view(printing)
  // Three amperes through 60 milliohms, as far as they are known.
  t.ok(peakMillivolts > 120 && peakMillivolts < 260, `${peakMillivolts} mV`)
  t.ok(view(fed(60, () => half)).peakMillivolts < 1)
})

t.test('the same reading twice is heard once', async t => {
  const pack = fed(10, () => half)
  t.equal(heard(pack, reading(10_000, { millivolts: 3_000 }), model).pack, pack)
})

t.test('cold makes a pack smaller, and says so', async t => {
  const full = (celsius: number | null): number =>
    view(fed(3, () => ({ ...half, celsius }))).fullMilliampHours ?? 0
  t.ok(full(0) < 0.96 * full(25))
  t.equal(full(null), full(25))
})
