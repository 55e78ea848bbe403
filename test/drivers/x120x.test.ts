import t from 'tap'
import { ExternalLine } from '../../drivers/external-line.js'
import { X120X_EXTERNAL_LEVEL, X120X_NO_CHARGE_LEVEL, X120x } from '../../drivers/x120x.js'
import { X728_EXTERNAL_LEVEL } from '../../drivers/x728.js'
import { makeBench } from './bench.js'
import { externalsOf, faultsOf, readOne } from './gauge-bench.js'
import { StandInGauge } from './stand-in-gauge.js'

function bench() {
  const { clock, host } = makeBench()
  const gauge = new StandInGauge(clock)
  const external = new ExternalLine(host.inputLine('back-button', { debounceMs: 10 }), {
    external: X120X_EXTERNAL_LEVEL,
    active: host.activeLevel('back-button'),
  })
  const hat = new X120x(gauge, external, host.outputLine('relay-2'))
  return { clock, host, gauge, hat }
}

t.test('GPIO6 low means that the power is lost', async t => {
  const { clock, host, hat } = bench()
  t.equal(X120X_EXTERNAL_LEVEL, 'high')
  const told = externalsOf(hat)
  host.drive('back-button', true)
  await hat.start()
  t.equal((await readOne(hat)).isExternal, true)
  host.drive('back-button', false)
  await clock.advance(10)
  t.match(await readOne(hat), { isExternal: false, isCharging: false })
  t.same(told, ['10 battery'])
})

t.test('it is the other way round than on the X728', async t => {
  t.not(X120X_EXTERNAL_LEVEL, X728_EXTERNAL_LEVEL)
})

t.test('charging is allowed from the start to the end', async t => {
  const { host, hat } = bench()
  t.equal(X120X_NO_CHARGE_LEVEL, 'high')
  host.wire('relay-2').setLevel(true)
  await hat.start()
  t.equal(host.physical('relay-2'), false)
  await hat.stop()
  t.equal(host.physical('relay-2'), false)
  await hat.stop()
})

t.test('it cannot cut its power', async t => {
  const { hat } = bench()
  await hat.start()
  t.equal(await hat.cutPower(), false)
})

t.test('a start that fails leaves nothing open, and a fault of the chip is told', async t => {
  const { host, gauge, hat } = bench()
  const faults = faultsOf(hat)
  gauge.isPlugged = false
  await t.rejects(hat.start(), { code: 'device.absent' })
  await host.outputLine('relay-2').open(false)
  await host.inputLine('back-button', { debounceMs: 0 }).open()
  t.same(faults, [], 'a start that fails is thrown, and no fault')
})
