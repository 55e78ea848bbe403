import t from 'tap'
import { changesBuffer, PlannedChanges } from '../../../drivers/linux/firing-changes.js'
import { FiringLine } from '../../../drivers/linux/firing-line.js'
import { linesBuffer, SharedLines } from '../../../drivers/linux/firing-lines.js'
import { FiringPlans, PLANNED_PER_LINE_MAX } from '../../../drivers/linux/firing-plans.js'
import { FiringSignals, signalsBuffer } from '../../../drivers/linux/firing-signals.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { DeviceError } from '../../../runtime/core/errors.js'

/** A line that nobody but this thread writes to. */
function bench() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const changes = new PlannedChanges(changesBuffer(PLANNED_PER_LINE_MAX))
  const shared = {
    changes,
    lines: new SharedLines(linesBuffer(1)),
    signals: new FiringSignals(signalsBuffer()),
  }
  const wire = { isGone: false, written: '' }
  const write = (_fd: number, _method: string, isActive: boolean): void => {
    if (wire.isGone) throw new DeviceError('device.io', 'setting a line: EIO')
    wire.written += isActive ? '1' : '0'
  }
  const plans = new FiringPlans(clock, changes, { lineCount: 1 })
  const line = new FiringLine(clock, shared, plans, write, {
    name: 'lamp',
    index: 0,
    line: { fd: -1, method: 'file', isSafeActive: false },
  })
  return { clock, wire, line }
}

t.test('what is due is done at once, and reported afterwards', async t => {
  const { clock, wire, line } = bench()
  const fired: string[] = []
  line.setAt(true, clock.monotonicMs(), ({ source }) => void fired.push(source))
  t.equal(wire.written, '1')
  t.same(fired, [], 'not before the caller has its answer')
  await Promise.resolve()
  t.same(fired, ['program'])
})

t.test('changes that could not be made leave no place taken', async t => {
  const { clock, wire, line } = bench()
  const fired: boolean[] = []
  wire.isGone = true
  for (let change = 0; change < 2 * PLANNED_PER_LINE_MAX; change++) {
    const set = (): unknown => line.setAt(true, clock.monotonicMs(), () => void fired.push(true))
    t.throws(set, { code: 'device.io' })
    await Promise.resolve()
  }
  t.same(fired, [], 'what did not happen is not reported')
  wire.isGone = false
  line.setAt(true, clock.monotonicMs(), () => void fired.push(true))
  await Promise.resolve()
  t.same(fired, [true])
})
