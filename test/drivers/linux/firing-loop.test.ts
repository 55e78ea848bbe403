import t from 'tap'
import { changesBuffer, Outcome, PlannedChanges } from '../../../drivers/linux/firing-changes.js'
import { linesBuffer, SharedLines } from '../../../drivers/linux/firing-lines.js'
import { FiringLoop } from '../../../drivers/linux/firing-loop.js'
import type { FiringReport } from '../../../drivers/linux/firing-protocol.js'
import { SpinMargin } from '../../../drivers/linux/spin-margin.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { monotonicMs } from '../../../runtime/core/time.js'

const HEARTBEAT_MS = 100

/** A thread whose time is moved by its own sleeps, and by 0.01 ms with each look at the clock. */
function bench() {
  const changes = new PlannedChanges(changesBuffer(16))
  const lines = new SharedLines(linesBuffer(2))
  const state = {
    nowMs: 1000,
    version: 0,
    beats: 0,
    isBroken: false,
    warmedMs: [] as number[],
    collectedMs: [] as number[],
    onLook: (_nowMs: number) => {},
  }
  const did: string[] = []
  const reports: FiringReport[] = []
  const loop = new FiringLoop(
    {
      changes,
      lines,
      signals: {
        version: () => state.version,
        beats: () => state.beats,
        sleep: (_version, durationMs) => {
          state.nowMs += durationMs
          return true
        },
      },
    },
    {
      nowMs: () => {
        state.nowMs += 0.01
        state.onLook(state.nowMs)
        return state.nowMs
      },
      write: (fd, _method, isActive) => {
        if (state.isBroken) throw new DeviceError('device.absent', 'setting a line: ENODEV')
        did.push(`${fd}=${isActive ? 1 : 0}@${state.nowMs.toFixed(1)}`)
      },
      report: report => void reports.push(report),
      holdAwake: isHeld => void did.push(isHeld ? 'awake' : 'may sleep'),
      warmUp: () => {
        state.warmedMs.push(state.nowMs)
        state.nowMs += 0.05
      },
      collect: () => {
        state.collectedMs.push(state.nowMs)
        state.nowMs += 0.25
      },
    },
    new SpinMargin(),
    { heartbeatMs: HEARTBEAT_MS },
  )
  lines.open(0, { fd: 40, method: 'file', isSafeActive: false })
  lines.open(1, { fd: 41, method: 'chardev', isSafeActive: true })
  let order = 0
  const plan = (slot: number, line: number, isActive: boolean, at: number) =>
    changes.plan(slot, { line, isActive, at: monotonicMs(at) }, order++)
  /** Turns until `untilMs`, while the main thread beats, or does not. */
  const run = (untilMs: number, { isBeating }: { isBeating: boolean }): void => {
    while (state.nowMs < untilMs) {
      if (isBeating) state.beats++
      loop.turn()
    }
  }
  const writes = (): string[] => did.filter(entry => entry.includes('='))
  return { changes, lines, state, did, reports, plan, run, writes }
}

t.test('changes are written in order, each at its moment', async t => {
  const { plan, run, writes } = bench()
  plan(0, 1, true, 1080)
  plan(1, 0, true, 1050)
  plan(2, 0, false, 1050.4)
  run(1100, { isBeating: true })
  t.same(writes(), ['40=1@1050.0', '40=0@1050.4', '41=1@1080.0'])
})

t.test('a change is over with the moment just after it was written', async t => {
  const { changes, plan, run } = bench()
  const ticket = plan(0, 0, true, 1050)
  run(1100, { isBeating: true })
  const { outcome, firedMs } = changes.collect(ticket)
  t.equal(outcome, Outcome.fired)
  t.ok(firedMs >= 1050 && firedMs < 1050.1, `${firedMs}`)
})

t.test('what is late is written at once', async t => {
  const { plan, run, writes } = bench()
  plan(0, 0, true, 900)
  run(1001, { isBeating: true })
  t.same(writes(), ['40=1@1000.0'])
})

t.test(
  'a spin ends early when something changes, so that a new first one is not missed',
  async t => {
    const { state, plan, run, writes } = bench()
    plan(0, 0, true, 1050)
    state.onLook = nowMs => {
      if (nowMs < 1049.95) return
      state.onLook = () => {}
      plan(1, 1, true, 1049.98)
      state.version++
    }
    run(1051, { isBeating: true })
    t.same(
      writes().map(write => write.slice(0, 4)),
      ['41=1', '40=1'],
    )
  },
)

