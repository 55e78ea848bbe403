/**
 * What every machine's lines promise, whether made of memory or of copper. Run by `lines.simulated.test.ts` here and
 * by the lab on a real kernel, with each way to reach the lines.
 */
import type { Test } from 'tap'
import type { Board, BoardLine } from '../../boards/board.js'
import { after } from '../../runtime/core/time.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { Edge, Fired, Host, InputLine, OutputLine } from '../../runtime/ports/host.js'

export interface LinesBench {
  /** Built from `contractBoard`, ready for lines to be opened: none of them is. */
  readonly host: Pick<Host, 'outputLine' | 'inputLine'>
  readonly clock: Clock
  /** What a meter on the pin of an output shows; true is high. */
  physical(line: string): boolean
  /** What a hand or a wire does to the pin of an input. */
  drive(line: string, isHigh: boolean): void
  /** Lets time pass, and everything that is due in it happen. */
  pass(durationMs: number): Promise<void>
  /** The process can no longer drive its outputs: it is dead or hangs, and somebody has stood in for it. */
  fallSilent(): void
  /** Afterwards no line is open, nothing is planned and nobody listens. */
  close(): Promise<void>
}

const boardLine = (
  name: string,
  offset: number,
  direction: 'in' | 'out',
  activeLevel: 'high' | 'low',
): BoardLine => ({
  name,
  headerPin: null,
  chip: null,
  offset,
  direction,
  activeLevel,
  bias: 'as-is',
  safeState: 'inactive',
})

/** Two outputs and two inputs, one of each active when high and one when low; the chip is the lab's. */
export const contractBoard: Board = {
  name: 'contract',
  title: 'Lines contract',
  models: [],
  gpioChip: 'pinctrl-bcm2711',
  lines: [
    boardLine('lamp', 17, 'out', 'high'),
    boardLine('relay', 27, 'out', 'low'),
    boardLine('button', 22, 'in', 'high'),
    boardLine('contact', 23, 'in', 'low'),
  ],
  i2cBuses: [],
  serialPorts: [],
  pwmOutputs: [],
  statusLeds: [],
  watchdog: null,
  ptp: { interface: 'eth0', hasHardwareTimestamps: false },
  hasRealTimeClock: false,
  memoryMegabytesMin: 64,
}

/** Generous, because a simulated machine on a loaded host is slow; nothing waits so long when all is well. */
const LIMIT_MS = 5_000
/** A host may stand still for longer than that, at any line: what came too late then is asked again, later still. */
const AHEAD_MS = [100, 400, 1_600, 6_400] as const
const DEBOUNCE_MS = 100
const BOUNCE_MS = 20
/** Twice as long as the debounce time, so that a contact which is looked at too early is found out. */
const bounces = Array.from({ length: 11 }, (_, at) => at % 2 === 0)
const TRIES_MAX = 20
const PLANNED_MAX = 256

type MakeBench = () => Promise<LinesBench>

export function linesContract(t: Test, makeBench: MakeBench): void {
  outputs(t, makeBench)
  plannedChanges(t, makeBench)
  cancelledChanges(t, makeBench)
  inputs(t, makeBench)
  names(t, makeBench)
}

async function benchFor(t: Test, makeBench: MakeBench): Promise<LinesBench> {
  const bench = await makeBench()
  t.teardown(() => bench.close())
  return bench
}

async function openOutput(
  bench: LinesBench,
  name: 'lamp' | 'relay',
  isActive: boolean,
): Promise<OutputLine> {
  const line = bench.host.outputLine(name)
  await line.open(isActive)
  return line
}

async function openInput(
  bench: LinesBench,
  name: 'button' | 'contact',
  debounceMs: number,
): Promise<{ line: InputLine; edges: Edge[] }> {
  const line = bench.host.inputLine(name, { debounceMs })
  const edges: Edge[] = []
  line.onEdge(edge => void edges.push(edge))
  await line.open()
  return { line, edges }
}

async function until(bench: LinesBench, isTrue: () => boolean): Promise<void> {
  const limit = after(bench.clock.monotonicMs(), LIMIT_MS)
  while (!isTrue() && bench.clock.monotonicMs() < limit) await bench.pass(2)
}

