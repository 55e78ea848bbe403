import t from 'tap'
import { CaptureTrigger, type CaptureTriggerOptions } from '../../drivers/capture-trigger.js'
import { DeviceError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Capture } from '../../runtime/ports/devices.js'
import type { OutputLine } from '../../runtime/ports/host.js'
import { at, type Bench, changesOf, makeBench } from './bench.js'

const usual: CaptureTriggerOptions = {
  name: 'camera',
  pulseMs: 100,
  focusLeadMs: 400,
  minGapMs: 20,
  lagMs: 0,
  syncWindowMs: 500,
}

interface Camera {
  readonly trigger: CaptureTrigger
  readonly captures: Capture[]
  readonly faults: Error[]
}

function makeCamera(
  { host, clock }: Bench,
  options: Partial<CaptureTriggerOptions> = {},
  wiring: { hasFocus: boolean; hasSync: boolean } = { hasFocus: true, hasSync: false },
): Camera {
  const lines = {
    shutter: host.outputLine('shutter'),
    focus: wiring.hasFocus ? host.outputLine('focus') : null,
    sync: wiring.hasSync ? host.inputLine('sync', { debounceMs: 0 }) : null,
  }
  const trigger = new CaptureTrigger(lines, clock, { ...usual, ...options })
  const captures: Capture[] = []
  const faults: Error[] = []
  trigger.onCapture(capture => void captures.push(capture))
  trigger.onFault(fault => void faults.push(fault))
  return { trigger, captures, faults }
}

/** Its methods as functions, so that a test can put one of its own in the place of one. */
const asObject = (line: OutputLine): OutputLine => ({
  name: line.name,
  open: isActive => line.open(isActive),
  set: isActive => line.set(isActive),
  setAt: (isActive, moment, done) => line.setAt(isActive, moment, done),
  close: () => line.close(),
})

const outcomes = (captures: readonly Capture[]): string[] =>
  captures.map(({ shotId, closedMs, refused }) => `${shotId} ${refused ?? closedMs}`)

t.test('closes focus, then shutter at the moment, and opens both', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench)
  await trigger.start()
  t.equal(trigger.leadMs, 400)
  trigger.capture('a', at(1000))
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'focus'), ['600 high', '1100 low'])
  t.same(changesOf(bench.host, 'shutter'), ['1000 high', '1100 low'])
  t.same(captures, [
    {
      shotId: 'a',
      plannedMs: 1000,
      closedMs: 1000,
      source: 'firing',
      uncertaintyMs: 0.05,
      syncMs: null,
      refused: null,
    },
  ])
})

t.test('fires early by the lag of the camera', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench, { lagMs: 58 })
  await trigger.start()
  t.equal(trigger.leadMs, 458)
  trigger.capture('a', at(1000))
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'focus'), ['542 high', '1042 low'])
  t.same(changesOf(bench.host, 'shutter'), ['942 high', '1042 low'])
  t.match(captures, [{ plannedMs: 942, closedMs: 942 }])
})

t.test('asked for too late, the shutter closes at once and for its full pulse', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench)
  await trigger.start()
  await bench.clock.advance(2000)
  trigger.capture('a', at(1990))
  await bench.clock.advance(1000)
  t.same(changesOf(bench.host, 'shutter'), ['2000 high', '2100 low'])
  t.match(captures, [{ plannedMs: 1990, closedMs: 2000, refused: null }])
})

t.test('a burst keeps its focus and a picture too soon after the last is refused', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench)
  await trigger.start()
  trigger.capture('a', at(1000))
  trigger.capture('b', at(1119))
  trigger.capture('c', at(1120))
  await bench.clock.advance(1110)
  trigger.capture('d', at(1110))
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'shutter'), ['1000 high', '1100 low', '1120 high', '1220 low'])
  t.same(changesOf(bench.host, 'focus'), ['600 high', '1220 low'])
  t.same(outcomes(captures), ['b min-gap', 'a 1000', 'd min-gap', 'c 1120'])
})

t.test('a shot called back in time never closes a contact', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench)
  await trigger.start()
  const cancel = trigger.capture('a', at(1000))
  await bench.clock.advance(100)
  cancel()
  cancel()
  t.same(outcomes(captures), ['a cancelled'])
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'shutter'), [])
  t.same(changesOf(bench.host, 'focus'), [])
  t.equal(captures.length, 1)
})

