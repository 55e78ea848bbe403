import t from 'tap'
import { known, unknown } from '../../drivers/gauge-reading.js'
import {
  type Measurement,
  milliampsOf,
  type ShuntChip,
  ShuntGauge,
} from '../../drivers/shunt-gauge.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'

class Chip implements ShuntChip {
  readonly offsetMicrovoltsMax = 100
  readonly loadedMicrovolts = 500
  configured: boolean | null = true
  configurations = 0
  measurement: Measurement = {
    isReady: true,
    words: [1],
    channels: [
      { millivolts: known(12_000), microvolts: known(-50_000), isZero: false },
      { millivolts: known(5_000), microvolts: known(1_000), isZero: false },
    ],
  }

  async prove(): Promise<void> {}

  async isConfigured(): Promise<boolean | null> {
    return this.configured
  }

  async configure(): Promise<void> {
    this.configurations++
    this.configured = true
  }

  async measure(): Promise<Measurement> {
    return this.measurement
  }
}

function makeGauge(): { gauge: ShuntGauge; chip: Chip; clock: SimulatedClock } {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const chip = new Chip()
  const shunts = [
    { shuntMilliohms: 100, isReversed: false },
    { shuntMilliohms: 10, isReversed: true },
  ]
  return { gauge: new ShuntGauge(clock, chip, shunts), chip, clock }
}

t.test('a drop is a current by its shunt, into the pack positive', async t => {
  t.equal(milliampsOf(20_000, { shuntMilliohms: 2, isReversed: false }), 10_000)
  t.equal(milliampsOf(20_000, { shuntMilliohms: 2, isReversed: true }), -10_000)
  t.ok(Object.is(milliampsOf(0, { shuntMilliohms: 2, isReversed: true }), 0))
})

t.test('each channel has its own shunt and its own reading', async t => {
  const { gauge } = makeGauge()
  await gauge.start()
  t.match(await gauge.read(), [
    { millivolts: 12_000, milliamps: -500, isCharging: false },
    { millivolts: 5_000, milliamps: -100, isCharging: false },
  ])
})

t.test('a trouble of one channel is not the trouble of the other', async t => {
  const { gauge, chip } = makeGauge()
  await gauge.start()
  chip.measurement = {
    ...chip.measurement,
    channels: [
      { millivolts: known(12_000), microvolts: unknown('overflow'), isZero: false },
      { millivolts: known(100), microvolts: known(0), isZero: false },
    ],
  }
  t.match(await gauge.read(), [
    { millivolts: 12_000, milliamps: null, troubles: ['overflow'] },
    { millivolts: null, milliamps: null, troubles: ['no-pack'] },
  ])
})

t.test('a chip that forgot its settings is told them once, and all channels say so', async t => {
  const { gauge, chip } = makeGauge()
  await gauge.start()
  chip.configured = false
  t.match(await gauge.read(), [
    { millivolts: 12_000, milliamps: null, wasReset: true, troubles: ['reset'] },
    { millivolts: 5_000, milliamps: null, wasReset: true, troubles: ['reset'] },
  ])
  t.equal(chip.configurations, 2)
  t.match(await gauge.read(), [{ wasReset: false }, { wasReset: false }])
  t.equal(chip.configurations, 2)
})

t.test('a reset that could not be mended is told by the reading that follows', async t => {
  const { gauge, chip } = makeGauge()
  await gauge.start()
  chip.configured = false
  const configure = chip.configure.bind(chip)
  chip.configure = () => Promise.reject(new Error('lost'))
  await t.rejects(gauge.read(), { message: 'lost' })
  chip.configure = configure
  await gauge.start()
  t.match(await gauge.read(), [{ wasReset: true }, { wasReset: true }])
})

t.test(
  'a measurement without the ready flag is one, and a zero before the first is none',
  async t => {
    const { gauge, chip } = makeGauge()
    const zero = { millivolts: known(0), microvolts: known(0), isZero: true }
    const [first] = chip.measurement.channels
    if (first === undefined) throw new Error('it has two')
    await gauge.start()
    chip.measurement = { isReady: false, words: [1, 0], channels: [first, zero] }
    t.match(await gauge.read(), [
      { millivolts: 12_000, milliamps: -500, troubles: [] },
      { millivolts: null, milliamps: null, troubles: ['not-ready'] },
    ])
    chip.measurement = { ...chip.measurement, isReady: true }
    t.match(await gauge.read(), [{}, { millivolts: null, troubles: ['no-pack'] }], 'it is measured')
    chip.measurement = { ...chip.measurement, isReady: false }
    t.match(await gauge.read(), [{}, { troubles: ['no-pack'] }], 'and stands')
    await gauge.start()
    t.match(await gauge.read(), [{ millivolts: 12_000 }, { troubles: ['not-ready'] }], 'configured')
  },
)

t.test(
  'a chip that has stopped is believed no more, and one that shows its flag again is',
  async t => {
    const { gauge, chip, clock } = makeGauge()
    await gauge.start()
    await gauge.read()
    chip.measurement = { ...chip.measurement, isReady: false }
    await clock.advance(9_999)
    t.match(await gauge.read(), [{ millivolts: 12_000 }, {}])
    await clock.advance(1)
    t.match(await gauge.read(), [{ millivolts: null, troubles: ['not-ready'] }, {}])
    chip.measurement = { ...chip.measurement, isReady: true }
    t.match(await gauge.read(), [{ millivolts: 12_000, troubles: [] }, {}])
  },
)

t.test('a blank chip is unknown in every channel, and left alone', async t => {
  const { gauge, chip } = makeGauge()
  await gauge.start()
  chip.configured = null
  const readings = await gauge.read()
  t.same(
    readings.map(({ millivolts, milliamps, troubles }) => [millivolts, milliamps, troubles]),
    [
      [null, null, ['implausible']],
      [null, null, ['implausible']],
    ],
  )
  t.equal(chip.configurations, 1)
})