/** Asks something of a dark lamp for a moment that is still to come when the asking is over. */
async function askAhead<T>(
  bench: LinesBench,
  ask: (lamp: OutputLine, at: MonotonicMs) => T | Promise<T>,
): Promise<T> {
  const lamp = bench.host.outputLine('lamp')
  for (const aheadMs of AHEAD_MS) {
    await lamp.open(false)
    const at = now(bench, aheadMs)
    const asked = await ask(lamp, at)
    if (bench.clock.monotonicMs() < at) return asked
    await lamp.close()
  }
  throw new Error('this host stands still again and again')
}

/**
 * Moves a button's pin from low as told, and never rests for as long as the debounce time: where the host made it rest,
 * all is begun again. How many edges were heard by then.
 */
async function bounce(
  bench: LinesBench,
  { line, edges }: { readonly line: InputLine; readonly edges: Edge[] },
  levels: readonly boolean[],
): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    bench.drive('button', false)
    await until(bench, () => !line.isActive())
    await bench.pass(2 * DEBOUNCE_MS)
    edges.length = 0
    let stepMsMax = 0
    for (const isHigh of levels) {
      const fromMs = bench.clock.monotonicMs()
      bench.drive('button', isHigh)
      await bench.pass(BOUNCE_MS)
      stepMsMax = Math.max(stepMsMax, bench.clock.monotonicMs() - fromMs)
    }
    // A level lasts from somewhere in one step to somewhere in the next.
    if (2 * stepMsMax < DEBOUNCE_MS) return edges.length
  }
  throw new Error('this host stands still again and again')
}

const now = (bench: LinesBench, plusMs: number): MonotonicMs =>
  after(bench.clock.monotonicMs(), plusMs)

function outputs(t: Test, makeBench: MakeBench): void {
  t.test('an output starts in the state it is opened with, whichever level is active', async t => {
    const bench = await benchFor(t, makeBench)
    const levels: boolean[] = []
    for (const name of ['lamp', 'relay'] as const)
      for (const isActive of [true, false]) {
        const line = await openOutput(bench, name, isActive)
        levels.push(bench.physical(name))
        await line.close()
      }
    t.same(levels, [true, false, false, true])
  })

  t.test('setting an output changes its level at once', async t => {
    const bench = await benchFor(t, makeBench)
    const lamp = await openOutput(bench, 'lamp', false)
    const relay = await openOutput(bench, 'relay', false)
    const levels: string[] = []
    for (const isActive of [true, false, true]) {
      lamp.set(isActive)
      relay.set(isActive)
      levels.push(`${bench.physical('lamp')} ${bench.physical('relay')}`)
    }
    t.same(levels, ['true false', 'false true', 'true false'])
  })

  t.test('a line that is already taken is refused as busy', async t => {
    const bench = await benchFor(t, makeBench)
    await openOutput(bench, 'lamp', false)
    await t.rejects(bench.host.outputLine('lamp').open(true), { code: 'device.busy' })
    t.equal(bench.physical('lamp'), false)
  })

  t.test('outputs whose process no longer drives them are safe', async t => {
    const bench = await benchFor(t, makeBench)
    await openOutput(bench, 'lamp', true)
    await openOutput(bench, 'relay', true)
    bench.fallSilent()
    t.equal(bench.physical('lamp'), false)
    t.equal(bench.physical('relay'), true)
  })

  t.test('a closed output is safe, refuses to be set and may be opened again', async t => {
    const bench = await benchFor(t, makeBench)
    const lamp = await openOutput(bench, 'lamp', true)
    await lamp.close()
    await lamp.close()
    t.equal(bench.physical('lamp'), false)
    t.throws(() => lamp.set(true), { code: 'device.absent' })
    t.throws(() => lamp.setAt(true, now(bench, 10), () => {}), { code: 'device.absent' })
    await lamp.open(true)
    t.equal(bench.physical('lamp'), true)
  })
}

