import t from 'tap'
import { check } from '../../../runtime/core/schema.js'
import { chargeOf, estimated } from '../../../runtime/services/power/estimate.js'
import { type Kept, kept, keptSchema, packFrom } from '../../../runtime/services/power/kept.js'
import { nothingLearned, type PackModel } from '../../../runtime/services/power/knowledge.js'

const model: PackModel = { chemistry: 'lifepo4', cells: 4, milliampHours: 6_000, milliohms: 80 }
const HOUR_MS = 3_600_000
const NOW = 1.8e12

const found: Kept = {
  chemistry: 'lifepo4',
  cells: 4,
  milliampHours: 6_000,
  knowledge: { ...nothingLearned(model), capacityShare: 0.8, capacityDeviation: 0.02, lessons: 3 },
  charge: 0.6,
  deviation: 0.02,
  swaps: 2,
  wallMs: NOW,
}

/** In the flat middle, where the voltage alone tells little. */
const woken = (hours: number, volts = 3.297, from: Kept | null = found) => {
  const { estimate } = packFrom(from, model, NOW + hours * HOUR_MS)
  const sample = { elapsedMs: 0, volts, amps: 0, celsius: 25, isCharging: null }
  return estimated(estimate, sample, model)
}

t.test('what was learned and how charged it was survives a restart', async t => {
  const pack = packFrom(found, model, NOW + 60_000)
  t.equal(pack.swaps, 2)
  t.equal(pack.estimate.knowledge.capacityShare, 0.8)
  const charge = chargeOf(woken(0.1))
  t.ok(Math.abs((charge?.percent ?? 0) - 60) < 3, `${charge?.percent}`)
})

t.test('the longer the box was off the less its memory counts', async t => {
  const errors = [0.1, 5, 24, 200].map(hours => chargeOf(woken(hours))?.percentError ?? 100)
  t.same(
    [...errors].sort((a, b) => a - b),
    errors,
  )
  t.ok((errors[0] ?? 100) < 12, `${errors}`)
})

t.test('a clock that went back does not make the memory better', async t => {
  const back = chargeOf(woken(-5))?.percentError ?? 100
  t.ok(back >= (chargeOf(woken(24))?.percentError ?? 100) - 5)
})

t.test('a voltage that contradicts the memory wins', async t => {
  t.ok((chargeOf(woken(1, 2.9))?.percent ?? 100) < 15)
})

t.test('of another pack, or a rewritten box.json, nothing is remembered but the swaps', async t => {
  for (const change of [{ milliampHours: 9_000 }, { cells: 8 }, { chemistry: 'li-ion' }] as const) {
    const pack = packFrom({ ...found, ...change }, model, NOW)
    t.same(pack.estimate.knowledge, nothingLearned(model))
    t.equal(pack.swaps, 2)
  }
})

t.test('what is kept fits its schema, whatever the pack has been through', async t => {
  for (const pack of [packFrom(null, model, NOW), packFrom(found, model, NOW)]) {
    const record = JSON.parse(JSON.stringify(kept(pack, model, NOW)))
    t.same(check(keptSchema, record, 'kept'), record)
  }
  const estimate = woken(1)
  const record = JSON.parse(
    JSON.stringify(kept({ ...packFrom(found, model, NOW), estimate }, model, NOW)),
  )
  t.ok(check(keptSchema, record, 'kept').charge !== null)
  t.ok(JSON.stringify(record).length < 2_000, 'a small record')
})
