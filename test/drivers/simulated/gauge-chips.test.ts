/** Goal: what gauges are tested on is as the data sheets say. Method: their own numbers, without any driver. */
import t from 'tap'
import { Bq27441Chip } from '../../../drivers/simulated/bq27441-chip.js'
import type { SimulatedChip } from '../../../drivers/simulated/chips.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Ina219Chip } from '../../../drivers/simulated/ina219-chip.js'
import { Ina226Chip } from '../../../drivers/simulated/ina226-chip.js'
import { Ina3221Chip } from '../../../drivers/simulated/ina3221-chip.js'
import { Lc709203fChip } from '../../../drivers/simulated/lc709203f-chip.js'
import { Max1704xChip } from '../../../drivers/simulated/max1704x-chip.js'
import { packAtRest, RunningPack } from '../../../drivers/simulated/pack-truth.js'

const makeClock = (): SimulatedClock => new SimulatedClock({ showStartMs: 0, driftPpm: 0 })

function word(chip: SimulatedChip, register: number): number {
  const [high = 0, low = 0] = chip.read(register, 2)
  return (high << 8) | low
}
const write = (chip: SimulatedChip, register: number, value: number): void =>
  chip.write(register, Uint8Array.of(value >> 8, value & 0xff))

t.test("an INA219 goes through the data sheet's example", async t => {
  const clock = makeClock()
  const truth = { ...packAtRest(), millivolts: 11_980, milliamps: 10_000 }
  const chip = new Ina219Chip(clock, { shuntMilliohms: 2, truth })
  chip.converter.noiseSteps = 0
  t.equal(word(chip, 0), 0x399f)
  write(chip, 0, 0x019f)
  write(chip, 5, 0x5000)
  t.equal(word(chip, 2), 0, 'nothing yet')
  await clock.advance(2)
  t.same(
    [1, 2, 5, 4].map(register => word(chip, register)),
    [0x07d0, 0x5d9a, 0x5000, 0x2710],
  )
  t.equal(word(chip, 3), 0x1766)
  t.equal(word(chip, 2), 0x5d98, 'reading the power clears CNVR')
})

t.test('an INA219 has no bit 0 of the calibration, a range, and an overflow', async t => {
  const clock = makeClock()
  const truth = { ...packAtRest(), milliamps: -5_000 }
  const chip = new Ina219Chip(clock, { shuntMilliohms: 100, truth })
  chip.converter.noiseSteps = 0
  write(chip, 5, 0x1001)
  t.equal(word(chip, 5), 0x1000)
  await clock.advance(2)
  t.equal(word(chip, 1), 0x8300, '320 mV is the end')
  write(chip, 0, 0x019f)
  await clock.advance(2)
  t.equal(word(chip, 1), 0xf060, 'or 40 mV')
  write(chip, 0, 0x399f)
  write(chip, 5, 0xfffe)
  await clock.advance(2)
  t.equal(word(chip, 2) & 1, 1)
  write(chip, 0, 0x8000)
  t.same([word(chip, 0), word(chip, 5)], [0x399f, 0])
})

t.test('an INA219 converts for as long as its table says', async t => {
  const clock = makeClock()
  const chip = new Ina219Chip(clock, { shuntMilliohms: 100 })
  write(chip, 0, 0x3fff)
  await clock.advance(136)
  t.equal(word(chip, 2), 0)
  await clock.advance(1)
  t.equal(word(chip, 2) & 2, 2, 'twice 68.10 ms')
})

t.test("an INA226 goes through the data sheet's example", async t => {
  const clock = makeClock()
  const truth = { ...packAtRest(), millivolts: 11_980, milliamps: 10_000 }
  const chip = new Ina226Chip(clock, { shuntMilliohms: 2, truth })
  chip.converter.noiseSteps = 0
  t.same(
    [0, 0xfe, 0xff].map(register => word(chip, register)),
    [0x4127, 0x5449, 0x2260],
  )
  write(chip, 5, 0x0a00)
  await clock.advance(3)
  t.same(
    [1, 2, 4, 3].map(register => word(chip, register)),
    [0x1f40, 0x2570, 0x2710, 0x12b8],
  )
  t.equal(word(chip, 6), 0x0008)
  t.equal(word(chip, 6), 0, 'looking clears CVRF')
  await clock.advance(3)
  t.equal(word(chip, 6), 0x0008, 'the next conversion sets it')
})

t.test("an INA3221 has the data sheet's words, to the left", async t => {
  const clock = makeClock()
  const chip = new Ina3221Chip(clock, { shuntMilliohms: 100 })
  chip.converter.noiseSteps = 0
  t.same(
    [0, 0xfe, 0xff].map(register => word(chip, register)),
    [0x7127, 0x5449, 0x3220],
  )
  Object.assign(chip.truths[0], { millivolts: 12_000, milliamps: -800 })
  await clock.advance(7)
  t.same(
    [1, 2].map(register => word(chip, register)),
    [0xc180, 0x2ee0],
  )
  t.same([word(chip, 0x0f), word(chip, 0x0f)], [1, 0])
})

