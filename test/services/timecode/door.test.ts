import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import type { Door } from '../../../runtime/core/door.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { after } from '../../../runtime/core/time.js'
import { doorTo } from '../../../runtime/services/timecode/door.js'

/** What can be opened, and is gone again after a while: a recorder that starts and finds no card. */
function bench(lastsMs: number) {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  let opened = 0
  const door: Door = doorTo(clock, log, 'ltc', {
    async open() {
      opened++
      clock.runAt(after(clock.monotonicMs(), lastsMs), () =>
        door.lose(new DeviceError('device.io', 'no such card')),
      )
    },
    async close() {},
  })
  return { clock, log, door, opened: () => opened }
}

t.test('what opens and is lost at once is opened ever more rarely, and told of once', async t => {
  const { clock, log, door, opened } = bench(50)
  door.open()
  await clock.advance(600_000)
  t.ok(opened() > 20 && opened() < 60, `opened ${opened()} times in ten minutes`)
  t.same(log.events(), ['timecode.link-lost'])
  await door.close()
})

t.test('what was open for a while is opened soon, and told of each time', async t => {
  const { clock, log, door, opened } = bench(20_000)
  door.open()
  await clock.advance(20_500)
  t.equal(opened(), 1)
  t.equal(door.trouble, 'no such card')
  await clock.advance(1_000)
  t.equal(opened(), 2)
  t.equal(door.trouble, null)
  await clock.advance(21_000)
  t.equal(opened(), 3)
  t.same(log.events(), ['timecode.link-lost', 'timecode.link-lost'])
  await door.close()
})
