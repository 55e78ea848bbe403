import t from 'tap'
import { Bq27441Settings, blockChecksum } from '../../drivers/bq27441-settings.js'
import { Bq27441Chip } from '../../drivers/simulated/bq27441-chip.js'
import { during } from './bench.js'
import { type GaugeChipBench, makeGaugeBench } from './gauge-chip-bench.js'

const LIMIT_MS = 10_000

interface Rig extends GaugeChipBench<Bq27441Chip> {
  readonly settings: Bq27441Settings
}

function makeRig(): Rig {
  const bench = makeGaugeBench(0x55, clock => new Bq27441Chip(clock))
  const pack = { milliampHours: 3000, emptyMillivolts: 3000 }
  return { ...bench, settings: new Bq27441Settings(bench.device, bench.clock, pack) }
}

t.test('the checksum after a change, from the one before', async t => {
  // An engineer's numbers for 1000 mAh in place of 2425, worked through with the manual's own formula.
  t.equal(blockChecksum(0x33, [0x09, 0x79], [0x03, 0xe8]), 0xca)
  const formula = (before: number, [a = 0, b = 0]: number[], [c = 0, d = 0]: number[]): number => {
    const rest = (((255 - before - a - b) % 256) + 256) % 256
    return 255 - ((rest + c + d) % 256)
  }
  for (let before = 0; before < 256; before += 5)
    for (const [from, to] of [
      [
        [0, 0],
        [0xff, 0xff],
      ],
      [
        [0xff, 0xff],
        [0, 0],
      ],
      [
        [0x05, 0x3c],
        [0x0b, 0xb8],
      ],
    ] as const)
      t.equal(blockChecksum(before, from, to), formula(before, [...from], [...to]))
})

t.test('tells the gauge its pack, and seals it again', async t => {
  const { settings, chip, clock } = makeRig()
  t.equal(await settings.areWritten(), false)
  await during(clock, settings.write(), LIMIT_MS)
  t.same(
    [10, 12, 16].map(offset => chip.parameter(offset)),
    [3000, 11_100, 3000],
  )
  t.equal(chip.isSealed, true)
  t.equal(chip.isConfiguring, false)
  t.equal(await settings.areWritten(), true)
})

t.test('a gauge that was not sealed is not sealed afterwards', async t => {
  const { settings, chip, clock } = makeRig()
  for (let key = 0; key < 2; key++) chip.write(0, Uint8Array.of(0x00, 0x80))
  await during(clock, settings.write(), LIMIT_MS)
  t.equal(chip.parameter(10), 3000)
  t.equal(chip.isSealed, false)
})

t.test('a gauge that does not keep them is a fault, and is left gauging', async t => {
  const { settings, chip, clock } = makeRig()
  chip.isForgetful = true
  await t.rejects(during(clock, settings.write(), LIMIT_MS), {
    code: 'device.io',
    message: /BQ27441 at 0x55: its settings were not kept/,
  })
  t.equal(chip.isConfiguring, false)
})

t.test('a gauge that does not change its mode is given up after two seconds', async t => {
  const { settings, chip, clock } = makeRig()
  const write = chip.write.bind(chip)
  chip.write = (register, bytes) => {
    if (bytes[0] !== 0x13) write(register, bytes)
  }
  const from = clock.monotonicMs()
  await t.rejects(during(clock, settings.write(), LIMIT_MS), { code: 'device.timeout' })
  t.ok(clock.monotonicMs() - from < 2_200)
})

t.test('a change that somebody left half done is ended', async t => {
  const { settings, chip, clock } = makeRig()
  for (const word of [0x8000, 0x8000, 0x0013]) chip.write(0, Uint8Array.of(word & 0xff, word >> 8))
  await clock.advance(1_000)
  await settings.areWritten()
  t.equal(chip.isConfiguring, true)
  await during(clock, settings.leaveConfiguring(), LIMIT_MS)
  t.equal(chip.isConfiguring, false)
})

t.test('where no pin tells that there is a battery, the host does', async t => {
  const { settings, chip } = makeRig()
  chip.hasBattery = false
  await settings.insertBattery()
  t.equal(chip.hasBattery, false, 'a pin tells')
  chip.hasInsertionPin = false
  await settings.insertBattery()
  t.equal(chip.hasBattery, true)
})