function plannedChanges(t: Test, makeBench: MakeBench): void {
  t.test(
    'a planned change happens at its moment or after, never before, and says when',
    async t => {
      const bench = await benchFor(t, makeBench)
      const { at, before, fired } = await askAhead(bench, (lamp, at) => {
        const fired: Fired[] = []
        lamp.setAt(true, at, report => void fired.push(report))
        return { at, before: bench.physical('lamp'), fired }
      })
      t.equal(before, false)
      await until(bench, () => fired.length > 0)
      t.equal(bench.physical('lamp'), true)
      t.equal(fired.length, 1)
      t.equal(fired[0]?.plannedMs, at)
      t.ok((fired[0]?.firedMs ?? 0) >= at)
      t.ok((fired[0]?.firedMs ?? Number.POSITIVE_INFINITY) <= bench.clock.monotonicMs())
    },
  )

  t.test('changes happen in the order of their moments, not of the asking', async t => {
    const bench = await benchFor(t, makeBench)
    const order = await askAhead(bench, (lamp, start) => {
      const order: string[] = []
      for (const [afterMs, isActive] of [
        [30, true],
        [10, true],
        [20, false],
      ] as const)
        lamp.setAt(isActive, after(start, afterMs), () => void order.push(`${afterMs} ${isActive}`))
      return order
    })
    await until(bench, () => order.length === 3)
    t.same(order, ['10 true', '20 false', '30 true'])
    t.equal(bench.physical('lamp'), true)
  })

  t.test('changes of one line for one moment happen in the order of the asking', async t => {
    const bench = await benchFor(t, makeBench)
    const lamp = await openOutput(bench, 'lamp', false)
    const order: string[] = []
    const at = now(bench, 40)
    for (const name of ['first', 'second', 'third'])
      lamp.setAt(name !== 'second', at, () => void order.push(name))
    await until(bench, () => order.length === 3)
    t.same(order, ['first', 'second', 'third'])
    t.equal(bench.physical('lamp'), true)
  })

  t.test('a change whose moment is past happens at once, and is reported later', async t => {
    const bench = await benchFor(t, makeBench)
    const lamp = await openOutput(bench, 'lamp', false)
    const fired: Fired[] = []
    const at = now(bench, -5)
    lamp.setAt(true, at, report => void fired.push(report))
    t.equal(fired.length, 0, 'nobody is called back before setAt has returned')
    t.equal(bench.physical('lamp'), true)
    await until(bench, () => fired.length > 0)
    t.equal(fired[0]?.plannedMs, at)
  })

  t.test('setting an output leaves what is planned in place', async t => {
    const bench = await benchFor(t, makeBench)
    const { fired, meanwhile } = await askAhead(bench, (lamp, at) => {
      const fired: Fired[] = []
      lamp.setAt(false, at, report => void fired.push(report))
      lamp.set(true)
      return { fired, meanwhile: bench.physical('lamp') }
    })
    t.equal(meanwhile, true)
    await until(bench, () => fired.length > 0)
    t.equal(bench.physical('lamp'), false)
  })

  t.test('one line holds 256 planned changes and refuses the next', async t => {
    const bench = await benchFor(t, makeBench)
    const lamp = await openOutput(bench, 'lamp', false)
    const relay = await openOutput(bench, 'relay', false)
    const at = now(bench, 60_000)
    const cancels = Array.from({ length: PLANNED_MAX }, () => lamp.setAt(true, at, () => {}))
    t.throws(() => lamp.setAt(true, at, () => {}), { code: 'device.limit' })
    relay.setAt(true, at, () => {})
    cancels[0]?.()
    lamp.setAt(true, at, () => {})
    t.throws(() => lamp.setAt(true, at, () => {}), { code: 'device.limit' })
  })
}

function cancelledChanges(t: Test, makeBench: MakeBench): void {
  t.test('a change cancelled in time never happens and is not reported', async t => {
    const bench = await benchFor(t, makeBench)
    const reported = await askAhead(bench, (lamp, at) => {
      const reported: string[] = []
      const cancel = lamp.setAt(true, at, () => void reported.push('cancelled'))
      lamp.setAt(false, after(at, 20), () => void reported.push('kept'))
      cancel()
      cancel()
      return reported
    })
    await until(bench, () => reported.length > 0)
    t.same(reported, ['kept'])
    t.equal(bench.physical('lamp'), false)
  })

  t.test('cancelling a change that has happened changes nothing', async t => {
    const bench = await benchFor(t, makeBench)
    const lamp = await openOutput(bench, 'lamp', false)
    let reports = 0
    const cancel = lamp.setAt(true, now(bench, 5), () => void reports++)
    await until(bench, () => reports > 0)
    cancel()
    await bench.pass(5)
    t.equal(reports, 1)
    t.equal(bench.physical('lamp'), true)
  })

  t.test('closing an output drops what is planned', async t => {
    const bench = await benchFor(t, makeBench)
    const { at, lamp, fired } = await askAhead(bench, async (lamp, at) => {
      const fired: Fired[] = []
      lamp.setAt(true, at, report => void fired.push(report))
      await lamp.close()
      return { at, lamp, fired }
    })
    await lamp.open(false)
    await bench.pass(at + 40 - bench.clock.monotonicMs())
    t.same(fired, [])
    t.equal(bench.physical('lamp'), false)
  })
}

