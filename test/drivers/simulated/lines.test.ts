import t from 'tap'
import type { ErrorCode } from '../../../runtime/core/errors.js'
import type { Edge } from '../../../runtime/ports/host.js'
import { at, changesOf, makeBench } from '../bench.js'

t.test('an edge is stamped at the end of the quiet time, as the kernel does it', async t => {
  const { host, clock } = makeBench()
  const line = host.inputLine('go-button', { debounceMs: 10 })
  const edges: Edge[] = []
  line.onEdge(edge => void edges.push(edge))
  await line.open()
  await clock.advance(100)
  host.drive('go-button', false)
  await clock.advance(9)
  t.equal(line.isActive(), false, 'the line reads as its old level until it is quiet')
  await clock.advance(91)
  t.same(edges, [{ isActive: true, at: 110, source: 'kernel' }])
})

t.test('a fault fails every use of the line with its code', async t => {
  const { host, clock } = makeBench()
  const output = host.outputLine('light-1')
  await output.open(false)
  const input = host.inputLine('beam', { debounceMs: 0 })
  await input.open()
  for (const code of ['device.absent', 'device.io'] satisfies ErrorCode[]) {
    host.wire('light-1').fault = code
    host.wire('beam').fault = code
    t.throws(() => output.set(true), { code })
    t.throws(() => input.isActive(), { code })
    await t.rejects(host.outputLine('light-1').open(false), { code })
  }
  let reports = 0
  output.setAt(true, at(10), () => void reports++)
  output.setAt(true, at(-10), () => void reports++)
  await clock.advance(100)
  t.equal(reports, 0)
  t.same(changesOf(host, 'light-1'), [])
})

t.test('a line whose safe state is active is active when it is closed', async t => {
  const { host } = makeBench()
  const wire = host.wire('relay-1')
  Object.assign(wire, { line: { ...wire.line, safeState: 'active' } })
  const line = host.outputLine('relay-1')
  await line.open(false)
  t.equal(host.physical('relay-1'), false)
  await line.close()
  t.equal(host.physical('relay-1'), true)
})
