import t from 'tap'
import { Button } from '../../drivers/button.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Signal } from '../../runtime/core/signal.js'
import { monotonicMs } from '../../runtime/core/time.js'
import type { Edge, InputLine } from '../../runtime/ports/host.js'
import { type Bench, makeBench } from './bench.js'

const PRESSED = false
const RELEASED = true

function makeButton(
  { host, clock }: Bench,
  options: {
    debounceMs?: number
    settleMs?: number
    holdOffMs?: number
    longPressMs?: number
  } = {},
): { button: Button; heard: string[]; faults: Error[] } {
  const { debounceMs = 0, settleMs = 0, holdOffMs = 0, longPressMs = 0 } = options
  const line = host.inputLine('go-button', { debounceMs })
  const button = new Button(line, clock, { name: 'go', settleMs, holdOffMs, longPressMs })
  const heard: string[] = []
  const faults: Error[] = []
  button.onEvent(({ kind, at, source }) => void heard.push(`${kind} ${at} ${source}`))
  button.onFault(fault => void faults.push(fault))
  return { button, heard, faults }
}

async function play(bench: Bench, moves: readonly (readonly [ms: number, isHigh: boolean])[]) {
  for (const [atMs, isHigh] of moves) {
    await bench.clock.advance(atMs - bench.clock.monotonicMs())
    bench.host.drive('go-button', isHigh)
  }
  await bench.clock.advance(5000)
}

t.test('hears press and release with the stamps of the kernel', async t => {
  const bench = makeBench()
  const { button, heard } = makeButton(bench)
  await button.start()
  await play(bench, [
    [100, PRESSED],
    [180, RELEASED],
  ])
  t.same(heard, ['press 100 kernel', 'release 180 kernel'])
})

t.test('a bouncing contact is one press, stamped at the end of the quiet time', async t => {
  const bench = makeBench()
  const { button, heard } = makeButton(bench, { debounceMs: 10 })
  await button.start()
  await play(bench, [
    [100, PRESSED],
    [102, RELEASED],
    [103, PRESSED],
    [107, RELEASED],
    [108, PRESSED],
    [300, RELEASED],
  ])
  t.same(heard, ['press 118 kernel', 'release 310 kernel'])
})

t.test(
  'the first change of a bouncing contact counts, and the rest of the bouncing does not',
  async t => {
    const bench = makeBench()
    const { button, heard } = makeButton(bench, { debounceMs: 1, settleMs: 20 })
    await button.start()
    await play(bench, [
      [100, PRESSED],
      [102, RELEASED],
      [105, PRESSED],
      [109, RELEASED],
      [111, PRESSED],
      [300, RELEASED],
      [304, PRESSED],
      [308, RELEASED],
    ])
    t.same(heard, ['press 101 kernel', 'release 301 kernel'])
  },
)

t.test('a spike on the cable is no press', async t => {
  const bench = makeBench()
  const { button, heard } = makeButton(bench, { debounceMs: 1, settleMs: 20 })
  await button.start()
  await play(bench, [
    [100, PRESSED],
    [100.9, RELEASED],
  ])
  t.same(heard, [])
})

t.test('a contact that was let go while it settled is released when it has', async t => {
  const bench = makeBench()
  const { button, heard } = makeButton(bench, { settleMs: 20 })
  await button.start()
  await play(bench, [
    [100, PRESSED],
    [110, RELEASED],
    [145, PRESSED],
    [146, RELEASED],
  ])
  t.same(heard, [
    'press 100 kernel',
    'release 120 program',
    'press 145 kernel',
    'release 165 program',
  ])
})

t.test('a change that is heard of only after the contact had settled is not lost', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const edges = new Signal<Edge>()
  let isActive = false
  const line: InputLine = {
    name: 'go-button',
    open: async () => {},
    // As on a real line: what was not heard of yet is not known.
    isActive: () => isActive,
    onEdge: listener => edges.listen(listener),
    close: async () => {},
  }
  const tell = (isDown: boolean, atMs: number): void => {
    isActive = isDown
    edges.emit({ isActive: isDown, at: monotonicMs(atMs), source: 'kernel' })
  }
  const button = new Button(line, clock, { name: 'go', settleMs: 20, holdOffMs: 0, longPressMs: 0 })
  const heard: string[] = []
  button.onEvent(({ kind, at }) => void heard.push(`${kind} ${at}`))
  await button.start()
  tell(true, 0)
  await clock.advance(100)
  tell(false, 15)
  t.same(heard, ['press 0', 'release 15'])
})

t.test('a press that is held is reported as long, once', async t => {
  const bench = makeBench()
  const { button, heard } = makeButton(bench, { longPressMs: 1000 })
  await button.start()
  await play(bench, [
    [100, PRESSED],
    [3100, RELEASED],
    [3200, PRESSED],
    [4199, RELEASED],
  ])
  t.same(heard, [
    'press 100 kernel',
    'long-press 1100 program',
    'release 3100 kernel',
    'press 3200 kernel',
    'release 4199 kernel',
  ])
})

t.test('presses within the hold-off are ignored, with their releases', async t => {
  const bench = makeBench()
  const { button, heard } = makeButton(bench, { holdOffMs: 200 })
  await button.start()
  await play(bench, [
    [100, PRESSED],
    [120, RELEASED],
    [299, PRESSED],
    [310, RELEASED],
    [311, PRESSED],
    [320, RELEASED],
  ])
  t.same(heard, [
    'press 100 kernel',
    'release 120 kernel',
    'press 311 kernel',
    'release 320 kernel',
  ])
})

t.test('a button that is down at the start says nothing until it is pressed again', async t => {
  const bench = makeBench()
  bench.host.drive('go-button', PRESSED)
  const { button, heard } = makeButton(bench, { longPressMs: 500 })
  await button.start()
  t.equal(button.isActive(), true)
  await play(bench, [
    [1000, RELEASED],
    [1100, PRESSED],
  ])
  t.same(heard, ['press 1100 kernel', 'long-press 1600 program'])
})

t.test('a stopped button is silent, may be stopped twice and started again', async t => {
  const bench = makeBench()
  const { button, heard } = makeButton(bench, { longPressMs: 500 })
  await button.start()
  bench.host.drive('go-button', PRESSED)
  await button.stop()
  await button.stop()
  t.equal(button.isActive(), false)
  await play(bench, [[100, RELEASED]])
  t.same(heard, ['press 0 kernel'])
  await button.start()
  bench.host.drive('go-button', PRESSED)
  t.same(heard, ['press 0 kernel', 'press 5100 kernel'])
})

t.test('a line that goes away is one fault within a second, not a crash', async t => {
  const bench = makeBench()
  const { button, faults } = makeButton(bench)
  await button.start()
  bench.host.wire('go-button').fault = 'device.absent'
  await bench.clock.advance(1000)
  t.match(faults, [{ code: 'device.absent' }])
  t.equal(button.isActive(), false)
  await bench.clock.advance(10_000)
  t.equal(faults.length, 1)
})

t.test('a line that is in use by somebody else fails the start', async t => {
  const bench = makeBench()
  await bench.host.inputLine('go-button', { debounceMs: 0 }).open()
  const { button } = makeButton(bench)
  await t.rejects(button.start(), { code: 'device.busy' })
  await button.stop()
})
