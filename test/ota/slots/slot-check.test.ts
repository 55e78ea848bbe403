import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { sampleOf } from '../../../ota/slots/slot-check.js'

t.test('whatever is executed at a start is read before it', async t => {
  const executed = [
    'bin/node',
    'launch.json',
    'node_modules/koffi/build/koffi.node',
    'package.json',
    'program/chunk-AB.js',
    'program/firing-worker.js',
    'program/main.js',
    'program/updater.js',
  ]
  const others = Array.from(
    { length: 200 },
    (_, index) => `assets/${String(index).padStart(3, '0')}`,
  )
  const entries = [...others, ...executed].map(path => ({
    path,
    mode: '644' as const,
    byteCount: 1_000_000,
    sha256: '0'.repeat(64),
  }))
  const sample = sampleOf(new SimulatedKeys(() => 0), entries).map(({ path }) => path)
  t.same(
    executed.filter(path => !sample.includes(path)),
    [],
  )
  t.ok(sample.length > executed.length, 'and some of the rest')
  t.ok(sample.length < 40, 'in a fraction of a second')
})
