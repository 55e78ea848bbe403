import t from 'tap'
import { monotonicMs, showTimeMs } from '../../../runtime/core/time.js'
import type { Estimate } from '../../../runtime/services/clock/ptp/path-filter.js'
import { type Rule, ShowScale } from '../../../runtime/services/clock/show-scale.js'

const START_NS = 1_790_000_000_000_000_000n
const at = monotonicMs

const scale = (learnedPpm: number | null = null): ShowScale =>
  new ShowScale({ at: at(1000), showNs: START_NS, learnedPpm, continued: null })

/** The leader is ahead of the start by `aheadNs` at `atMs`, less what passed since. */
const estimate = (atMs: number, aheadNs: number, changes: Partial<Estimate> = {}): Estimate => ({
  at: at(atMs),
  masterNs: START_NS + BigInt(Math.round((atMs - 1000) * 1e6 + aheadNs)),
  ratePpm: 0,
  rateDeviationPpm: 0.1,
  delayNs: 50_000,
  boundNs: 60_000,
  deviationNs: 1,
  ...changes,
})

const aheadNs = (one: ShowScale, atMs: number): number =>
  Number(one.showAtNs(at(atMs)) - START_NS) - (atMs - 1000) * 1e6

t.test('it runs from where it began, at the rate it was told', async t => {
  t.equal(aheadNs(scale(), 61_000), 0)
  t.equal(aheadNs(scale(20), 61_000), 20 * 60_000)
  t.equal(scale().showAt(at(2500)), showTimeMs(1_790_000_000_000 + 1500))
})

t.test("an error is made up for within two seconds, and then the rate is the leader's", async t => {
  const one = scale()
  const followed = one.follow(estimate(2000, 100_000, { ratePpm: 10 }), at(2000), 'slew')
  t.match(followed, { kind: 'slewed', errorNs: 100_000 })
  t.ok(Math.abs(aheadNs(one, 3000) - 60_000) < 5, 'half of it, and a second at 10 ppm')
  t.ok(Math.abs(aheadNs(one, 4000) - 120_000) < 5)
  t.ok(Math.abs(aheadNs(one, 5000) - 130_000) < 5)
  t.ok(Math.abs(one.ratePpmAt(at(3000)) - 60) < 0.01)
  t.equal(one.ratePpmAt(at(4500)), 10)
})

t.test('it never runs faster or slower than 500 ppm to get there', async t => {
  for (const sign of [1, -1]) {
    const one = scale()
    one.follow(estimate(2000, sign * 20_000_000), at(2000), 'slew')
    t.ok(Math.abs(aheadNs(one, 12_000) - sign * 5_000_000) < 5, 'ten seconds at 500 ppm')
    t.ok(Math.abs(aheadNs(one, 42_000) - sign * 20_000_000) < 5)
    t.ok(Math.abs(aheadNs(one, 90_000) - sign * 20_000_000) < 5, 'and no farther')
  }
})

t.test('what is too far off steps only where that is allowed', async t => {
  const far: readonly (readonly [Rule, string])[] = [
    ['slew', 'refused'],
    ['step', 'stepped'],
    ['align', 'stepped'],
  ]
  for (const [rule, kind] of far)
    for (const sign of [1, -1]) {
      const one = scale()
      const followed = one.follow(estimate(2000, sign * 3.6e12), at(2000), rule)
      t.equal(followed.kind, kind)
      t.equal(aheadNs(one, 2000), kind === 'refused' ? 0 : sign * 3.6e12)
    }
  const near = scale()
  t.equal(near.follow(estimate(2000, 1000), at(2000), 'step').kind, 'slewed')
  t.equal(near.follow(estimate(2000, 1000), at(2000), 'align').kind, 'stepped')
  t.equal(aheadNs(near, 2000), 1000)
})

