import t from 'tap'
import {
  buildDevice,
  catalogue,
  checkDevice,
  driverOptionsSchemas,
} from '../../drivers/catalogue.js'
import { ConfigError } from '../../runtime/core/errors.js'
import { makeBench } from './bench.js'

const PATH = 'box.devices[2]'

function problemOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'none'
}

const examples: Readonly<Record<string, Record<string, unknown>>> = {
  'gpio-light': { line: 'light-1' },
  'pwm-light': { output: 'pwm-1' },
  'pca9685-light': { bus: 'header', address: 64, outputEnableLine: 'dimmer-enable' },
  button: { line: 'go-button' },
  footswitch: { line: 'footswitch' },
  contact: { line: 'beam' },
  'capture-trigger': { shutterLine: 'shutter', focusLine: 'focus', syncLine: 'sync' },
  'escpos-printer': { transport: { kind: 'usb' } },
  ina219: { bus: 'header' },
  ina226: { bus: 'header' },
  ina3221: { bus: 'header' },
  max17040: { bus: 'header' },
  max17048: { bus: 'header' },
  lc709203f: { bus: 'header' },
  bq27441: { bus: 'header', milliampHours: 3000 },
  pisugar3: { bus: 'header' },
  pijuice: { bus: 'header' },
  'waveshare-ups': { bus: 'header', model: 'b' },
  'waveshare-ups-e': { bus: 'header' },
  x728: { bus: 'header', externalLine: 'back-button' },
  x120x: { bus: 'header', externalLine: 'back-button' },
  'power-supply': { supply: 'BAT0' },
  'nut-ups': { host: 'nas.local', ups: 'rack' },
}

t.test('every driver is built from its smallest options and touches nothing', async t => {
  t.same(Object.keys(catalogue).sort(), Object.keys(examples).sort())
  for (const [driver, options] of Object.entries(examples)) {
    const { clock, host } = makeBench()
    const changes: unknown[] = []
    host.onLineChange(change => void changes.push(change))
    const built = buildDevice({ name: 'thing', driver, options }, PATH, host, clock)
    t.equal(built.kind, catalogue[driver]?.kind)
    t.equal(built.device.name, 'thing')
    await clock.advance(10_000)
    t.same(changes, [], driver)
    t.equal(host.bus('header').transferCount, 0, driver)
  }
})

t.test('an option out of range is refused with path, range and value', async t => {
  const description = {
    name: 'camera',
    driver: 'capture-trigger',
    options: { shutterLine: 'shutter', pulseMs: 5 },
  }
  t.equal(
    problemOf(() => checkDevice(description, PATH)),
    'box.devices[2].options.pulseMs: must be between 10 and 5000, is 5',
  )
})

t.test('every wrong option is named at once', async t => {
  const description = {
    name: 'dimmer',
    driver: 'pca9685-light',
    options: { bus: 'header', address: 112, frequencyHz: 2000, gama: 2 },
  }
  const lines = problemOf(() => checkDevice(description, PATH)).split('\n')
  t.match(lines, [
    /options\.address: must not be 112/,
    /options\.frequencyHz: must be between 24 and 1526, is 2000/,
    /options\.gama: is not a known setting \(did you mean "gamma"\?\)/,
  ])
})

t.test('an unknown driver is refused with the nearest one', async t => {
  for (const driver of ['pca9685-ligth', 'toString', '__proto__'])
    t.match(
      problemOf(() => checkDevice({ name: 'dimmer', driver, options: {} }, PATH)),
      driver === 'pca9685-ligth'
        ? /^box\.devices\[2\]\.driver: .*did you mean "pca9685-light"\?/
        : /^box\.devices\[2\]\.driver: .* is not a known driver/,
    )
})

t.test('a line the board does not have is refused under the option that names it', async t => {
  const { clock, host } = makeBench()
  const options = { shutterLine: 'shutter', focusLine: 'fokus' }
  const description = { name: 'camera', driver: 'capture-trigger', options }
  t.equal(
    problemOf(() => buildDevice(description, PATH, host, clock)).split(';')[0],
    'box.devices[2].options.focusLine: the board has no output line "fokus" (did you mean "focus"?)',
  )
})

t.test('the option is found also where the name that was meant is another option', async t => {
  const { clock, host } = makeBench()
  const options = { shutterLine: 'focus', focusLine: 'fokus' }
  const description = { name: 'camera', driver: 'capture-trigger', options }
  t.match(
    problemOf(() => buildDevice(description, PATH, host, clock)),
    /^box\.devices\[2\]\.options\.focusLine: .*did you mean "focus"/,
  )
})

t.test('an address that the bus keeps for itself is refused', async t => {
  const dimmerAt = (address: number) => ({
    name: 'dimmer',
    driver: 'pca9685-light',
    options: { bus: 'header', address },
  })
  t.match(
    problemOf(() => checkDevice(dimmerAt(0x78), PATH)),
    /options\.address: must be between 64 and 119, is 120/,
  )
  t.doesNotThrow(() => checkDevice(dimmerAt(0x77), PATH))
})

t.test('a device says what it takes for itself', async t => {
  const resourcesOf = (driver: string, options: unknown): unknown =>
    checkDevice({ name: 'thing', driver, options }, PATH).resources
  t.same(resourcesOf('gpio-light', examples['gpio-light']), {
    lines: ['light-1'],
    i2c: [],
    pwm: [],
    streams: [],
  })
  t.same(resourcesOf('pwm-light', examples['pwm-light']), {
    lines: [],
    i2c: [],
    pwm: ['pwm-1'],
    streams: [],
  })
  t.same(resourcesOf('pca9685-light', examples['pca9685-light']), {
    lines: ['dimmer-enable'],
    i2c: [['header', 64]],
    pwm: [],
    streams: [],
  })
  t.same(resourcesOf('capture-trigger', { shutterLine: 'shutter', syncLine: 'sync' }), {
    lines: ['shutter', 'sync'],
    i2c: [],
    pwm: [],
    streams: [],
  })
})

t.test('buttons differ in their defaults only', async t => {
  const defaults = (driver: string): unknown =>
    Object.entries(driverOptionsSchemas()[driver]?.['properties'] ?? {}).map(
      ([key, schema]) => `${key} ${JSON.stringify(schema?.default)}`,
    )
  t.same(defaults('button'), [
    'line undefined',
    'debounceMs 1',
    'settleMs 20',
    'holdOffMs 0',
    'longPressMs 1000',
  ])
  t.same(defaults('footswitch'), [
    'line undefined',
    'debounceMs 2',
    'settleMs 60',
    'holdOffMs 0',
    'longPressMs 1000',
  ])
  t.same(defaults('contact'), [
    'line undefined',
    'debounceMs 0',
    'settleMs 0',
    'holdOffMs 200',
    'longPressMs 1000',
  ])
})

t.test('the schemas for the documents give every range', async t => {
  const schema = driverOptionsSchemas()['capture-trigger']
  t.match(schema, {
    type: 'object',
    additionalProperties: false,
    properties: { pulseMs: { minimum: 10, maximum: 5000, default: 100 } },
  })
})
