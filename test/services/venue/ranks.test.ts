/** Who should lead: tables. */
import t from 'tap'
import {
  byClaim,
  byFitness,
  byParty,
  type Candidate,
  epochAfter,
  type Leader,
  markOf,
} from '../../../runtime/services/venue/ranks.js'

const candidate = (box: string, more: Partial<Candidate> = {}): Candidate => ({
  box,
  head: { epoch: 5, position: 10 },
  isKeeping: true,
  isPreferred: false,
  ...more,
})
const leader = (box: string, more: Partial<Leader> = {}): Leader => ({
  box,
  party: 2,
  isPreferred: false,
  epoch: 7,
  canLead: true,
  ...more,
})

t.test(
  'who knows most goes on, then whose disk works, then who is preferred, then who comes first by name',
  async t => {
    const cases: readonly (readonly [Candidate, Candidate])[] = [
      [candidate('b', { head: { epoch: 6, position: 1 } }), candidate('a', { isPreferred: true })],
      [candidate('b', { head: { epoch: 5, position: 11 } }), candidate('a', { isPreferred: true })],
      [candidate('b'), candidate('a', { isKeeping: false, isPreferred: true })],
      [candidate('b', { isPreferred: true }), candidate('a')],
      [candidate('a'), candidate('b')],
    ]
    for (const [first, second] of cases) {
      t.ok(byClaim(first, second) < 0)
      t.ok(byClaim(second, first) > 0)
    }
  },
)

t.test('a box that may lead is fitter than one whose disk works', async t => {
  const fitness = [
    { canLead: true, isKeeping: true },
    { canLead: true, isKeeping: false },
    { canLead: false, isKeeping: true },
    { canLead: false, isKeeping: false },
  ]
  t.same([...fitness].reverse().sort(byFitness), fitness)
  for (const one of fitness) t.equal(byFitness(one, one), 0)
})

t.test(
  'of two leaders that meet, who leads more goes on, then the preferred, then the newer',
  async t => {
    const cases: readonly (readonly [Leader, Leader])[] = [
      [leader('b'), leader('a', { canLead: false, party: 9 })],
      [leader('b', { party: 3 }), leader('a', { isPreferred: true, epoch: 9 })],
      [leader('b', { isPreferred: true }), leader('a', { epoch: 9 })],
      [leader('b', { epoch: 8 }), leader('a')],
    ]
    for (const [first, second] of cases) {
      t.ok(byParty(first, second) < 0)
      t.ok(byParty(second, first) > 0)
    }
  },
)

t.test('a reign is later than all that were seen, and belongs to one box', async t => {
  const reigns = new Set<number>()
  for (const box of ['box-1', 'box-2', 'box-3', 'till', 'door'])
    for (const seen of [0, 1, 2 ** 20, 5 * 2 ** 20 + 77]) {
      const epoch = epochAfter(seen, box)
      t.ok(epoch > seen)
      t.equal(epoch % 2 ** 20, markOf(box))
      reigns.add(epoch)
      t.ok(Number.isSafeInteger(epochAfter(epoch, box)))
    }
  t.equal(reigns.size, 5 * 3, 'the first two of each are one')
})
