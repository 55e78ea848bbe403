import t from 'tap'
import {
  type Candidate,
  type ElectionState,
  elect,
  newElection,
  SETTLE_MS,
  STALL_MS,
  STEP_MS,
  stallMs,
} from '../../../ota/fetch/election.js'

const candidate = (box: string, claim: number, more: Partial<Candidate> = {}): Candidate => ({
  box,
  rank: box,
  isWanting: true,
  mayUseUplink: true,
  claim,
  gainedMs: 0,
  ...more,
})
const own = (box: string, more: Partial<Candidate> = {}): Omit<Candidate, 'claim'> =>
  candidate(box, 0, more)
const held = (claim: number): ElectionState => ({ claim, vacantSinceMs: null, highestTerm: claim })
const vacant: ElectionState = { claim: 0, vacantSinceMs: 0, highestTerm: 0 }

t.test('a claim begins when it is due, in the order of ranks', async t => {
  const after = (box: string, others: readonly Candidate[], nowMs: number): number =>
    elect(vacant, { nowMs, own: own(box), others }).claim
  t.equal(
    elect(newElection, { nowMs: 9e9, own: own('a'), others: [] }).claim,
    0,
    'who has just come',
  )
  t.equal(after('a', [candidate('b', 0)], SETTLE_MS - 1), 0)
  t.equal(after('a', [candidate('b', 0)], SETTLE_MS), 1)
  t.equal(after('b', [candidate('a', 0)], SETTLE_MS + STEP_MS - 1), 0)
  t.equal(after('b', [candidate('a', 0)], SETTLE_MS + STEP_MS), 1)
  t.equal(after('b', [candidate('a', 0, { mayUseUplink: false })], SETTLE_MS), 1)
  t.equal(after('b', [candidate('a', 0, { isWanting: false })], SETTLE_MS), 1)
})

const cases: readonly [
  what: string,
  state: ElectionState,
  own: Omit<Candidate, 'claim'>,
  others: readonly Candidate[],
  nowMs: number,
  claim: number,
][] = [
  ['nobody claims while another does', vacant, own('a'), [candidate('b', 1)], 20_000, 0],
  ['the higher term wins', held(1), own('a'), [candidate('b', 2)], 0, 0],
  ['the lower term yields to nobody', held(3), own('b'), [candidate('a', 2)], 0, 3],
  ['of equal terms the lower rank wins', held(2), own('a'), [candidate('b', 2)], 0, 2],
  ['and the higher yields', held(2), own('b'), [candidate('a', 2)], 0, 0],
  ['a stalled claim is void', vacant, own('b'), [candidate('a', 1)], STALL_MS + 1, 2],
  ['one that is not yet is not', vacant, own('b'), [candidate('a', 1)], STALL_MS, 0],
  ['a later term has longer', vacant, own('b'), [candidate('a', 2)], STALL_MS + 1, 0],
  ['who must not use its uplink lets go', held(1), own('a', { mayUseUplink: false }), [], 0, 0],
  [
    'a claim of who may not is void',
    vacant,
    own('b'),
    [candidate('a', 1, { mayUseUplink: false })],
    20_000,
    2,
  ],
  ['who has all of it claims nothing', held(4), own('a', { isWanting: false }), [], 0, 0],
]

t.test('claims that meet end as one', async t => {
  for (const [what, state, self, others, nowMs, claim] of cases)
    t.equal(elect(state, { nowMs, own: self, others }).claim, claim, what)
})

t.test('the time to stall doubles, and not for ever', async t => {
  t.same(
    [0, 1, 2, 3, 5, 9].map(claim => stallMs(claim) / STALL_MS),
    [1, 1, 2, 4, 4, 4],
  )
})