t.test('no reading is behind one of before, whatever it is told in between', async t => {
  const one = scale()
  let last = one.showAt(at(1000))
  let lastNs = one.showAtNs(at(1000))
  let wrong = 0
  for (let turn = 0; turn < 20_000; turn++) {
    const nowMs = 1000 + turn * 0.37
    const noise = Math.sin(turn * 12.9898) * 24_000_000
    if (turn % 7 === 0)
      one.follow(estimate(nowMs, noise, { ratePpm: noise / 1e6 }), at(nowMs), 'slew')
    if (turn % 50 === 0) one.holdOver(at(nowMs))
    if (turn % 120 === 0) one.lead(at(nowMs))
    const [show, showNs] = [one.showAt(at(nowMs)), one.showAtNs(at(nowMs))]
    if (show < last || showNs < lastNs) wrong++
    last = show
    lastNs = showNs
  }
  t.equal(wrong, 0)
})

t.test(
  'a moment of the timeline is found where the timeline shows it, before and after a slew',
  async t => {
    const one = scale(33)
    one.follow(estimate(2000, 9_000_000, { ratePpm: -20 }), at(2000), 'slew')
    for (const atMs of [1500, 2000, 2001, 10_000, 19_999, 25_000, 3_600_000]) {
      const back = one.monotonicAt(one.showAt(at(atMs)))
      // A double of that size holds a quarter of a microsecond.
      t.ok(Math.abs(back - atMs) < 0.0003, `${atMs}: ${back}`)
    }
  },
)

t.test(
  'while nobody leads it keeps the rate that it has learned, and says how unsure it gets',
  async t => {
    const one = scale()
    for (let second = 2; second <= 300; second++) {
      const ratePpm = 20 + Math.sin(second) * 0.4
      const ahead = (second * 1000 - 2000) * 20
      one.follow(estimate(second * 1000, ahead, { ratePpm }), at(second * 1000), 'slew')
    }
    t.ok(Math.abs((one.learnedPpm ?? 0) - 20) < 0.05, `${one.learnedPpm}`)
    const before = one.errorNs(at(300_000))
    one.holdOver(at(300_000))
    const hourMs = 3_600_000
    const drift = aheadNs(one, 300_000 + hourMs) - aheadNs(one, 300_000)
    t.ok(Math.abs(drift - hourMs * 20) < hourMs * 0.05)
    const bound = one.errorNs(at(300_000 + hourMs))
    t.ok(bound > before + hourMs * 0.4 && bound < before + hourMs * 0.6)
  },
)

t.test('a rate that was hardly learned is believed less, and one that never was least', async t => {
  const never = scale()
  never.follow(estimate(2000, 0, { rateDeviationPpm: 30 }), at(2000), 'slew')
  const young = scale()
  young.follow(estimate(2000, 0), at(2000), 'slew')
  t.equal(never.learnedPpm, null)
  t.ok(never.errorNs(at(12_000)) > 900_000)
  t.ok(young.errorNs(at(12_000)) < 200_000)
})

t.test('a slew that is under way when the leader goes is finished', async t => {
  const one = scale()
  one.follow(estimate(2000, 100_000), at(2000), 'slew')
  one.holdOver(at(3000))
  t.ok(Math.abs(aheadNs(one, 10_000) - 100_000) < 10)
})

t.test('who takes over goes on from where it is, and stays as unsure as it was', async t => {
  const one = scale()
  one.follow(estimate(2000, 100_000), at(2000), 'slew')
  t.notOk(one.hasLed)
  const before = aheadNs(one, 3000)
  one.lead(at(3000))
  t.ok(one.hasLed)
  t.ok(Math.abs(aheadNs(one, 3000) - before) <= 2)
  t.ok(Math.abs(aheadNs(one, 100_000) - before) <= 2)
  t.equal(one.errorNs(at(1e9)), 115_000, '60 us, 5 of drift, and half of a slew of 100')
  t.equal(one.inheritedNs, 115_000)
})

t.test('who began the timeline is right by definition, and stays so', async t => {
  const one = scale()
  one.lead(at(1000))
  t.equal(one.errorNs(at(1e9)), 0)
  one.define(at(1000))
  one.holdOver(at(100_000))
  one.lead(at(101_000))
  t.equal(one.errorNs(at(1e9)), 0, 'also after its cable was out')
})

