import t from 'tap'
import { changesBuffer, Outcome, PlannedChanges } from '../../../drivers/linux/firing-changes.js'
import type { Ticket } from '../../../drivers/linux/planned-slots.js'
import { monotonicMs } from '../../../runtime/core/time.js'

function bench(slotCount: number) {
  const changes = new PlannedChanges(changesBuffer(slotCount))
  /** The other thread's view of the same memory. */
  const other = new PlannedChanges(changes.buffer)
  let order = 0
  const plan = (slot: number, at: number, isActive = true): Ticket =>
    changes.plan(slot, { line: slot % 3, isActive, at: monotonicMs(at) }, order++)
  return { changes, other, plan }
}

t.test('the other thread sees the earliest change first, and of equals the first one', async t => {
  const { other, plan } = bench(8)
  plan(3, 30)
  plan(0, 20)
  plan(5, 10)
  plan(1, 10)
  const order: number[] = []
  for (let next = other.earliest(); next; next = other.earliest()) {
    order.push(next.slot)
    t.not(other.take(next), null)
    other.finish(next, Outcome.fired, 0)
  }
  t.same(order, [5, 1, 0, 3])
})

t.test('a change that is taken can no longer be cancelled', async t => {
  const { changes, other, plan } = bench(2)
  const ticket = plan(1, 10, false)
  t.same(other.take(ticket), { line: 1, isActive: false })
  t.equal(changes.cancel(ticket), false)
  t.equal(other.take(ticket), null, 'nor taken twice')
})

t.test('a change that is cancelled can no longer be taken', async t => {
  const { changes, other, plan } = bench(2)
  const ticket = plan(0, 10)
  const seen = other.earliest()
  t.equal(changes.cancel(ticket), true)
  t.equal(seen && other.take(seen), null)
  t.equal(other.earliest(), null)
  t.equal(changes.cancel(ticket), false, 'nor cancelled twice')
})

t.test('a slot that was used again is another change', async t => {
  const { changes, other, plan } = bench(1)
  const first = plan(0, 10)
  changes.cancel(first)
  const second = plan(0, 99)
  t.equal(other.take(first), null)
  t.equal(changes.cancel(first), false)
  t.equal(other.earliest()?.at, 99)
  t.not(other.take(second), null)
})

t.test('how a change ended is read once, and frees its slot', async t => {
  const { changes, other, plan } = bench(1)
  const ticket = plan(0, 10)
  t.equal(changes.isOver(ticket), false)
  other.take(ticket)
  t.equal(changes.isOver(ticket), false)
  other.finish(ticket, Outcome.failed, 12.5)
  t.equal(changes.isOver(ticket), true)
  t.same(changes.collect(ticket), { outcome: Outcome.failed, firedMs: 12.5 })
  t.equal(changes.isOver(ticket), false)
  t.throws(() => changes.collect(ticket))
  plan(0, 20)
  t.throws(() => plan(0, 30), 'a slot in use is not planned over')
})

t.test('who waits for a taken change goes on as soon as it is over', async t => {
  const { changes, other, plan } = bench(1)
  const ticket = plan(0, 10)
  t.equal(changes.waitWhileTaken(ticket, 0), true, 'nobody has taken it')
  other.take(ticket)
  t.equal(changes.waitWhileTaken(ticket, 1), false)
  other.finish(ticket, Outcome.fired, 1)
  t.equal(changes.waitWhileTaken(ticket, 1000), true)
})

t.test('sequence numbers may wrap around', async t => {
  const { changes, other } = bench(1)
  const words = new Int32Array(changes.buffer, 24, 1)
  words[0] = -4
  const ticket = changes.plan(0, { line: 0, isActive: true, at: monotonicMs(1) }, 0)
  t.equal(ticket.word, 1)
  t.not(other.take(ticket), null)
})
