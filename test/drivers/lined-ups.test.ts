import t from 'tap'
import { ExternalLine } from '../../drivers/external-line.js'
import { LinedUps } from '../../drivers/lined-ups.js'
import { makeBench } from './bench.js'
import { StandInGauge } from './stand-in-gauge.js'

function bench() {
  const { clock, host } = makeBench()
  const gauge = new StandInGauge(clock)
  const line = new ExternalLine(host.inputLine('back-button', { debounceMs: 10 }), {
    external: 'high',
    active: host.activeLevel('back-button'),
  })
  const ups = new LinedUps(gauge, line)
  const faults: Error[] = []
  ups.onFault(fault => faults.push(fault))
  const read = async () => (await ups.read())[0]
  return { clock, host, gauge, ups, faults, read }
}

t.test("the chip's reading is completed by the line", async t => {
  const { clock, host, ups, read } = bench()
  host.drive('back-button', true)
  await ups.start()
  t.match(await read(), { millivolts: 3_900, percent: 70, isExternal: true, isCharging: null })
  host.drive('back-button', false)
  await clock.advance(10)
  t.match(await read(), { isExternal: false, isCharging: false })
})

t.test('a chip that sees the voltage rise is believed only while there is power', async t => {
  const { clock, host, gauge, ups, read } = bench()
  gauge.known = { isCharging: true }
  host.drive('back-button', true)
  await ups.start()
  t.match(await read(), { isExternal: true, isCharging: true })
  host.drive('back-button', false)
  await clock.advance(10)
  t.match(await read(), { isExternal: false, isCharging: false })
})

t.test('a lost line is told once, and the chip is read on', async t => {
  const { host, ups, faults, read } = bench()
  await ups.start()
  host.wire('back-button').fault = 'device.absent'
  t.match(await read(), { millivolts: 3_900, isExternal: null })
  t.match(await read(), { millivolts: 3_900, isExternal: null })
  t.equal(faults.length, 1)
  await ups.stop()
  host.wire('back-button').fault = null
  await ups.start()
  t.equal((await read())?.isExternal, true)
})

t.test('a lost chip is told, too, and leaves nobody listening who has stopped', async t => {
  const { gauge, ups, faults } = bench()
  const others: Error[] = []
  ups.onFault(fault => others.push(fault))()
  await ups.start()
  gauge.isPlugged = false
  await t.rejects(ups.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
  t.same(others, [])
})

t.test('stopping lets go of chip and line, also when one of them cannot be', async t => {
  const { host, gauge, ups } = bench()
  await ups.start()
  gauge.stop = async () => {
    throw new Error('cannot stop')
  }
  await t.rejects(ups.stop(), /cannot stop/)
  await host.inputLine('back-button', { debounceMs: 0 }).open()
})