t.test('a gauge by Maxim has its words, and clears its flag only when it is told to', async t => {
  const options = { cells: 1, milliampHours: 3000 }
  const truth = { ...packAtRest(), millivolts: 4100, percent: 87, milliamps: -1500 }
  const newer = new Max1704xChip({ ...options, family: 'max17048', truth })
  t.same(
    [0x02, 0x04, 0x08, 0x0c, 0x1a].map(register => word(newer, register)),
    [0xcd00, 0x5700, 0x0012, 0x971c, 0x0100],
  )
  t.equal(word(newer, 0x16), 0x10000 - 240, '50 %/h')
  write(newer, 0x1a, 0)
  t.equal(word(newer, 0x1a), 0)
  const older = new Max1704xChip({ ...options, family: 'max17040', truth })
  t.same(
    [0x02, 0x16, 0x1a].map(register => word(older, register)),
    [0xcd00, 0, 0],
  )
  write(older, 0x06, 0x4000)
  t.equal(older.quickStarts, 1)
})

t.test("an LC709203F has the data sheet's checksum, and takes nothing without one", async t => {
  const chip = new Lc709203fChip({ ...packAtRest(), millivolts: 3778 })
  t.same([...chip.read(0x15, 2)], [2, 0], 'asleep')
  chip.write(0x15, Uint8Array.of(1, 0, 0))
  t.same([...chip.read(0x15, 2)], [2, 0])
  chip.write(0x15, Uint8Array.of(1, 0, 0x64))
  t.same([...chip.read(0x15, 2)], [1, 0])
  t.same([...chip.read(0x09, 3)], [0xc2, 0x0e, 0x86])
  chip.badChecksums = 1
  t.not(chip.read(0x09, 3)[2], 0x86)
  t.equal(chip.read(0x09, 3)[2], 0x86)
})

t.test(
  'a BQ27441 keeps its parameters while it is sealed, and takes a block by its checksum',
  async t => {
    const clock = makeClock()
    const chip = new Bq27441Chip(clock)
    const control = (subcommand: number): void =>
      chip.write(0, Uint8Array.of(subcommand & 0xff, subcommand >> 8))
    const byte = (command: number): number => chip.read(command, 1)[0] ?? -1
    control(0x0001)
    t.same([...chip.read(0, 2)], [0x21, 0x04])
    t.equal(byte(0x06), 0x28, 'ITPOR and a battery')
    control(0x0013)
    await clock.advance(1_000)
    t.equal(chip.isConfiguring, false, 'sealed')
    for (const subcommand of [0x8000, 0x8000, 0x0013]) control(subcommand)
    await clock.advance(1_000)
    t.equal(chip.isConfiguring, true)
    for (const [command, value] of [
      [0x61, 0],
      [0x3e, 0x52],
      [0x3f, 0],
    ] as const)
      chip.write(command, Uint8Array.of(value))
    t.same([...chip.read(0x4a, 2)], [0x05, 0x3c])
    const before = byte(0x60)
    chip.write(0x4a, Uint8Array.of(0x0b, 0xb8))
    chip.write(0x60, Uint8Array.of(before))
    t.equal(chip.parameter(10), 1340, 'a wrong checksum')
    chip.write(0x60, Uint8Array.of((before + 0x05 + 0x3c - 0x0b - 0xb8) & 0xff))
    t.equal(chip.parameter(10), 3000)
    control(0x0042)
    await clock.advance(1_000)
    t.equal(byte(0x06), 0x08)
  },
)

t.test('whatever the chip, a bus that it does not drive reads ones or zeros', async t => {
  const clock = makeClock()
  for (const chip of [
    new Ina219Chip(clock, { shuntMilliohms: 100 }),
    new Ina226Chip(clock, { shuntMilliohms: 100 }),
    new Ina3221Chip(clock, { shuntMilliohms: 100 }),
    new Max1704xChip({ family: 'max17048', cells: 1, milliampHours: 3000 }),
    new Lc709203fChip(),
    new Bq27441Chip(clock),
  ]) {
    chip.pattern = 'all-ones'
    t.same([...chip.read(2, 3)], [0xff, 0xff, 0xff])
    chip.pattern = 'all-zeros'
    t.same([...chip.read(2, 3)], [0, 0, 0])
  }
})

t.test('a cell that a box runs on drains as time passes, and by nothing else', async t => {
  const clock = makeClock()
  const pack = new RunningPack(clock, { milliwatts: 2500, milliampHours: 3000, cells: 1 })
  const before = pack.percent
  t.equal(pack.percent, before)
  await clock.advance(3_600_000)
  const used = before - pack.percent
  t.ok(used > 18 && used < 28, `${used} % in an hour at about 650 mA`)
  t.ok(pack.milliamps < -550 && pack.milliamps > -800, `${pack.milliamps} mA`)
})
