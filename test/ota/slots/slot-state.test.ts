import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import {
  ATTEMPTS_MAX,
  activate,
  beginInstall,
  clear,
  countAttempt,
  finishInstall,
  goBack,
  isExhausted,
  markGood,
  markRotten,
  noSlots,
  REFUSALS_MAX,
  type Release,
  type State,
  startOrder,
  withdraw,
} from '../../../ota/slots/slot-state.js'
import { decodeRecord, encodeRecord } from '../../../ota/slots/state-record.js'

const release = (version: string, floor: string | null = null): Release => ({
  digest: version.replaceAll('.', 'a').padEnd(64, '0'),
  version,
  floor,
})
const one = release('1.0.0')
const two = release('1.1.0', '1.1.0')
const fresh: State = {
  ...noSlots,
  chosen: 'a',
  slots: { a: { kind: 'good', release: one }, b: { kind: 'empty' } },
}
const onTrial = (state: State, wanted: Release): State =>
  activate(finishInstall(beginInstall(state, 'a', wanted), 'b'))
const order = (state: State): string[] =>
  startOrder(state).map(({ slot, mode }) => `${slot} ${mode}`)
const refused = { code: 'slot.refused' }

t.test('a trial goes first until it is exhausted, and then the way back', async t => {
  let state = onTrial(fresh, two)
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    t.same(order(state), ['b trial', 'a good'])
    state = countAttempt(state, 'b')
  }
  t.ok(isExhausted(state, 'b'))
  t.same(order(state), ['a good', 'b last'])
})

t.test('a trial that has not begun can be taken back, one that has cannot', async t => {
  const asked = onTrial(fresh, two)
  t.same(order(withdraw(asked)), ['a good', 'b last'])
  t.same(order(activate(withdraw(asked))), ['b trial', 'a good'])
  const begun = countAttempt(asked, 'b')
  t.equal(withdraw(begun), begun)
  t.equal(withdraw(fresh), fresh)
})

t.test('a validated slot is never exhausted: nothing counts its starts', async t => {
  const good = markGood(countAttempt(onTrial(fresh, two), 'b'), 'b')
  t.throws(() => countAttempt(good, 'b'), /during a trial only/)
  t.same(order(good), ['b good', 'a last'], 'and the one below its floor is the last resort')
})

t.test('a trial without a way back is never exhausted', async t => {
  let state = finishInstall(beginInstall(noSlots, null, one), 'a')
  state = activate(state)
  for (let attempt = 0; attempt < 10; attempt++) state = countAttempt(state, 'a')
  t.same(order(state), ['a trial'])
})

t.test('the floor rises at mark-good and nowhere else, and never falls', async t => {
  const trial = onTrial(fresh, two)
  t.equal(trial.floor, null)
  const good = markGood(trial, 'b')
  t.equal(good.floor, '1.1.0')
  t.equal(markGood(good, 'b'), good, 'twice is once')
  t.throws(() => beginInstall(good, 'b', release('1.0.9')), refused)
  t.throws(() => goBack(good, 'a person wants it'), refused)
  const later = beginInstall(good, 'b', release('1.2.0'))
  t.equal(markGood(activate(finishInstall(later, 'a')), 'a').floor, '1.1.0')
})

t.test('a digest that failed is refused until a person clears it', async t => {
  const failed = goBack(onTrial(fresh, two), 'gate: devices')
  t.match(failed.slots.b, { kind: 'failed', why: 'gate: devices' })
  t.throws(() => beginInstall(failed, 'a', two), { ...refused, message: /gate: devices/ })
  const cleared = clear(failed, two.digest)
  t.same(order(activate(cleared)), ['b trial', 'a good'])
})

t.test('refusals are bounded by taking no more releases, not by forgetting', async t => {
  let state = fresh
  for (let number = 1; number <= REFUSALS_MAX; number++)
    state = goBack(onTrial(state, release(`2.${number}.0`)), 'bad')
  t.throws(() => beginInstall(state, 'a', two), { ...refused, message: /clear some/ })
  t.equal(state.refused.length, REFUSALS_MAX)
})

t.test('a person goes back once, and not to what failed as well', async t => {
  const good = markGood(onTrial(fresh, release('1.1.0')), 'b')
  const back = goBack(good, 'flickers')
  t.same(order(back), ['a good', 'b good'])
  t.throws(() => goBack(back, 'this one, too'), { ...refused, message: /flickers/ })
})

t.test('during a trial nothing is installed: the other slot is the way back', async t => {
  t.throws(() => beginInstall(onTrial(fresh, two), 'a', release('1.2.0')), refused)
})

t.test('an installation into the slot that was to be started moves the choice first', async t => {
  const good = markGood(onTrial(fresh, release('1.1.0')), 'b')
  const fromA = beginInstall(good, 'a', release('1.2.0'))
  t.equal(fromA.chosen, 'a', 'box b is rotten, and a runs')
  t.equal(fromA.slots.b.kind, 'installing')
})

t.test('a rotten slot gives way, is not refused, and is never the only one given up', async t => {
  const good = markGood(onTrial(fresh, release('1.1.0')), 'b')
  const rotten = markRotten(good, 'b', 'main.js')
  t.match(rotten, { chosen: 'a', refused: [], slots: { b: { kind: 'failed' } } })
  t.equal(markRotten(rotten, 'a', 'main.js'), rotten)
})

t.test('a record says again what it was told, and nothing when a single bit is off', async t => {
  const keys = new SimulatedKeys(() => 0)
  const state = goBack(onTrial(fresh, two), 'gate: devices')
  for (const wanted of [noSlots, fresh, onTrial(fresh, two), state])
    t.same(decodeRecord(keys, encodeRecord(keys, { sequence: 7, state: wanted })), {
      sequence: 7,
      state: wanted,
    })
  const bytes = encodeRecord(keys, { sequence: 7, state })
  let taken = 0
  for (let at = 0; at < bytes.length; at++) {
    const rotten = bytes.slice()
    rotten[at] = (rotten[at] ?? 0) ^ 1
    if (decodeRecord(keys, rotten) !== null) taken++
    if (decodeRecord(keys, bytes.subarray(0, at)) !== null) taken++
  }
  t.equal(taken, 0)
})
