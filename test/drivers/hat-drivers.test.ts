import t from 'tap'
import { buildDevice, checkDevice } from '../../drivers/catalogue.js'
import { hatDrivers } from '../../drivers/hat-drivers.js'
import { RegisterChip, WordRegisterChip } from '../../drivers/simulated/chips.js'
import type { SimulatedHost } from '../../drivers/simulated/host.js'
import { PijuiceChip } from '../../drivers/simulated/pijuice-chip.js'
import { PiSugar3Chip } from '../../drivers/simulated/pisugar3-chip.js'
import { ConfigError } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import { makeBench } from './bench.js'
import { externalsOf, readOne } from './gauge-bench.js'
import { listOf, standInUpsd } from './nut-bench.js'

const PATH = 'box.devices[2]'

function build(driver: string, options: unknown) {
  const { clock, host } = makeBench()
  const built = buildDevice({ name: 'pack', driver, options }, PATH, host, clock)
  if (built.kind !== 'gauge') throw new Error('a gauge is built')
  return { clock, host, gauge: built.device }
}

function problemOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'none'
}

const check = (driver: string, options: unknown) =>
  checkDevice({ name: 'pack', driver, options }, PATH)

t.test('every entry is a gauge, and says what it takes for itself', async t => {
  const header = (address: number) => ({ i2c: [['header', address]] })
  for (const [driver, options, resources] of [
    ['pisugar3', { bus: 'header' }, header(0x57)],
    ['pijuice', { bus: 'header', address: 0x15 }, header(0x15)],
    ['waveshare-ups', { bus: 'header', model: 'b' }, header(0x42)],
    ['waveshare-ups', { bus: 'header', model: 'c' }, header(0x43)],
    ['waveshare-ups', { bus: 'header', model: 'd' }, header(0x43)],
    ['waveshare-ups', { bus: 'header', model: '3s' }, header(0x41)],
    ['waveshare-ups-e', { bus: 'header' }, header(0x2d)],
    [
      'x728',
      { bus: 'header', externalLine: 'back-button', cutLine: 'relay-1' },
      { ...header(0x36), lines: ['back-button', 'relay-1'] },
    ],
    [
      'x120x',
      { bus: 'header', externalLine: 'back-button' },
      { ...header(0x36), lines: ['back-button'] },
    ],
    ['power-supply', { supply: 'BAT0' }, { streams: ['the power supply "BAT0"'] }],
    ['nut-ups', { host: 'nas', ups: 'rack' }, { streams: ['the UPS "rack" at nas:3493'] }],
  ] as const)
    t.match(check(driver, options).resources, resources, driver)
  for (const entry of Object.values(hatDrivers)) t.equal(entry.kind, 'gauge')
})

t.test('options that cannot be are refused with their path', async t => {
  for (const [driver, options, problem] of [
    ['pisugar3', { bus: 'header', cutSeconds: 256 }, /cutSeconds: must be between 5 and 255/],
    ['pijuice', { bus: 'header', cutSeconds: 251 }, /cutSeconds: must be between 5 and 250/],
    ['waveshare-ups', { bus: 'header', model: 'e' }, /options\.model: must be "b" or "c"/],
    ['x728', { bus: 'header' }, /options\.externalLine: is missing/],
    ['power-supply', { supply: '../../etc/passwd' }, /options\.supply: must be a name as in/],
    ['power-supply', { supply: '..' }, /options\.supply: must be a name as in/],
    ['nut-ups', { host: 'nas', ups: 'rack\nSET VAR' }, /options\.ups: must be a name as in/],
    ['nut-ups', { host: 'nas local', ups: 'rack' }, /options\.host: must be a host name/],
    ['nut-ups', { host: 'nas', port: 0, ups: 'rack' }, /options\.port: must be between 1/],
    ['nut-ups', { host: 'nas', ups: 'rack', username: 'box' }, /username: goes with password/],
    ['nut-ups', { host: 'nas', ups: 'rack', password: 'tea' }, /username: goes with password/],
  ] as const)
    t.match(
      problemOf(() => check(driver, options)),
      problem,
      driver,
    )
})

t.test('a password that cannot be is refused, and not shown', async t => {
  const options = { host: 'nas', ups: 'rack', username: 'box', password: 'hush-hush\nLOGIN rack' }
  const problem = problemOf(() => check('nut-ups', options))
  t.match(problem, /options\.password: must be printable ASCII/)
  t.notMatch(problem, /hush/)
})

