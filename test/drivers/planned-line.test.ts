import t from 'tap'
import { planChange } from '../../drivers/planned-line.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { OutputLine } from '../../runtime/ports/host.js'
import { at, type Bench, makeBench } from './bench.js'

async function planned(
  bench: Bench,
  moment: number,
): Promise<{ heard: string[]; line: OutputLine; cancel: Cancel }> {
  const line = bench.host.outputLine('light-1')
  await line.open(false)
  const heard: string[] = []
  const cancel = planChange(bench.clock, line, {
    isActive: true,
    at: at(moment),
    fired: ({ firedMs }) => void heard.push(`fired ${firedMs}`),
    overdue: fault => void heard.push(`${fault.code} at ${bench.clock.monotonicMs()}`),
  })
  return { heard, line, cancel }
}

t.test('a change that happens is heard of once', async t => {
  const bench = makeBench()
  const { heard } = await planned(bench, 100)
  await bench.clock.advance(10_000)
  t.same(heard, ['fired 100'])
})

t.test('a change that does not happen is missed a second after its moment', async t => {
  const bench = makeBench()
  const { heard } = await planned(bench, 100)
  bench.host.wire('light-1').fault = 'device.absent'
  await bench.clock.advance(1100)
  t.same(heard, [], 'messages that wait behind a stall are given time')
  await bench.clock.advance(10_000)
  t.same(heard, ['device.timeout at 1200'])
})

t.test('a change whose moment was long past is not missed at once', async t => {
  const bench = makeBench()
  await bench.clock.advance(5000)
  const { heard } = await planned(bench, 100)
  await bench.clock.advance(10_000)
  t.same(heard, ['fired 5000'])
})

t.test('a change called back is neither heard of nor missed', async t => {
  const bench = makeBench()
  const { heard, cancel } = await planned(bench, 100)
  cancel()
  await bench.clock.advance(10_000)
  t.same(heard, [])
})
