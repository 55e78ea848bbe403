import t from 'tap'
import { NutUps, upsReading, upsStatus } from '../../drivers/nut-ups.js'
import type { GaugeReading } from '../../runtime/ports/gauge.js'
import { at, makeBench } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'
import { listOf, standInUpsd } from './nut-bench.js'

const readingOf = (variables: Readonly<Record<string, string>>): GaugeReading =>
  upsReading(at(7), new Map(Object.entries(variables)))

t.test('the words of a status are what they mean', async t => {
  const blank = { isExternal: null, isCharging: null, isLow: false, isForced: false }
  for (const [text, status] of [
    ['OL', { ...blank, isExternal: true }],
    ['OL CHRG', { ...blank, isExternal: true, isCharging: true }],
    ['OL CAL DISCHRG', { ...blank, isExternal: true, isCharging: false }],
    ['OB DISCHRG', { ...blank, isExternal: false, isCharging: false }],
    ['ALARM OB LB RB', { ...blank, isExternal: false, isCharging: false, isLow: true }],
    ['OB OL', { ...blank, isExternal: false, isCharging: false }],
    ['FSD OL', { ...blank, isExternal: true, isForced: true }],
    ['WAIT', blank],
    ['', blank],
    ['BOLOB LBX', blank],
  ] as const)
    t.same(upsStatus(text), status, text)
  t.same(upsStatus(undefined), blank)
})

t.test('a UPS on battery is read whole', async t => {
  const reading = readingOf({
    'battery.charge': '055.3',
    'battery.voltage': '24.84',
    'battery.current': '1.19',
    'battery.temperature': '050.7',
    'battery.runtime': '1080',
    'battery.capacity': '7.2',
    'ups.status': 'OB DISCHRG',
  })
  t.same(reading, {
    at: 7,
    millivolts: 24_840,
    milliamps: -1_190,
    percent: 55.3,
    celsius: 50.7,
    remainingMilliampHours: null,
    fullMilliampHours: 7_200,
    isExternal: false,
    isCharging: false,
    secondsToEmpty: 1_080,
    wasReset: false,
    troubles: [],
  })
})

t.test('on mains the runtime is how long it would last, not how long it does', async t => {
  const reading = readingOf({
    'battery.runtime': '1080',
    'battery.current': '-0.4',
    'ups.status': 'OL CHRG',
  })
  t.match(reading, { secondsToEmpty: null, milliamps: 400, isExternal: true, isCharging: true })
  t.equal(readingOf({ 'battery.current': '0.4', 'ups.status': 'OL' }).milliamps, null)
})

t.test('a UPS at its end leaves no more time than that for which it says so', async t => {
  const low = { 'ups.status': 'OB LB', 'battery.runtime.low': '120' }
  t.equal(readingOf(low).secondsToEmpty, 120)
  t.equal(readingOf({ ...low, 'battery.runtime': '45' }).secondsToEmpty, 45)
  t.equal(readingOf({ 'ups.status': 'OB LB' }).secondsToEmpty, null)
  t.equal(readingOf({ 'ups.status': 'OB', 'battery.runtime.low': '120' }).secondsToEmpty, null)
})

t.test('a UPS that somebody is switching off leaves none', async t => {
  t.match(readingOf({ 'ups.status': 'FSD OL CHRG', 'battery.runtime': '1080' }), {
    isExternal: false,
    isCharging: false,
    secondsToEmpty: 0,
  })
})

t.test('what is not told, and what cannot be, is unknown and never zero', async t => {
  t.match(readingOf({}), {
    millivolts: null,
    percent: null,
    isExternal: null,
    isCharging: null,
    secondsToEmpty: null,
    troubles: [],
  })
  const nonsense = readingOf({
    'battery.charge': '65535',
    'battery.voltage': '0.0',
    'battery.temperature': '1e2',
    'battery.runtime': '-1',
    'battery.capacity': 'n/a',
    'ups.status': 'OB',
  })
  t.match(nonsense, {
    percent: null,
    millivolts: null,
    celsius: null,
    secondsToEmpty: null,
    fullMilliampHours: null,
    troubles: ['implausible'],
  })
})

t.test('a server that does not know how the UPS is leaves nothing known', async t => {
  t.match(upsReading(at(7), null), { percent: null, isExternal: null, troubles: ['not-ready'] })
})

function bench() {
  const { clock, host } = makeBench()
  const far = host.plugged.tcp('nas.local', 3493)
  const upsd = standInUpsd(far)
  upsd.answer = listOf('rack', { 'battery.charge': '55', 'ups.status': 'OB DISCHRG' })
  const stream = host.tcpStream('nas.local', 3493)
  const gauge = new NutUps(stream, clock, { name: 'pack', ups: 'rack', login: null })
  return { clock, host, far, upsd, gauge, faults: faultsOf(gauge) }
}

t.test('each reading asks anew, and two at once ask once', async t => {
  const { upsd, gauge } = bench()
  await gauge.start()
  t.match(await readOne(gauge), { percent: 55, isExternal: false })
  upsd.answer = listOf('rack', { 'battery.charge': '54', 'ups.status': 'OB' })
  const [one, other] = await Promise.all([readOne(gauge), readOne(gauge)])
  t.match([one.percent, other.percent], [54, 54])
  t.same(upsd.asked, ['LIST VAR rack', 'LIST VAR rack', 'LIST VAR rack'])
  t.equal(await gauge.cutPower(), false)
})

t.test('a UPS whose data are stale is started, and known later', async t => {
  const { upsd, gauge, faults } = bench()
  const fresh = upsd.answer
  upsd.answer = 'ERR DATA-STALE\n'
  await gauge.start()
  t.match(await readOne(gauge), { percent: null, troubles: ['not-ready'] })
  upsd.answer = fresh
  t.match(await readOne(gauge), { percent: 55, troubles: [] })
  t.same(faults, [])
})

t.test(
  'a UPS that the server does not have, and a server that is not there, are not started',
  async t => {
    const { host, far, upsd, gauge } = bench()
    upsd.answer = 'ERR UNKNOWN-UPS\n'
    await t.rejects(gauge.start(), { code: 'device.absent', message: /rack: UNKNOWN-UPS/ })
    await host.tcpStream('nas.local', 3493).open()
    far.unplug()
    await t.rejects(gauge.start(), { code: 'device.absent' })
    await gauge.stop()
    await gauge.stop()
  },
)

t.test('a lost connection is a fault once, and the gauge starts again', async t => {
  const { far, gauge, faults } = bench()
  await gauge.start()
  far.unplug()
  t.equal(faults.length, 1)
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
  await gauge.stop()
  far.plug()
  await gauge.start()
  t.match(await readOne(gauge), { percent: 55 })
})

t.test('a UPS that is taken out of the server is a fault, too', async t => {
  const { upsd, gauge, faults } = bench()
  await gauge.start()
  upsd.answer = 'ERR UNKNOWN-UPS\n'
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
})