t.test('devices of one NUT server are read beside each other, each by its own name', async t => {
  const { clock, host } = makeBench()
  const gauges = ['rack', 'shelf'].map((ups, index) => {
    const upsd = standInUpsd(host.plugged.tcp('nas', 3493, index + 1))
    upsd.answer = listOf(ups, { 'battery.charge': `${50 + index}` })
    const built = check('nut-ups', { host: 'nas', ups }).build(host, clock)
    return built.kind === 'gauge' ? built.device : null
  })
  for (const gauge of gauges) await gauge?.start()
  const readings = await Promise.all(gauges.map(gauge => gauge && readOne(gauge)))
  t.same(
    readings.map(reading => reading?.percent),
    [50, 51],
  )
})

t.test('a line that the board turns round may not cut the power, or stop the charging', async t => {
  for (const [driver, line] of [
    ['x728', 'cutLine'],
    ['x120x', 'noChargeLine'],
  ] as const) {
    const options = { bus: 'header', externalLine: 'back-button', [line]: 'dimmer-enable' }
    t.match(
      problemOf(() => build(driver, options)),
      new RegExp(`options\\.${line}: must be active high`),
    )
    const missing = { bus: 'header', externalLine: 'back-button', [line]: 'relay-9' }
    t.match(
      problemOf(() => build(driver, missing)),
      new RegExp(`options\\.${line}: the board has no output line "relay-9"`),
    )
  }
})

/** A MAX17043 with a cell at 3.9 V and 70 %. */
function plugCellGauge(host: SimulatedHost): void {
  const chip = new WordRegisterChip()
  chip.words[0x02] = (3_900 / 1.25) << 4
  chip.words[0x04] = 70 * 256
  chip.words[0x08] = 0x0003
  chip.words[0x0c] = 0x971c
  host.bus('header').plug(0x36, chip)
}

t.test('one and the same level is power on one HAT and none on the other', async t => {
  for (const [driver, whenHigh] of [
    ['x728', false],
    ['x120x', true],
  ] as const) {
    const { clock, host, gauge } = build(driver, { bus: 'header', externalLine: 'back-button' })
    plugCellGauge(host)
    const told = externalsOf(gauge)
    host.drive('back-button', true)
    await gauge.start()
    t.match(await readOne(gauge), { millivolts: 3_900, percent: 70, isExternal: whenHigh }, driver)
    host.drive('back-button', false)
    await clock.advance(20)
    t.match(await readOne(gauge), { isExternal: !whenHigh }, driver)
    t.match(told, [whenHigh ? /battery/ : /external/], driver)
    await gauge.stop()
  }
})

t.test('each of the others is read through what it is plugged into', async t => {
  const plugged: readonly (readonly [
    string,
    object,
    (host: SimulatedHost, clock: Clock) => void,
  ])[] = [
    ['pisugar3', { bus: 'header' }, (host, clock) => plug(host, 0x57, new PiSugar3Chip(clock))],
    ['pijuice', { bus: 'header' }, (host, clock) => plug(host, 0x14, new PijuiceChip(clock))],
    ['waveshare-ups-e', { bus: 'header' }, host => plug(host, 0x2d, waveshareE())],
    [
      'power-supply',
      { supply: 'BAT0' },
      host => host.plugged.setPowerSupply('BAT0', 'POWER_SUPPLY_CAPACITY=50\n'),
    ],
    [
      'nut-ups',
      { host: 'nas', port: 3_500, ups: 'rack' },
      host => {
        const upsd = standInUpsd(host.plugged.tcp('nas', 3_500))
        upsd.answer = listOf('rack', { 'battery.charge': '50' })
      },
    ],
  ]
  for (const [driver, options, plugIn] of plugged) {
    const { clock, host, gauge } = build(driver, options)
    plugIn(host, clock)
    await gauge.start()
    t.type((await readOne(gauge)).percent, 'number', driver)
    await gauge.stop()
  }
})

const plug = (
  host: SimulatedHost,
  address: number,
  chip: PiSugar3Chip | RegisterChip | PijuiceChip,
) => host.bus('header').plug(address, chip)

function waveshareE(): RegisterChip {
  const chip = new RegisterChip()
  chip.registers.set([0x0a, 0x0b, 0, 0b11])
  chip.registers.set([0, 0, 0, 0, 50, 0], 0x20)
  return chip
}
