import t from 'tap'
import { ExternalLine, isExternalWhen, type Level } from '../../drivers/external-line.js'
import { makeBench } from './bench.js'

t.test('the level on the wire decides, whatever the board calls active', async t => {
  for (const external of ['high', 'low'] as const)
    for (const active of ['high', 'low'] as const)
      for (const level of ['high', 'low'] as const) {
        const isActive = level === active
        t.equal(
          isExternalWhen(isActive, { external, active }),
          level === external,
          `power is ${external}, active is ${active}, the wire is ${level}`,
        )
      }
})

function bench(external: Level) {
  const { clock, host } = makeBench()
  // On the venue's wiring GPIO6 is a button to ground: active low, pulled up.
  const line = host.inputLine('back-button', { debounceMs: 10 })
  const watched = new ExternalLine(line, { external, active: host.activeLevel('back-button') })
  const told: string[] = []
  watched.onExternal((isExternal, at) => told.push(`${at} ${isExternal}`))
  return { clock, host, watched, told }
}

t.test('a change of the line is told at once, with the moment of its edge', async t => {
  const { clock, host, watched, told } = bench('high')
  host.drive('back-button', true)
  await watched.open()
  t.equal(watched.isExternal(), true)
  await clock.advance(100)
  host.drive('back-button', false)
  await clock.advance(10)
  t.same(told, ['110 false'])
  t.equal(watched.isExternal(), false)
  await clock.advance(100)
  host.drive('back-button', true)
  await clock.advance(10)
  t.same(told, ['110 false', '220 true'])
})

t.test('a spark at the plug is no change', async t => {
  const { clock, host, watched, told } = bench('high')
  host.drive('back-button', true)
  await watched.open()
  host.drive('back-button', false)
  await clock.advance(5)
  host.drive('back-button', true)
  await clock.advance(50)
  t.same(told, [])
})

t.test('a closed line tells nothing, may be closed twice, and opened again', async t => {
  const { clock, host, watched, told } = bench('low')
  host.drive('back-button', true)
  await watched.open()
  await watched.close()
  await watched.close()
  host.drive('back-button', false)
  await clock.advance(50)
  t.same(told, [])
  await watched.open()
  t.equal(watched.isExternal(), true)
  host.drive('back-button', true)
  await clock.advance(50)
  t.equal(told.length, 1, 'and not twice')
})

t.test('a line that is gone cannot tell', async t => {
  const { host, watched } = bench('high')
  await watched.open()
  host.wire('back-button').fault = 'device.absent'
  t.throws(() => watched.isExternal(), { code: 'device.absent' })
})
