/** The firing thread and the edges thread on a real kernel: nothing early, nothing lost, and how late. */
import t, { type Test } from 'tap'
import type { Board, BoardLine } from '../../boards/board.js'
import type { BackendName } from '../../drivers/linux/gpio.js'
import type { LinuxHost } from '../../drivers/linux/host.js'
import { Histogram } from '../../runtime/core/histogram.js'
import { randomFrom } from '../../runtime/core/random.js'
import { after } from '../../runtime/core/time.js'
import type { Edge, Fired } from '../../runtime/ports/host.js'
import { contractBoard } from '../ports/lines.contract.js'
import { block, blockUntil, clock, isHigh, offsetOf, pull, startHost, until } from './far-side.js'

const CHANGES = 300
const lampOffset = offsetOf(contractBoard, 'lamp')
const relayOffset = offsetOf(contractBoard, 'relay')
const buttonOffset = offsetOf(contractBoard, 'button')

/** The button's pin again, with a pull resistor of either kind. */
const pulled = (name: string, bias: BoardLine['bias']): BoardLine[] =>
  contractBoard.lines.filter(line => line.name === 'button').map(line => ({ ...line, name, bias }))

const board: Board = {
  ...contractBoard,
  lines: [...contractBoard.lines, ...pulled('up', 'pull-up'), ...pulled('down', 'pull-down')],
}

function microseconds(histogram: Histogram): string {
  const { count, p50, p95, p99, max } = histogram.read()
  const [a, b, c, d] = [p50, p95, p99, max].map(ms => Math.round(ms * 1000))
  return `n ${count}, p50 ${a}, p95 ${b}, p99 ${c}, max ${d} microseconds`
}

async function firesNeverEarly(t: Test, gpio: BackendName, host: LinuxHost): Promise<void> {
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
}

// One host for each way to the lines: starting one takes longer here than most of what is asked of it.
t.test('firing thread and edges thread', async t => {
  const hosts = {
    chardev: await startHost(t, board, 'chardev'),
    sysfs: await startHost(t, board, 'sysfs'),
  }

  for (const gpio of ['chardev', 'sysfs'] as const)
    t.test(`planned changes by ${gpio} are never early`, async t =>
      firesNeverEarly(t, gpio, hosts[gpio].host),
    )

  t.test('a main thread that is blocked delays no change', async t => {
    const { host } = hosts.chardev
    const [lamp, relay] = [host.outputLine('lamp'), host.outputLine('relay')]
    await lamp.open(false)
    await relay.open(false)
    const fired: Fired[] = []
    const startMs = clock.monotonicMs()
    for (let change = 1; change <= 9; change++)
      lamp.setAt(change % 2 === 1, after(startMs, change * 50), report => void fired.push(report))
    relay.setAt(true, after(startMs, 500), report => void fired.push(report))
    // The relay is active when its line is low.
    blockUntil(() => !isHigh(relayOffset))
    const blockedUntilMs = clock.monotonicMs()
    t.equal(isHigh(relayOffset), false, 'the last of them happened while it was blocked')
    t.equal(isHigh(lampOffset), true)
    t.same(fired, [], 'though nobody could be told yet')
    await until(() => fired.length === 10)
    t.equal(fired.length, 10)
    t.same(
      fired.filter(({ source, firedMs }) => source !== 'firing' || firedMs >= blockedUntilMs),
      [],
      'so did all before it',
    )
    const lateness = new Histogram()
    for (const { firedMs, plannedMs } of fired) lateness.add(firedMs - plannedMs)
    t.comment(`lateness with a blocked main thread: ${microseconds(lateness)}`)
    await lamp.close()
    await relay.close()
  })

  t.test('an edge carries the stamp of the kernel and reaches the listener soon', async t => {
    const { host } = hosts.chardev
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
      const { host, log } = hosts.chardev
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
      await until(() => heard > 1000 && button.isActive())
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
    const states: boolean[] = []
    for (const name of ['up', 'down'] as const) {
      const button = hosts.chardev.host.inputLine(name, { debounceMs: 0 })
      await button.open()
      states.push(button.isActive())
      await button.close()
    }
    t.same(states, [true, false])
  })

  t.test('a pull resistor that sysfs cannot switch on is missed aloud', async t => {
    const { host, log } = hosts.sysfs
    const button = host.inputLine('up', { debounceMs: 0 })
    await button.open()
    t.match(
      log.lines.filter(({ event }) => event === 'gpio.no-bias'),
      [{ facts: { line: 'up', bias: 'pull-up' } }],
    )
    await button.close()
  })
})
