import t from 'tap'
import {
  nothingWatched,
  type Sample,
  type Stuck,
  stuckOf,
  watch,
} from '../../drivers/gauge-watch.js'
import { at } from './bench.js'

const MINUTE_MS = 60_000
const LOADED = 5

/** What is said of the last of a series of samples, one a minute. */
function lastOf(samples: readonly Omit<Sample, 'at'>[]): Stuck {
  let watched = nothingWatched
  let stuck: Stuck = { millivolts: false, milliamps: false, percent: false }
  for (const [minute, quantities] of samples.entries()) {
    const sample = { at: at(minute * MINUTE_MS), ...quantities }
    watched = watch(watched, sample)
    stuck = stuckOf(watched, sample, LOADED)
  }
  return stuck
}

const minutes = (count: number, make: (minute: number) => Partial<Sample>): Omit<Sample, 'at'>[] =>
  Array.from({ length: count + 1 }, (_, minute) => ({
    millivolts: null,
    milliamps: null,
    percent: null,
    ...make(minute),
  }))

const none = { millivolts: false, milliamps: false, percent: false }

t.test(
  'a current that is the same bit for bit for ten minutes, with its voltage, is stuck',
  async t => {
    const frozen = { millivolts: 3900, milliamps: -512.3 }
    t.same(lastOf(minutes(9, () => frozen)), none)
    t.same(lastOf(minutes(10, () => frozen)), { millivolts: true, milliamps: true, percent: false })
  },
)

t.test('a pack at rest may stand still for a day', async t => {
  t.same(lastOf(minutes(1440, () => ({ millivolts: 3900, milliamps: 0 }))), none)
  t.same(lastOf(minutes(1440, () => ({ millivolts: 3900, milliamps: -4.9 }))), none)
  t.same(lastOf(minutes(1440, () => ({ millivolts: 3900, percent: 61.2 }))), none)
})

t.test('a voltage may stand still while the current does not, and the other way round', async t => {
  t.same(
    lastOf(minutes(60, minute => ({ millivolts: 3300, milliamps: -500 - (minute % 2) }))),
    none,
  )
  t.same(lastOf(minutes(60, minute => ({ millivolts: 3300 - minute, milliamps: -500 }))), none)
})

t.test('a voltage that does not move while the charge goes is stuck', async t => {
  const sinking = (points: number) => (minute: number) => ({
    millivolts: 3900,
    percent: 80 - (points * minute) / 30,
  })
  t.same(lastOf(minutes(29, sinking(20))), none, 'not yet')
  t.same(lastOf(minutes(30, sinking(4.9))), none, 'a flat curve')
  t.same(lastOf(minutes(30, sinking(5))), { ...none, millivolts: true })
})

t.test('a charge that does not move while the voltage falls is stuck', async t => {
  const sinking = (millivolts: number) => (minute: number) => ({
    millivolts: 3900 - (millivolts * minute) / 30,
    percent: 50,
  })
  t.same(lastOf(minutes(30, sinking(299))), none)
  t.same(lastOf(minutes(30, sinking(300))), { ...none, percent: true })
})

t.test('a gauge that waits at 0 or 100 % is not stuck', async t => {
  for (const percent of [0, 100, 101])
    t.same(lastOf(minutes(60, minute => ({ millivolts: 3900 - minute * 10, percent }))), none)
})

t.test('what moves again is believed again', async t => {
  const frozen = minutes(30, () => ({ millivolts: 3900, milliamps: -512 }))
  t.equal(lastOf(frozen).milliamps, true)
  t.same(lastOf([...frozen, { millivolts: 3899, milliamps: -512, percent: null }]), none)
})

t.test('two readings an hour apart prove nothing', async t => {
  let watched = nothingWatched
  for (const hour of [0, 1, 2, 3]) {
    const sample = {
      at: at(hour * 60 * MINUTE_MS),
      millivolts: 3900,
      milliamps: -512,
      percent: null,
    }
    watched = watch(watched, sample)
    t.same(stuckOf(watched, sample, LOADED), none)
  }
})

t.test('a value that was unknown meanwhile begins anew', async t => {
  const frozen = { millivolts: 3900, milliamps: -512 }
  const samples = minutes(12, minute => (minute === 6 ? {} : frozen))
  t.same(lastOf(samples), none)
})