t.test('a shot called back leaves the next one its full pulse', async t => {
  const bench = makeBench()
  const { trigger } = makeCamera(bench, { focusLeadMs: 0 })
  await trigger.start()
  const cancel = trigger.capture('a', at(1000))
  cancel()
  trigger.capture('b', at(1050))
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'shutter'), ['1050 high', '1150 low'])
  t.same(changesOf(bench.host, 'focus'), ['1050 high', '1150 low'])
})

t.test('a shot called back while focusing lets go of the focus', async t => {
  const bench = makeBench()
  const { trigger } = makeCamera(bench)
  await trigger.start()
  const cancel = trigger.capture('a', at(1000))
  await bench.clock.advance(700)
  cancel()
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'focus'), ['600 high', '700 low'])
  t.same(changesOf(bench.host, 'shutter'), [])
})

t.test('a burst that loses one shot keeps the focus of the other', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench)
  await trigger.start()
  trigger.capture('a', at(1000))
  const cancel = trigger.capture('b', at(1500))
  await bench.clock.advance(700)
  cancel()
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'focus'), ['600 high', '1100 low'])
  t.same(outcomes(captures), ['b cancelled', 'a 1000'])
})

t.test('a shot called back at the last moment is reported when that is known', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench)
  await trigger.start()
  const cancel = trigger.capture('a', at(1000))
  await bench.clock.advance(990)
  cancel()
  t.same(captures, [])
  await bench.clock.advance(5000)
  t.same(outcomes(captures), ['a cancelled'])
  t.equal(bench.host.physical('focus'), false)
  t.equal(bench.host.physical('shutter'), false)
})

t.test('after the picture there is nothing to call back', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench)
  await trigger.start()
  const cancel = trigger.capture('a', at(1000))
  await bench.clock.advance(1050)
  cancel()
  await bench.clock.advance(1000)
  t.same(outcomes(captures), ['a 1000'])
  t.same(changesOf(bench.host, 'shutter'), ['1000 high', '1100 low'])
})

t.test("the camera's sync is stamped and ends the wait", async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench, {}, { hasFocus: false, hasSync: true })
  await trigger.start()
  trigger.capture('a', at(1000))
  await bench.clock.advance(1058)
  t.same(captures, [])
  bench.host.drive('sync', false)
  t.match(captures, [{ shotId: 'a', closedMs: 1000, syncMs: 1058 }])
})

t.test('a camera that does not answer is reported without a sync', async t => {
  const bench = makeBench()
  const { trigger, captures } = makeCamera(bench, {}, { hasFocus: false, hasSync: true })
  await trigger.start()
  bench.host.drive('sync', false)
  bench.host.drive('sync', true)
  await bench.clock.advance(100)
  trigger.capture('a', at(1000))
  await bench.clock.advance(1499)
  t.match(captures, [{ closedMs: 1000, syncMs: null, refused: null }])
  await bench.clock.advance(1000)
  bench.host.drive('sync', false)
  t.equal(captures.length, 1)
})

t.test('in a burst with a lost sync each edge goes to the shot it fits', async t => {
  const bench = makeBench()
  const options = { pulseMs: 10, lagMs: 50, syncWindowMs: 500 }
  const { trigger, captures } = makeCamera(bench, options, { hasFocus: false, hasSync: true })
  await trigger.start()
  trigger.capture('a', at(1000))
  trigger.capture('b', at(1200))
  await bench.clock.advance(1203)
  bench.host.drive('sync', false)
  await bench.clock.advance(1000)
  t.same(
    captures.map(({ shotId, syncMs }) => [shotId, syncMs]),
    [
      ['b', 1203],
      ['a', null],
    ],
  )
})

t.test('contacts left closed by a dead process are open after the start', async t => {
  const bench = makeBench()
  bench.host.wire('shutter').setActive(true)
  bench.host.wire('focus').setActive(true)
  await makeCamera(bench).trigger.start()
  t.equal(bench.host.physical('shutter'), false)
  t.equal(bench.host.physical('focus'), false)
})

