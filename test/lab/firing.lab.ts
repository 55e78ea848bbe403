/** The firing thread and the edges thread on a real kernel: nothing early, nothing lost, and how late. */
import t from 'tap'
import { Histogram } from '../../runtime/core/histogram.js'
import { randomFrom } from '../../runtime/core/random.js'
import { after } from '../../runtime/core/time.js'
import type { Edge, Fired } from '../../runtime/ports/host.js'
import { contractBoard } from '../ports/lines.contract.js'
import { block, clock, isHigh, offsetOf, pause, pull, startHost, until } from './far-side.js'

const CHANGES = 300
const lampOffset = offsetOf(contractBoard, 'lamp')
const buttonOffset = offsetOf(contractBoard, 'button')

function microseconds(histogram: Histogram): string {
  const { count, p50, p95, p99, max } = histogram.read()
  const [a, b, c, d] = [p50, p95, p99, max].map(ms => Math.round(ms * 1000))
  return `n ${count}, p50 ${a}, p95 ${b}, p99 ${c}, max ${d} microseconds`
}

for (const gpio of ['chardev', 'sysfs'] as const)
  t.test(`planned changes by ${gpio} are never early`, async t => {
    const { host } = await startHost(t, contractBoard, gpio)
    const lamp = host.outputLine('lamp')
    await lamp.open(false)
    const random = randomFrom(4)
    const lateness = new Histogram()
    const fired: Fired[] = []
    let at = after(clock.monotonicMs(), 20)
    for (let change = 0; change < CHANGES; change++) {
      lamp.setAt(change % 2 === 0, at, report => void fired.push(report))
      if (change % 100 === 99) await until(() => fired.length === change + 1)
      at = after(clock.monotonicMs() > at ? clock.monotonicMs() : at, 6 + 8 * random())
    }
    t.equal(fired.length, CHANGES)
    for (const { firedMs, plannedMs } of fired) lateness.add(firedMs - plannedMs)
    t.same(
      fired.filter(({ firedMs, plannedMs }) => firedMs < plannedMs),
      [],
    )
    t.comment(`lateness by ${gpio}: ${microseconds(lateness)}`)
    await lamp.close()
  })

t.test('a main thread that is blocked for a second delays no change', async t => {
  const { host } = await startHost(t, contractBoard, 'chardev')
  const lamp = host.outputLine('lamp')
  await lamp.open(false)
  const fired: Fired[] = []
  const startMs = clock.monotonicMs()
  for (let change = 1; change <= 9; change++)
    lamp.setAt(change % 2 === 1, after(startMs, change * 50), report => void fired.push(report))
  block(1000)
  t.equal(isHigh(lampOffset), true)
  await until(() => fired.length === 9)
  const lateness = new Histogram()
  for (const { firedMs, plannedMs } of fired) lateness.add(firedMs - plannedMs)
  t.equal(fired.length, 9)
  t.same(
    fired.filter(({ source }) => source !== 'firing'),
    [],
  )
  t.ok(lateness.read().max < 400, 'none of them waited for the main thread')
  t.comment(`lateness with a blocked main thread: ${microseconds(lateness)}`)
  await lamp.close()
})

t.test('an edge carries the stamp of the kernel and reaches the listener soon', async t => {
  const { host } = await startHost(t, contractBoard, 'chardev')
  const button = host.inputLine('button', { debounceMs: 0 })
  const lamp = host.outputLine('lamp')
  pull(buttonOffset, false)
  await button.open()
  await lamp.open(false)
  const [heard, lit] = [new Histogram(), new Histogram()]
  const edges: Edge[] = []
  button.onEdge(edge => {
    heard.add(clock.monotonicMs() - edge.at)
    lamp.set(edge.isActive)
    lit.add(clock.monotonicMs() - edge.at)
    edges.push(edge)
  })
  for (let press = 0; press < 200; press++) {
    pull(buttonOffset, press % 2 === 0)
    await until(() => edges.length > press)
  }
  t.equal(edges.length, 200)
  t.same(
    edges.filter(({ source }) => source !== 'kernel'),
    [],
  )
  t.comment(`kernel stamp to listener: ${microseconds(heard)}`)
  t.comment(`kernel stamp to a lamp that follows the button: ${microseconds(lit)}`)
  await button.close()
  await lamp.close()
})

t.test(
  'edges that come faster than they are taken are counted, and the state stays right',
  async t => {
    const { host, log } = await startHost(t, contractBoard, 'chardev')
    const button = host.inputLine('button', { debounceMs: 0 })
    pull(buttonOffset, false)
    await button.open()
    let heard = 0
    button.onEdge(() => void heard++)
    // More than the edges thread may hold (1024) and the kernel keeps for a line (64), while nobody takes any.
    for (let change = 0; change <= 1400; change++) {
      pull(buttonOffset, change % 2 === 0)
      block(1.2)
    }
    await until(() => log.events().includes('line.edges-lost'))
    await pause(50)
    t.ok(log.events('warn').includes('line.edges-lost'))
    t.ok(heard > 1000 && heard < 1400, `${heard} were heard`)
    t.equal(button.isActive(), true)
    t.equal(isHigh(buttonOffset), true)
    pull(buttonOffset, false)
    await until(() => !button.isActive())
    t.equal(button.isActive(), false)
    await button.close()
  },
)

t.test('a pull resistor holds an open input', async t => {
  const line = contractBoard.lines.find(({ name }) => name === 'button')
  if (line === undefined) throw new Error('the contract board has a button')
  const states: boolean[] = []
  for (const bias of ['pull-up', 'pull-down'] as const) {
    const board = { ...contractBoard, lines: [{ ...line, bias }] }
    const { host } = await startHost(t, board, 'chardev')
    const button = host.inputLine('button', { debounceMs: 0 })
    await button.open()
    states.push(button.isActive())
    await button.close()
    await host.stop()
  }
  t.same(states, [true, false])
})

t.test('a pull resistor that sysfs cannot switch on is missed aloud', async t => {
  const lines = contractBoard.lines.map(line => ({ ...line, bias: 'pull-up' as const }))
  const { host, log } = await startHost(t, { ...contractBoard, lines }, 'sysfs')
  const button = host.inputLine('button', { debounceMs: 0 })
  await button.open()
  t.match(log.lines.at(-1), { event: 'gpio.no-bias', facts: { line: 'button', bias: 'pull-up' } })
  await button.close()
})
