import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { Asking } from '../../../ota/process/asking.js'
import { BoxError } from '../../../runtime/core/errors.js'

t.test('a disk that takes no socket is tried again, and stops no updater', async t => {
  const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  const log = new SimulatedLog()
  const world = { isFull: true, tries: 0, closed: 0 }
  const door = {
    open: async () => {
      world.tries++
      if (world.isFull) throw new BoxError('storage.io', 'there can be no socket')
    },
    close: async () => void world.closed++,
  }
  const asking = new Asking({ clock, log, door, answer: async () => '' })
  await asking.start()
  t.same(log.events(), ['ota.unasked'])
  await clock.advance(60_000)
  t.ok(world.tries > 3)
  t.same(log.events(), ['ota.unasked'], 'and told once')
  world.isFull = false
  await clock.advance(10_000)
  const { tries } = world
  await clock.advance(60_000)
  t.equal(world.tries, tries, 'once open, it is not opened again')
  await asking.stop()
  t.equal(world.closed, 1)
})