t.test('a stop opens both contacts, reports what was planned and may come twice', async t => {
  const bench = makeBench()
  const { trigger, captures, faults } = makeCamera(bench)
  await trigger.start()
  trigger.capture('a', at(1000))
  trigger.capture('b', at(2000))
  await bench.clock.advance(1050)
  t.equal(bench.host.physical('shutter'), true)
  await trigger.stop()
  await trigger.stop()
  t.equal(bench.host.physical('shutter'), false)
  t.equal(bench.host.physical('focus'), false)
  await trigger.start()
  await bench.clock.advance(10_000)
  t.same(outcomes(captures), ['a 1000', 'b cancelled'])
  t.same(changesOf(bench.host, 'shutter'), ['1000 high', '1050 low'])
  t.same(faults, [], 'what a stop dropped is not missed after the next start')
})

t.test('a shutter line that goes away is a fault; its shots and the next are refused', async t => {
  const bench = makeBench()
  const { trigger, captures, faults } = makeCamera(bench)
  await trigger.start()
  trigger.capture('a', at(1000))
  bench.host.wire('shutter').fault = 'device.absent'
  await bench.clock.advance(5000)
  t.match(faults, [{ code: 'device.timeout' }])
  trigger.capture('b', at(6000))
  await bench.clock.advance(5000)
  t.same(outcomes(captures), ['a faulty', 'b faulty'])
  t.equal(bench.host.physical('focus'), false)
  t.equal(faults.length, 1)
})

t.test('a start that fails half-way leaves nothing open', async t => {
  const bench = makeBench()
  bench.host.wire('focus').fault = 'device.denied'
  const { trigger } = makeCamera(bench)
  await t.rejects(trigger.start(), { code: 'device.denied' })
  bench.host.wire('focus').fault = null
  await trigger.start()
})

t.test('a shutter that does not close keeps neither focus nor sync from it', async t => {
  const bench = makeBench()
  const { host, clock } = bench
  const shutter = host.outputLine('shutter')
  const close = (): Promise<void> => Promise.reject(new DeviceError('device.stuck', 'it hangs'))
  const lines = {
    shutter: { ...asObject(shutter), close },
    focus: host.outputLine('focus'),
    sync: host.inputLine('sync', { debounceMs: 0 }),
  }
  const trigger = new CaptureTrigger(lines, clock, usual)
  await trigger.start()
  trigger.capture('a', at(1000))
  await clock.advance(700)
  t.equal(host.physical('focus'), true)
  await t.rejects(trigger.stop(), { code: 'device.stuck' })
  t.equal(host.physical('focus'), false)
  await host.inputLine('sync', { debounceMs: 0 }).open()
})

t.test('a start that fails says why it did, whatever fails after that', async t => {
  const bench = makeBench()
  const { host, clock } = bench
  host.wire('focus').fault = 'device.denied'
  const close = (): Promise<void> => Promise.reject(new DeviceError('device.stuck', 'it hangs'))
  const shutter = { ...asObject(host.outputLine('shutter')), close }
  const lines = { shutter, focus: host.outputLine('focus'), sync: null }
  await t.rejects(new CaptureTrigger(lines, clock, usual).start(), { code: 'device.denied' })
})

t.test('a picture that was taken is no cancelled one, though that is heard late', async t => {
  const bench = makeBench()
  const { host, clock } = bench
  const line = asObject(host.outputLine('shutter'))
  // The change has left for the firing thread, and the report waits behind a stall of the main thread.
  const setAt: OutputLine['setAt'] = (isActive, moment, done) => {
    line.setAt(isActive, moment, fired => void clock.runAt(after(moment, 80), () => done(fired)))
    return () => {}
  }
  const trigger = new CaptureTrigger(
    { shutter: { ...line, setAt }, focus: null, sync: null },
    clock,
    usual,
  )
  const captures: Capture[] = []
  trigger.onCapture(capture => void captures.push(capture))
  await trigger.start()
  const cancel = trigger.capture('a', at(1000))
  await clock.advance(990)
  cancel()
  await clock.advance(1000)
  t.same(outcomes(captures), ['a 1000'])
})

t.test('a hundred shots wait; the next is refused', async t => {
  const bench = makeBench()
  const { trigger, captures, faults } = makeCamera(bench)
  await trigger.start()
  for (let shot = 0; shot < 101; shot++) trigger.capture(`${shot}`, at(10_000 + shot * 1000))
  await bench.clock.advance(1)
  t.same(outcomes(captures), ['100 faulty'])
  await bench.clock.advance(200_000)
  t.equal(captures.filter(({ refused }) => refused === null).length, 100)
  t.same(faults, [])
})