t.test('what the leader did not know when it took over is part of the bound', async t => {
  const one = scale()
  one.follow(estimate(2000, 0), at(2000), 'slew', 250_000)
  t.equal(one.inheritedNs, 250_000)
  t.equal(one.errorNs(at(2000)), 60_000 + 250_000)
  t.equal(one.distanceNs(at(2000)), 60_000, 'but not of how well it could take over')
  one.follow(estimate(3000, 0), at(3000), 'slew')
  t.equal(one.inheritedNs, 0)
})

t.test(
  'a box that has shared its time with nobody does not know how far off a leader is',
  async t => {
    const one = scale()
    one.lead(at(1000))
    one.holdOver(at(2000))
    t.ok(one.errorNs(at(2000)) >= 1e12)
  },
)

t.test('another life goes on exactly, with what was left of a slew', async t => {
  for (const keptAtMs of [2500, 30_000]) {
    const one = scale()
    one.follow(estimate(2000, 5_000_000, { ratePpm: -37.25 }), at(2000), 'slew')
    const continued = one.continuation(at(keptAtMs))
    const next = new ShowScale({ at: at(40_000), showNs: 0n, learnedPpm: null, continued })
    t.ok(Math.abs(aheadNs(next, 40_000) - aheadNs(one, 40_000)) <= 2)
    t.ok(Math.abs(aheadNs(next, 4_000_000) - aheadNs(one, 4_000_000)) <= 2)
    t.equal(next.hasLed, false)
    t.ok(next.errorNs(at(40_000)) >= one.errorNs(at(40_000)), 'and is no surer')
  }
})

t.test('another life of a leader that took over is as unsure as it was', async t => {
  const one = scale()
  one.follow(estimate(2000, 0), at(2000), 'slew')
  one.lead(at(3000))
  const continued = one.continuation(at(3000))
  const next = new ShowScale({ at: at(9000), showNs: 0n, learnedPpm: null, continued })
  t.equal(next.hasLed, true)
  next.lead(at(9000))
  t.equal(next.errorNs(at(1e6)), one.errorNs(at(1e6)))
})

t.test('the bound holds what a slew has not yet made up for', async t => {
  const one = scale()
  one.follow(estimate(2000, 5_000_000), at(2000), 'slew')
  t.ok(one.errorNs(at(2000)) >= 5_060_000 - 10)
  t.ok(one.errorNs(at(20_000)) < 300_000)
})

t.test('a learned rate that no crystal has is not believed', async t => {
  t.equal(aheadNs(scale(1e6), 2000), 500 * 1000)
})

t.test('a rate that contradicts what was learned is learned anew at once', async t => {
  const one = scale(0)
  for (let second = 2; second <= 20; second++) {
    const ahead = (second * 1000 - 2000) * 40
    one.follow(estimate(second * 1000, ahead, { ratePpm: 40 }), at(second * 1000), 'slew')
  }
  t.ok(Math.abs((one.learnedPpm ?? 0) - 40) < 0.1, `${one.learnedPpm}`)
})

t.test(
  'a leader whose time others have followed for a minute keeps its rate when it follows',
  async t => {
    const one = scale()
    one.lead(at(1000))
    one.define(at(1000))
    one.holdOver(at(60_999))
    t.equal(one.learnedPpm, null)
    one.lead(at(61_000))
    one.define(at(61_000))
    one.holdOver(at(121_000))
    t.equal(one.learnedPpm, 0)
    t.ok(one.errorNs(at(121_000)) > 0, 'it is no longer sure')
  },
)

t.test(
  'a noisy estimate moves a time that is well known only a little, one that surprises by as much as it says',
  async t => {
    const known = (): ShowScale => {
      const one = scale()
      for (let second = 2; second <= 100; second++)
        one.follow(estimate(second * 1000, 0, { deviationNs: 500 }), at(second * 1000), 'slew')
      return one
    }
    const noisy = known()
    noisy.follow(estimate(101_000, 60_000, { deviationNs: 30_000 }), at(101_000), 'slew')
    t.ok(aheadNs(noisy, 110_000) < 1000, `${aheadNs(noisy, 110_000)} ns`)
    const surprised = known()
    surprised.follow(estimate(101_000, 600_000, { deviationNs: 3000 }), at(101_000), 'slew')
    t.ok(aheadNs(surprised, 110_000) > 590_000, `${aheadNs(surprised, 110_000)} ns`)
  },
)
