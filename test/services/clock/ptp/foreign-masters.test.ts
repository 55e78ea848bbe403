import t from 'tap'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { ForeignMasters } from '../../../../runtime/services/clock/ptp/foreign-masters.js'
import type { Announce } from '../../../../runtime/services/clock/ptp/message.js'
import { announce, HIGHER, LOWER, OWN } from './port-rig.js'

const masters = (): ForeignMasters =>
  new ForeignMasters({
    receiver: { clock: OWN, port: 1 },
    announceIntervalMs: 1000,
    announceReceiptTimeout: 3,
  })

const hear = (to: ForeignMasters, message: Announce, atMs: number): boolean =>
  to.hear(message, monotonicMs(atMs), '10.0.0.1', null)

t.test('a master counts once it was heard twice within four intervals', async t => {
  const near = masters()
  hear(near, announce(LOWER, 1), 0)
  t.equal(near.best(), null)
  hear(near, announce(LOWER, 2), 4000)
  t.equal(near.best()?.announce.grandmaster.identity, LOWER)
  const far = masters()
  hear(far, announce(LOWER, 1), 0)
  hear(far, announce(LOWER, 2), 4001)
  t.equal(far.best(), null)
})

t.test('the same message twice, or one overtaken, does not make a master count', async t => {
  const some = masters()
  t.ok(hear(some, announce(LOWER, 7), 0))
  t.notOk(hear(some, announce(LOWER, 7), 10))
  t.notOk(hear(some, announce(LOWER, 6), 20))
  t.equal(some.best(), null)
  t.ok(hear(some, announce(LOWER, 0xf000), 30), 'far behind: it has started again')
  t.ok(hear(some, announce(LOWER, 0xffff), 40))
  t.ok(hear(some, announce(LOWER, 0), 50), 'the count goes round')
})

t.test('a loop, and what is too far from its root, is not heard', async t => {
  const some = masters()
  t.notOk(hear(some, announce(LOWER, 1, { grandmaster: { identity: OWN } }), 0))
  t.notOk(hear(some, announce(LOWER, 2, { stepsRemoved: 255 }), 0))
  t.ok(hear(some, announce(LOWER, 3, { stepsRemoved: 254 }), 0))
})

t.test('who has fallen silent is forgotten, the parent after its own time-out', async t => {
  const some = masters()
  const parent = { clock: HIGHER, port: 1 }
  for (const sequenceId of [1, 2]) {
    hear(some, announce(LOWER, sequenceId), sequenceId)
    hear(some, announce(HIGHER, sequenceId), sequenceId)
  }
  t.equal(some.nextExpiry(parent), 3002)
  some.expire(monotonicMs(3001), parent)
  t.equal(some.size, 2)
  some.expire(monotonicMs(3002), parent)
  t.equal(some.size, 1)
  t.equal(some.best()?.announce.grandmaster.identity, LOWER)
  some.expire(monotonicMs(4002), parent)
  t.equal(some.size, 0)
})

t.test('a master that announces slowly is given its own interval', async t => {
  const some = masters()
  const slow = announce(LOWER, 1)
  hear(some, { ...slow, header: { ...slow.header, logInterval: 1 } }, 0)
  t.equal(some.nextExpiry({ clock: LOWER, port: 1 }), 6000)
  const absurd = announce(HIGHER, 1)
  hear(some, { ...absurd, header: { ...absurd.header, logInterval: 120 } }, 0)
  t.equal(some.nextExpiry({ clock: HIGHER, port: 1 }), 3000)
})

t.test(
  'in a storm of ten thousand masters the list stays short, and keeps the parent and the best',
  async t => {
    const some = masters()
    const parent = { clock: HIGHER, port: 1 }
    const storm = (from: number, to: number, atMs: number, changes: object): void => {
      for (let count = from; count < to; count++)
        for (const sequenceId of [1, 2]) {
          const clock = count.toString(16).padStart(16, 'a')
          some.hear(announce(clock, sequenceId, changes), monotonicMs(atMs), '10.6.6.6', parent)
        }
    }
    for (const sequenceId of [1, 2])
      some.hear(announce(HIGHER, sequenceId), monotonicMs(0), '10.0.0.9', parent)
    storm(0, 5000, 10, { grandmaster: { clockClass: 200 } })
    t.ok(some.size <= 32)
    const best = { grandmaster: { clockClass: 13 } }
    for (const sequenceId of [1, 2])
      some.hear(announce(LOWER, sequenceId, best), monotonicMs(11), '10.0.0.1', parent)
    storm(5000, 10_000, 12, { grandmaster: { clockClass: 100 } })
    t.ok(some.size <= 32)
    t.equal(some.best()?.announce.grandmaster.identity, LOWER)
    t.equal(some.nextExpiry(parent), 3000, 'the parent is still among them')
  },
)

t.test('a grandmaster that is not believed is not heard, until then', async t => {
  const some = masters()
  hear(some, announce(LOWER, 1), 0)
  hear(some, announce(LOWER, 2), 1)
  some.distrust(LOWER, monotonicMs(1000))
  t.equal(some.best(), null)
  t.notOk(hear(some, announce(LOWER, 3), 999))
  t.ok(hear(some, announce(LOWER, 4), 1000))
})

t.test('no more than a bounded number of grandmasters is remembered as not believed', async t => {
  const some = masters()
  for (let count = 0; count < 1000; count++)
    some.distrust(count.toString(16).padStart(16, '0'), monotonicMs(1e9))
  t.ok(hear(some, announce('0'.padStart(16, '0'), 1), 0), 'the first is forgotten')
  t.notOk(hear(some, announce((999).toString(16).padStart(16, '0'), 1), 0))
})
