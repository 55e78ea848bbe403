import t from 'tap'
import type { LineEvent } from '../../../drivers/linux/gpio-uapi.js'
import { InputTracker, lostBefore } from '../../../drivers/linux/input-tracker.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { monotonicMs } from '../../../runtime/core/time.js'

function bench({ isActive }: { isActive: boolean }) {
  const level: { isActive: boolean; fault: Error | null } = { isActive, fault: null }
  const readLevel = (): boolean => {
    if (level.fault) throw level.fault
    return level.isActive
  }
  const heard: string[] = []
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const tracker = new InputTracker(clock, readLevel, {
    changed: edge => void heard.push(`${edge.isActive} ${edge.source} ${edge.at}`),
    lost: count => void heard.push(`lost ${count}`),
    gone: fault => void heard.push(`gone: ${fault.message}`),
  })
  tracker.start()
  return { level, heard, tracker }
}

const event = (isActive: boolean, seqno: number): LineEvent => ({
  isActive,
  at: monotonicMs(seqno * 10),
  seqno,
})

t.test('each change is passed on with the moment that the kernel gave it', async t => {
  const { heard, tracker } = bench({ isActive: false })
  tracker.take([event(true, 1), event(false, 2)])
  tracker.take([event(true, 3)])
  t.same(heard, ['true kernel 10', 'false kernel 20', 'true kernel 30'])
})

t.test('an event that repeats the state is no change', async t => {
  const { heard, tracker } = bench({ isActive: true })
  tracker.take([event(true, 1), event(false, 2), event(false, 3)])
  t.same(heard, ['false kernel 20'])
})

t.test('after lost events the line is asked, so that no button stays pressed for ever', async t => {
  const { level, heard, tracker } = bench({ isActive: false })
  tracker.take([event(true, 1)])
  level.isActive = false
  tracker.take([event(true, 4)])
  t.same(heard, ['true kernel 10', 'lost 2', 'false program 0'])
})

t.test('lost events that left the state as it is are only counted', async t => {
  const { level, heard, tracker } = bench({ isActive: false })
  level.isActive = true
  tracker.take([event(false, 70), event(true, 71)])
  t.same(heard, ['true kernel 710', 'lost 69'])
})

t.test('a chip that is gone when the line is asked is told of, and is no crash', async t => {
  const { level, heard, tracker } = bench({ isActive: false })
  level.fault = new DeviceError('device.absent', 'reading go: ENODEV')
  tracker.take([event(true, 1), event(false, 4)])
  t.same(heard, ['true kernel 10', 'false kernel 40', 'lost 2', 'gone: reading go: ENODEV'])
})

t.test('what is no failure of the line is a bug', async t => {
  const { level, tracker } = bench({ isActive: false })
  level.fault = new TypeError('a bug')
  t.throws(() => tracker.take([event(true, 4)]), TypeError)
})

t.test('the numbers of events wrap around', async t => {
  t.equal(lostBefore(1, 0), 0)
  t.equal(lostBefore(5, 2), 2)
  t.equal(lostBefore(0, 0xffff_ffff), 0)
  t.equal(lostBefore(2, 0xffff_ffff), 2)
})