t.test('garbage is collected between moments, never shortly before one', async t => {
  const { state, plan, run, writes } = bench()
  const dense = Array.from({ length: 12 }, (_, change) => 1010 + change)
  const sparse = [1030, 1060, 1090, 1120]
  const moments = [...dense, ...sparse]
  for (const [slot, at] of moments.entries()) plan(slot, 0, slot % 2 === 0, at)
  run(1200, { isBeating: true })
  t.same(
    writes().map(write => Number(write.split('@')[1])),
    moments,
  )
  t.ok(state.collectedMs.length >= 2, 'some was collected')
  const hasTime = (ms: number): boolean => moments.every(at => at <= ms || at - ms > 1.9)
  t.same(state.collectedMs.map(hasTime).indexOf(false), -1, 'with time left')
})

t.test('the main thread hears once of changes that are over together', async t => {
  const { reports, plan, run } = bench()
  for (let slot = 0; slot < 5; slot++) plan(slot, 0, true, 1050)
  run(1100, { isBeating: true })
  t.same(reports, [{ kind: 'over' }])
})

t.test('a closed line drops its changes', async t => {
  const { changes, lines, plan, run, writes } = bench()
  const ticket = plan(0, 0, true, 1050)
  lines.close(0)
  run(1100, { isBeating: true })
  t.same(writes(), [])
  t.equal(changes.collect(ticket).outcome, Outcome.dropped)
})

t.test('a failed write is told with its line, and the next change still fires', async t => {
  const { changes, state, reports, plan, run, writes } = bench()
  const ticket = plan(0, 1, true, 1050)
  plan(1, 0, true, 1060)
  state.isBroken = true
  run(1055, { isBeating: true })
  state.isBroken = false
  run(1100, { isBeating: true })
  t.equal(changes.collect(ticket).outcome, Outcome.failed)
  t.match(reports[0], { kind: 'write-failed', line: 1, code: 'device.absent' })
  t.same(writes(), ['40=1@1060.0'])
})

t.test('a silent main thread makes all lines safe, once, and drops what is planned', async t => {
  const { changes, plan, run, writes, reports } = bench()
  const ticket = plan(0, 0, true, 1500)
  run(1090, { isBeating: false })
  t.same(writes(), [])
  run(1600, { isBeating: false })
  t.equal(writes().length, 2)
  t.match(writes()[0], /^40=0@11\d\d/)
  t.match(writes()[1], /^41=1@11\d\d/)
  t.equal(changes.collect(ticket).outcome, Outcome.dropped)
  t.equal(reports.filter(report => report.kind === 'heartbeat-lost').length, 0, 'nobody is there')
})

t.test('a main thread that comes back is told how long it was silent, and works on', async t => {
  const { plan, run, writes, reports } = bench()
  run(1600, { isBeating: false })
  plan(0, 0, true, 1650)
  run(1700, { isBeating: true })
  const losses = reports.filter(report => report.kind === 'heartbeat-lost')
  t.same(
    losses.map(({ silentMs }) => Math.round(silentMs / 100)),
    [6],
  )
  t.equal(writes().at(-1), '40=1@1650.0')
})

t.test('a line that cannot be made safe does not keep the others from it', async t => {
  const { lines, run, writes, state } = bench()
  lines.close(0)
  lines.open(0, { fd: 42, method: 'file', isSafeActive: true })
  state.isBroken = true
  run(1150, { isBeating: false })
  t.same(writes(), [])
  t.equal(lines.waitWhileBusy(0, 0), true)
  t.equal(lines.waitWhileBusy(1, 0), true, 'both were tried and let go')
})

t.test('the processor is kept awake only around changes', async t => {
  const { did, plan, run } = bench()
  plan(0, 0, true, 2000)
  plan(1, 0, false, 5000)
  run(12_000, { isBeating: true })
  const awake = did.filter(entry => !entry.includes('='))
  t.same(awake, ['awake', 'may sleep'])
  t.equal(did.indexOf('awake') < did.indexOf('40=1@2000.0'), true)
  t.equal(did.indexOf('may sleep') > did.indexOf('40=0@5000.0'), true)
})

t.test('after a sleep it warms up, once, and is through with that before the moment', async t => {
  const { plan, run, state, writes } = bench()
  plan(0, 1, true, 1050)
  plan(1, 0, true, 1050)
  plan(2, 1, false, 1050.02)
  plan(3, 0, false, 1080)
  run(1100, { isBeating: true })
  t.same(writes(), ['41=1@1050.0', '40=1@1050.0', '41=0@1050.1', '40=0@1080.0'])
  t.equal(state.warmedMs.length, 2, 'not between changes that follow at once')
  for (const [place, at] of [1050, 1080].entries()) {
    const beforeMs = at - (state.warmedMs[place] ?? 0)
    t.ok(beforeMs > 0.1 && beforeMs < 0.2, `${beforeMs} ms before ${at}`)
  }
})