function inputs(t: Test, makeBench: MakeBench): void {
  t.test('an input shows the state it finds, whichever level is active', async t => {
    const bench = await benchFor(t, makeBench)
    const states: boolean[] = []
    for (const name of ['button', 'contact'] as const)
      for (const isHigh of [true, false]) {
        bench.drive(name, isHigh)
        const { line } = await openInput(bench, name, 0)
        states.push(line.isActive())
        await line.close()
      }
    t.same(states, [true, false, false, true])
  })

  t.test('each edge is heard in order, with a moment on the monotonic scale', async t => {
    const bench = await benchFor(t, makeBench)
    bench.drive('contact', true)
    const { line, edges } = await openInput(bench, 'contact', 0)
    const moments: number[] = []
    for (const [index, isHigh] of [false, true, false].entries()) {
      moments.push(bench.clock.monotonicMs())
      bench.drive('contact', isHigh)
      await until(bench, () => edges.length > index)
    }
    t.same(
      edges.map(edge => edge.isActive),
      [true, false, true],
    )
    t.equal(line.isActive(), true)
    for (const [index, edge] of edges.entries()) {
      t.ok(edge.at >= (moments[index] ?? 0), 'not before the hand moved')
      t.ok(edge.at <= bench.clock.monotonicMs(), 'not in the future')
    }
  })

  t.test('bounces shorter than the debounce time are one edge', async t => {
    const bench = await benchFor(t, makeBench)
    bench.drive('button', false)
    const { line, edges } = await openInput(bench, 'button', DEBOUNCE_MS)
    const heard = await bounce(bench, { line, edges }, bounces)
    t.equal(heard, 0, 'a line that is not quiet has not changed')
    await until(bench, () => edges.length > 0)
    await bench.pass(DEBOUNCE_MS + 10)
    t.same(
      edges.map(edge => edge.isActive),
      [true],
    )
    t.equal(line.isActive(), true)
  })

  t.test('a spike shorter than the debounce time is no edge at all', async t => {
    const bench = await benchFor(t, makeBench)
    bench.drive('button', false)
    const { line, edges } = await openInput(bench, 'button', DEBOUNCE_MS)
    await bounce(bench, { line, edges }, [true, false])
    await bench.pass(3 * DEBOUNCE_MS)
    t.same(edges, [])
    t.equal(line.isActive(), false)
  })

  t.test('who stopped listening, or closed the input, hears nothing more', async t => {
    const bench = await benchFor(t, makeBench)
    bench.drive('button', false)
    const { line, edges } = await openInput(bench, 'button', 0)
    let heard = 0
    const cancel = line.onEdge(() => void heard++)
    cancel()
    bench.drive('button', true)
    await until(bench, () => edges.length > 0)
    await line.close()
    await line.close()
    bench.drive('button', false)
    await bench.pass(20)
    t.equal(heard, 0)
    t.equal(edges.length, 1)
    t.throws(() => line.isActive(), { code: 'device.absent' })
  })
}

function names(t: Test, makeBench: MakeBench): void {
  t.test('a name that the board does not have is refused with the nearest one', async t => {
    const { host } = await benchFor(t, makeBench)
    t.throws(() => host.outputLine('lmap'), { code: 'config.invalid', message: /"lamp"/ })
    t.throws(() => host.inputLine('buton', { debounceMs: 0 }), {
      code: 'config.invalid',
      message: /"button"/,
    })
  })

  t.test('a line of the other direction is refused', async t => {
    const { host } = await benchFor(t, makeBench)
    t.throws(() => host.outputLine('button'), { code: 'config.invalid', message: /button/ })
    t.throws(() => host.inputLine('lamp', { debounceMs: 0 }), {
      code: 'config.invalid',
      message: /lamp/,
    })
  })
}
