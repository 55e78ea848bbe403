import t from 'tap'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { referenceOf } from '../../../../runtime/services/clock/wall/ntp-packet.js'
import {
  type Claim,
  maySet,
  standingOf,
  trust,
  type WallSource,
} from '../../../../runtime/services/clock/wall/wall-policy.js'

const NOW = monotonicMs(10_000_000)

const claim = (source: WallSource, changes: Partial<Claim> = {}): Claim => ({
  source,
  at: NOW,
  errorMs: 10,
  stratum: 3,
  rootDelayMs: 4,
  rootDispersionMs: 5,
  leap: 0,
  referenceId: 1,
  ...changes,
})

const shown = { now: NOW, isRateKnown: true, offMs: 0, setWallMs: 7 }

t.test(
  'the best of those that know UTC is trusted, then a leader that does not, then nobody',
  async t => {
    const venue = claim('leader', { stratum: 11 })
    const table: [Claim[], WallSource, boolean][] = [
      [[], 'floor', false],
      [[venue], 'leader', false],
      [[venue, claim('rtc')], 'rtc', true],
      [[venue, claim('technician'), claim('rtc')], 'technician', true],
      [[claim('system'), claim('technician')], 'system', true],
      [[claim('leader'), claim('system')], 'leader', true],
      [[claim('rtc'), claim('technician'), claim('ntp'), venue], 'ntp', true],
      [[claim('ntp', { stratum: 11 })], 'ntp', false],
    ]
    for (const [claims, source, isUtcKnown] of table) {
      t.match(trust(claims, NOW, true), { source, isUtcKnown })
      t.match(trust([...claims].reverse(), NOW, true), { source, isUtcKnown }, 'in any order')
    }
  },
)

t.test(
  'a bound grows with the age of what is known, and what is too far off is not known',
  async t => {
    const old = claim('ntp', { at: monotonicMs(0) })
    t.ok(Math.abs((trust([old], NOW, true).errorMs ?? 0) - 160) < 0.01, '15 millionths')
    t.ok(Math.abs((trust([old], NOW, false).errorMs ?? 0) - 1_010) < 0.01, 'or 100')
    const ancient = claim('ntp', { at: monotonicMs(-1e10), errorMs: 250_000 })
    t.match(trust([ancient], NOW, false), { source: 'floor', isUtcKnown: false, errorMs: null })
    t.equal(trust([claim('leader', { stratum: 12 })], NOW, true).errorMs, null, 'of a venue date')
  },
)

t.test('a person may set what nobody knows better, or has not confirmed for an hour', async t => {
  const may = (...claims: Claim[]): boolean => maySet(trust(claims, NOW, true), NOW)
  t.ok(may())
  t.ok(may(claim('rtc')))
  t.ok(may(claim('technician')))
  t.ok(may(claim('leader', { stratum: 11 })))
  t.notOk(may(claim('ntp')))
  t.notOk(may(claim('leader')))
  t.notOk(may(claim('system')))
  t.ok(may(claim('ntp', { at: monotonicMs(0) })), 'long ago')
})

t.test(
  'others are told what is known, what it may be off, and nothing where nothing is',
  async t => {
    const standing = standingOf(trust([claim('ntp')], NOW, true), { ...shown, offMs: -30 }, false)
    t.match(standing, { leap: 0, stratum: 3, rootDelayMs: 4, referenceId: 1, referenceWallMs: 7 })
    t.equal(standing.rootDispersionMs, 35, 'what is shown is 30 ms from what is known')
    const old = trust([claim('ntp', { at: monotonicMs(0) })], NOW, true)
    t.ok(Math.abs(standingOf(old, shown, false).rootDispersionMs - 155) < 0.01)
    const nobody = trust([], NOW, true)
    t.match(standingOf(nobody, shown, false), { leap: 3, stratum: 16 })
    t.match(standingOf(nobody, shown, true), {
      leap: 0,
      stratum: 10,
      referenceId: referenceOf('LOCL'),
    })
    const beyond = trust([claim('leader', { stratum: 16 })], NOW, true)
    t.match(standingOf(beyond, shown, false), { leap: 3, stratum: 16 }, 'a loop ends')
  },
)
