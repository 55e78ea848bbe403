import t from 'tap'
import { ExternalLine } from '../../drivers/external-line.js'
import { X728, X728_CUT_LEVEL, X728_EXTERNAL_LEVEL } from '../../drivers/x728.js'
import { changesOf, makeBench } from './bench.js'
import { externalsOf, faultsOf, readOne } from './gauge-bench.js'
import { StandInGauge } from './stand-in-gauge.js'

function bench({ isCutWired } = { isCutWired: true }) {
  const { clock, host } = makeBench()
  const gauge = new StandInGauge(clock)
  const external = new ExternalLine(host.inputLine('back-button', { debounceMs: 10 }), {
    external: X728_EXTERNAL_LEVEL,
    active: host.activeLevel('back-button'),
  })
  const cutLine = isCutWired ? host.outputLine('relay-1') : null
  const hat = new X728(gauge, external, cutLine, clock)
  return { clock, host, gauge, hat }
}

t.test('GPIO6 high means that the power is lost', async t => {
  const { clock, host, hat } = bench()
  t.equal(X728_EXTERNAL_LEVEL, 'low')
  const told = externalsOf(hat)
  host.drive('back-button', false)
  await hat.start()
  t.equal((await readOne(hat)).isExternal, true)
  host.drive('back-button', true)
  await clock.advance(10)
  t.match(await readOne(hat), { isExternal: false, isCharging: false })
  t.same(told, ['10 battery'])
})

t.test('the power is cut by three seconds high, and by no less', async t => {
  const { clock, host, hat } = bench()
  t.equal(X728_CUT_LEVEL, 'high')
  await hat.start()
  const cut = hat.cutPower()
  await clock.advance(2_999)
  t.same(changesOf(host, 'relay-1'), ['0 high'])
  await clock.advance(1)
  t.equal(await cut, true)
  t.same(changesOf(host, 'relay-1'), ['0 high', '3000 low'])
})

t.test('a cut that is stopped half-way leaves the line low, and says that it was none', async t => {
  const { clock, host, hat } = bench()
  await hat.start()
  const cut = hat.cutPower()
  await clock.advance(1_000)
  await hat.stop()
  t.equal(await cut, false)
  await clock.advance(10_000)
  t.same(changesOf(host, 'relay-1'), ['0 high', '1000 low'])
  await hat.stop()
})

t.test('a start takes back what the last process died with', async t => {
  const { host, hat } = bench()
  host.wire('relay-1').setLevel(true)
  await hat.start()
  t.equal(host.physical('relay-1'), false)
})

t.test('without the line nothing is cut', async t => {
  const { hat } = bench({ isCutWired: false })
  await hat.start()
  t.equal(await hat.cutPower(), false)
})

t.test('a start that fails leaves nothing open', async t => {
  const { host, gauge, hat } = bench()
  gauge.isPlugged = false
  await t.rejects(hat.start(), { code: 'device.absent' })
  await host.outputLine('relay-1').open(false)
  await host.inputLine('back-button', { debounceMs: 0 }).open()
})

t.test('faults of chip and line are told', async t => {
  const { host, hat } = bench()
  const faults = faultsOf(hat)
  await hat.start()
  host.wire('back-button').fault = 'device.io'
  t.equal((await readOne(hat)).isExternal, null)
  t.equal(faults.length, 1)
})
