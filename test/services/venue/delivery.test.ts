/** How long messages take, and what follows for the lead. */
import t from 'tap'
import { Delivery, leadMsOf } from '../../../runtime/services/venue/delivery.js'

/** Beats every 100 ms, each taking `wayMs`; null for one that is lost. */
function after(waysMs: readonly (number | null)[], apartMs = 0): Delivery {
  const delivery = new Delivery()
  for (const [count, wayMs] of waysMs.entries())
    if (wayMs !== null) delivery.note(count, count * 100, count * 100 + wayMs + apartMs)
  return delivery
}

t.test('what takes long once in a hundred times is not yet what takes long', async t => {
  const ways = Array.from({ length: 300 }, (_, count) => (count % 150 === 149 ? 80 : 2))
  t.equal(after(ways).p99Ms, 2)
  t.equal(after(ways.map((way, count) => (count % 50 === 49 ? 80 : way))).p99Ms, 80)
})

t.test('a lost beat counts as what the last repetition of an entry would have taken', async t => {
  const ways = Array.from({ length: 300 }, (_, count) => (count % 10 === 9 ? null : 2))
  t.equal(after(ways).p99Ms, 32)
})

t.test('a beat that was overtaken is not lost', async t => {
  const delivery = new Delivery()
  for (let count = 0; count < 200; count += 2) {
    delivery.note(count + 1, count * 100, count * 100 + 3)
    delivery.note(count, count * 100, count * 100 + 5)
  }
  t.equal(delivery.p99Ms, 5)
})

t.test('clocks that are apart are told from a network that is slow', async t => {
  t.equal(after([3, 2, 4, 40, 3, 2]).apartMs, 0)
  t.equal(after([3, 2, 4, 40, 3, 2], 500).apartMs, 502)
  t.equal(after([3, 2, 4, 3, 2], -500).apartMs, -498)
  t.equal(after([3, 2, 4, 3, 2], -500).p99Ms < 600, true)
})

t.test('what was read all at once, after a stand-still, says nothing of the clocks', async t => {
  const delivery = new Delivery()
  for (let count = 0; count < 10; count++) delivery.note(count, count * 100, 2_000 + count * 0.1)
  t.equal(delivery.apartMs, 0)
})

t.test(
  'the lead is half as much again as the slowest box needs, and something to spare',
  async t => {
    t.equal(leadMsOf([]), 0, 'nobody has to hear of it')
    t.equal(leadMsOf([1, 2]), 20)
    t.equal(leadMsOf([1, 40]), 70)
    t.equal(leadMsOf([5_000]), 500)
  },
)
