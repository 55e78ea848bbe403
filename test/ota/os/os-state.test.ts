import t from 'tap'
import {
  beginTrial,
  beginWrite,
  clear,
  fail,
  finishWrite,
  isTrial,
  markGood,
  nothingKnown,
  OS_ATTEMPTS_MAX,
  type OsFacts,
  type OsState,
  settle,
  wayBackOs,
  whyNotGood,
  whyNotTry,
  whyNotWrite,
} from '../../../ota/os/os-state.js'
import { smallOs } from './os-world.js'

const { image } = smallOs('1.1.0', '1.0.5')
const old = smallOs('1.0.0').image
const facts = (running: 'a' | 'b', usual: 'a' | 'b', boot: number): OsFacts => ({
  running,
  usual,
  bootId: `boot-${boot}`,
})
const home = facts('a', 'a', 1)
const flashed = settle(nothingKnown, home)
const written = finishWrite(beginWrite(flashed, home, image), 'b')
const asked = beginTrial(written, home, false)
const trialBoot = facts('b', 'a', 2)

t.test('what a card was flashed with is good, and has no name', async t => {
  t.same(flashed.slots, { a: { kind: 'good', image: null }, b: { kind: 'unknown' } })
  t.equal(settle(flashed, home), flashed, 'and a second look changes nothing')
})

t.test('a trial is what runs and is left with the next reboot', async t => {
  t.equal(isTrial(asked, trialBoot), true)
  t.equal(isTrial(asked, home), false)
  t.equal(settle(asked, trialBoot), asked)
  t.equal(isTrial(flashed, facts('b', 'a', 2)), true, 'whoever started it')
  t.match(whyNotGood(flashed, facts('b', 'a', 2)), /somebody else/)
})

t.test('only what runs on trial is found good, and only then the floor rises', async t => {
  t.equal(asked.floor, null)
  const good = markGood(asked, trialBoot)
  t.same(good.slots.b, { kind: 'good', image })
  t.equal(good.floor, '1.0.5')
  t.equal(markGood(good, facts('b', 'b', 2)), good, 'twice is once')
  t.equal(markGood(written, home), written, 'what runs at home is good already')
  t.throws(() => markGood(flashed, trialBoot), { code: 'os.refused' })
})

t.test('a cut between the digit and the record is a system that was found good', async t => {
  const good = settle(asked, facts('b', 'b', 3))
  t.same(good.slots.b, { kind: 'good', image })
  t.equal(good.floor, '1.0.5')
})

t.test('a trial that comes back is tried once more, and then refused', async t => {
  let state: OsState = asked
  for (let boot = 3; boot < 3 + OS_ATTEMPTS_MAX - 1; boot++) {
    state = settle(state, facts('a', 'a', boot))
    t.match(state.slots.b, { kind: 'written' })
    state = beginTrial(state, facts('a', 'a', boot), false)
  }
  state = settle(state, facts('a', 'a', 99))
  t.match(state.slots.b, { kind: 'failed', why: /came back 2 times/ })
  t.match(whyNotWrite(state, home, image), /1\.1\.0 failed: it came back/)
})

t.test('a wish in a machine that did not go down was no trial', async t => {
  const same = settle(asked, home)
  t.match(same.slots.b, { kind: 'written', attempts: 0 })
})

t.test(
  'nothing is written or tried while a system is on trial, nor tried beside a release',
  async t => {
    t.match(whyNotWrite(asked, trialBoot, old), /on trial/)
    t.match(whyNotTry(asked, trialBoot, false), /on trial/)
    t.match(whyNotTry(written, home, true), /release of Roadcase is on trial/)
    t.match(whyNotTry(flashed, home, false), /no system is written/)
    t.equal(whyNotTry(written, home, false), null)
  },
)

t.test('below the floor nothing is written, and no way leads back', async t => {
  const good = markGood(asked, trialBoot)
  const after = facts('b', 'b', 3)
  t.match(whyNotWrite(good, after, old), /below 1\.0\.5/)
  t.equal(wayBackOs(good, after), null, 'what was flashed has no version, and there is a floor')
  t.equal(wayBackOs({ ...good, floor: null }, after), 'a')
  t.equal(wayBackOs(asked, trialBoot), 'a', 'out of a trial always')
})

t.test('what failed is refused until a person clears it', async t => {
  const failed = fail(asked, 'b', 'x'.repeat(10_000))
  t.equal(failed.refused.length, 1)
  t.ok((failed.refused[0]?.why.length ?? 0) <= 512)
  t.throws(() => beginWrite(failed, home, image), { code: 'os.refused', message: /failed/ })
  const cleared = clear(failed, image.digest)
  t.same(cleared.refused, [])
  t.same(cleared.slots.b, { kind: 'written', image, attempts: 0 })
  t.same(clear(failed, 'ff').refused, failed.refused)
  const many = Array.from({ length: 64 }, (_, at) => ({
    digest: `${at}`,
    version: '1.0.0',
    why: '',
  }))
  t.match(whyNotWrite({ ...failed, refused: many }, home, image), /clear some/)
})
