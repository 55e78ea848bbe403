import t from 'tap'
import { NO_STAMP, stampOf, wallOf } from '../../../../runtime/services/clock/wall/ntp-time.js'

const NOW_MS = Date.UTC(2026, 10, 22)
const ERA_1_MS = Date.UTC(2036, 1, 7, 6, 28, 16)

t.test('moments are written as RFC 5905, figure 4 has them', async t => {
  // Unix day 1, first day of UTC, the last of the first era, and the first of the second.
  const table: [string, number, bigint][] = [
    ['1970-01-01', 0, 2_208_988_800n],
    ['1972-01-01', Date.UTC(1972, 0, 1), 2_272_060_800n],
    ['1999-12-31', Date.UTC(1999, 11, 31), 3_155_587_200n],
    ['the last second before the turn', ERA_1_MS - 1_000, 4_294_967_295n],
    ['the turn', ERA_1_MS, 0n],
    ['a day after', ERA_1_MS + 86_400_000, 86_400n],
  ]
  for (const [name, wallMs, seconds] of table) t.equal(stampOf(wallMs) >> 32n, seconds, name)
  t.equal(stampOf(NOW_MS + 500) & 0xffff_ffffn, 0x8000_0000n, 'half a second is the first bit')
})

t.test('what was written is read again, to a microsecond', async t => {
  for (const wallMs of [0, 1, NOW_MS, NOW_MS + 0.125, NOW_MS + 999.999, ERA_1_MS - 0.5]) {
    const read = wallOf(stampOf(wallMs), NOW_MS) ?? Number.NaN
    t.ok(Math.abs(read - wallMs) < 0.001, `${wallMs}`)
  }
})

t.test('a stamp is of the era that is nearest', async t => {
  const afterTurn = ERA_1_MS + 3_600_000
  t.equal(wallOf(stampOf(afterTurn), ERA_1_MS - 60_000), afterTurn, 'seen from before the turn')
  const beforeTurn = ERA_1_MS - 3_600_000
  t.equal(wallOf(stampOf(beforeTurn), ERA_1_MS + 60_000), beforeTurn, 'seen from after it')
  t.equal(wallOf(stampOf(0), NOW_MS), 0, '1970 is 1970, and not 2106')
})

t.test('no stamp is no moment', async t => {
  t.equal(wallOf(NO_STAMP, NOW_MS), null)
})

t.test('the end of a second is not the beginning of it', async t => {
  const almost = NOW_MS + 999.999_5
  const seconds = stampOf(almost) >> 32n
  t.equal(seconds, stampOf(NOW_MS) >> 32n)
  t.ok((wallOf(stampOf(almost), NOW_MS) ?? 0) > NOW_MS + 999.9)
})
