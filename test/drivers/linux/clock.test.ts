import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { after, monotonicMs, showTimeMs } from '../../../runtime/core/time.js'

t.test('monotonic time is the scale of the kernel, in fractions of a millisecond', async t => {
  const clock = new LinuxClock(ownAnchor())
  const before = Number(process.hrtime.bigint()) / 1e6
  const read = clock.monotonicMs()
  const afterwards = Number(process.hrtime.bigint()) / 1e6
  t.ok(before <= read && read <= afterwards)
})

t.test('show time is tied to monotonic time at the anchor, and both ways agree', async t => {
  const anchor = { show: showTimeMs(5_000_000), at: monotonicMs(1000), errorMs: 0.25 }
  const clock = new LinuxClock(anchor)
  t.equal(clock.monotonicToShow(monotonicMs(1500.5)), 5_000_500.5)
  t.equal(clock.showToMonotonic(showTimeMs(5_000_500.5)), 1500.5)
  t.equal(clock.showErrorMs(), 0.25)
})

t.test('the timeline of a box alone starts at the wall time and is exact', async t => {
  const clock = new LinuxClock(ownAnchor())
  t.equal(clock.showErrorMs(), 0)
  const differenceMs = clock.showTimeMs() - clock.wallTimeMs()
  t.ok(Math.abs(differenceMs) < 60_000)
})

t.test('no task runs early', async t => {
  const clock = new LinuxClock(ownAnchor())
  const early: number[] = []
  const runs = Array.from({ length: 60 }, (_, index) => {
    const at = after(clock.monotonicMs(), 1 + index * 0.37)
    return new Promise<void>(resolve =>
      clock.runAt(at, () => {
        if (clock.monotonicMs() < at) early.push(index)
        resolve()
      }),
    )
  })
  await Promise.all(runs)
  t.same(early, [])
})

t.test('a task of the past runs soon, but not within the call', async t => {
  const clock = new LinuxClock(ownAnchor())
  let runs = 0
  const isRun = new Promise<void>(resolve =>
    clock.runAt(monotonicMs(0), () => {
      runs++
      resolve()
    }),
  )
  t.equal(runs, 0)
  await isRun
  t.equal(runs, 1)
})

t.test('a cancelled task does not run, and may be cancelled again', async t => {
  const clock = new LinuxClock(ownAnchor())
  let runs = 0
  const cancels = [0, 0.5, 5].map(inMs =>
    clock.runAt(after(clock.monotonicMs(), inMs), () => void runs++),
  )
  for (const cancel of cancels) cancel()
  for (const cancel of cancels) cancel()
  await new Promise<void>(resolve => clock.runAt(after(clock.monotonicMs(), 20), resolve))
  t.equal(runs, 0)
})

t.test('a wait beyond the longest timer of node is no busy one', async t => {
  const clock = new LinuxClock(ownAnchor())
  const warnings: string[] = []
  const warn = (warning: Error): void => void warnings.push(warning.name)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  let runs = 0
  const cancel = clock.runAt(after(clock.monotonicMs(), 2 ** 31 + 1000), () => void runs++)
  await new Promise<void>(resolve => clock.runAt(after(clock.monotonicMs(), 20), resolve))
  cancel()
  t.equal(runs, 0)
  t.same(warnings, [], 'node has not shortened the timer')
})
