import t from 'tap'
import { type BatteryOptions, BatteryPack } from '../../../drivers/simulated/battery-pack.js'
import { BatterySensor } from '../../../drivers/simulated/battery-sensor.js'
import { randomFrom } from '../../../runtime/core/random.js'

const options: BatteryOptions = {
  chemistry: 'li-ion',
  cells: 2,
  milliampHours: 5_000,
  milliohms: 60,
  health: 1,
  celsius: 25,
  charge: 1,
  seed: 1,
}
const idle = { milliwatts: 0, chargerMilliamps: null }
const load = { milliwatts: 7_400, chargerMilliamps: null }

function drain(pack: BatteryPack, milliwatts: number): number {
  let seconds = 0
  for (; pack.charge > 0.01 && seconds < 200_000; seconds += 10)
    pack.step(10, { milliwatts, chargerMilliamps: null })
  return seconds / 3_600
}

t.test('it gives what is printed on it, less with age and in the cold', async t => {
  const hours = (change: Partial<BatteryOptions>): number =>
    drain(new BatteryPack({ ...options, ...change }), 7_400)
  const fresh = hours({})
  t.ok(Math.abs(fresh - 5) < 0.3, `${fresh} h of 37 Wh at 7.4 W`)
  t.ok(hours({ health: 0.7 }) < 0.75 * fresh)
  t.ok(hours({ celsius: 0 }) < 0.92 * fresh)
})

t.test('its voltage sags at once and some more in time, and comes back', async t => {
  const pack = new BatteryPack({ ...options, charge: 0.6 })
  const rest = pack.volts
  pack.step(1, load)
  const first = pack.volts
  for (let second = 0; second < 600; second++) pack.step(1, load)
  const later = pack.volts
  for (let second = 0; second < 1_200; second++) pack.step(1, idle)
  t.ok(first < rest - 0.04)
  t.ok(later < first - 0.01)
  t.ok(pack.volts > rest - 0.12 && pack.volts > later)
})

t.test(
  'a charger fills it with a constant current, then a constant voltage, then ends',
  async t => {
    const pack = new BatteryPack({ ...options, charge: 0.3 })
    const amps: number[] = []
    let top = 0
    for (let second = 0; second < 6 * 3_600; second++) {
      pack.step(1, { milliwatts: 5_000, chargerMilliamps: 2_000 })
      amps.push(pack.amps)
      top = Math.max(top, pack.volts)
    }
    t.equal(amps[100], 2)
    t.ok(top <= 8.41, `${top} V`)
    t.equal(amps.at(-1), 0)
    t.ok(pack.charge > 0.95)
  },
)

t.test('the same seed is the same pack, another seed another one', async t => {
  const volts = (seed: number): number => new BatteryPack({ ...options, charge: 0.4, seed }).volts
  t.equal(volts(3), volts(3))
  t.not(volts(3), volts(4))
})

t.test('a sensor is off by its gain, its offset, its noise and its steps', async t => {
  const pack = new BatteryPack({ ...options, charge: 0.5 })
  pack.step(1, load)
  const sensor = new BatterySensor(
    pack,
    {
      voltGain: 1.01,
      ampGain: 1,
      offsetMilliamps: 50,
      noiseMillivolts: 0,
      noiseMilliamps: 10,
      stepMillivolts: 4,
      stepMilliamps: 1,
    },
    randomFrom(1),
  )
  t.equal(sensor.millivolts() % 4, 0)
  t.ok(Math.abs(sensor.millivolts() - pack.volts * 1_010) <= 2)
  const many = Array.from({ length: 2_000 }, () => sensor.milliamps())
  const mean = many.reduce((sum, value) => sum + value, 0) / many.length
  t.ok(Math.abs(mean - pack.amps * 1_000 - 50) < 2)
  t.ok(new Set(many).size > 20)
})
