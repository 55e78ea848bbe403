import t from 'tap'
import {
  type Block,
  changedBlocks,
  channelBytes,
  frequencyHzOf,
  Pca9685,
  preScaleFor,
  preScalePattern,
  wireBytes,
} from '../../drivers/pca9685.js'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { type Bench, during, makeBench as makeVenueBench } from './bench.js'

const zeros: readonly number[] = Array.from({ length: 16 }, () => 0)
const withChannel = (channel: number, count: number): number[] => zeros.with(channel, count)
const ADDRESS = 0x40

/** A bench with the chip's OE pin on. */
function makeBench(): Bench {
  const bench = makeVenueBench()
  bench.host.wire('dimmer-enable').setActive(true)
  return bench
}

t.test('the prescaler is the one the data sheet calculates', async t => {
  t.equal(preScaleFor(200), 0x1e, 'section 7.3.5: 200 Hz')
  t.equal(preScaleFor(1526), 0x03, 'the fastest')
  t.equal(preScaleFor(24), 0xfd, 'the slowest that is promised')
  t.equal(preScaleFor(1), 0xff)
  t.equal(preScaleFor(1e6), 0x03)
})

t.test('the frequency of a prescaler is what the user manual UM10574 lists', async t => {
  t.equal(Math.round(frequencyHzOf(0x1e)), 197)
  t.equal(Math.round(frequencyHzOf(0x03)), 1526)
  t.equal(Math.round(frequencyHzOf(0xff)), 24)
})

t.test('a channel is full off, full on, or on from its phase for its count', async t => {
  for (const [count, phase, bytes] of [
    [0, 0, [0, 0, 0, 0x10]],
    [4096, 0, [0, 0x10, 0, 0]],
    [1, 0, [0, 0, 1, 0]],
    [4095, 0, [0, 0, 0xff, 0x0f]],
    [2048, 0, [0, 0, 0, 0x08]],
    // Section 7.3.3, example 1: on after 409 counts for 819, so off at 1228.
    [819, 409, [0x99, 0x01, 0xcc, 0x04]],
    // Example 2: on at 3685 for 3686 counts, which runs over the end to 3275.
    [3686, 3685, [0x65, 0x0e, 0xcb, 0x0c]],
    [0, 512, [0, 0, 0, 0x10]],
  ] as const)
    t.same([...channelBytes(count, phase)], bytes, `${count} from ${phase}`)
})

t.test('at no count and phase are ON and OFF the same', async t => {
  for (let channel = 0; channel < 16; channel++)
    for (let count = 0; count <= 4096; count++) {
      const [onLow, onHigh = 0, offLow, offHigh = 0] = channelBytes(count, channel * 256)
      if (onLow === offLow && onHigh === offHigh) t.fail(`${count} from ${channel * 256}`)
    }
})

t.test('only what changed is sent, in at most two blocks of 32 bytes', async t => {
  const cases: readonly (readonly [readonly number[] | null, readonly number[], Block[]])[] = [
    [zeros, zeros, []],
    [zeros, withChannel(3, 9), [{ firstChannel: 3, counts: [9] }]],
    [zeros, withChannel(12, 9), [{ firstChannel: 12, counts: [9] }]],
    [zeros, withChannel(2, 5).with(5, 6), [{ firstChannel: 2, counts: [5, 0, 0, 6] }]],
    [
      null,
      zeros,
      [
        { firstChannel: 0, counts: zeros.slice(0, 8) },
        { firstChannel: 8, counts: zeros.slice(8) },
      ],
    ],
  ]
  for (const [before, after, blocks] of cases) t.same(changedBlocks(before, after), blocks)
  t.equal(wireBytes(changedBlocks(null, zeros)), 68)
  t.equal(wireBytes([]), 0)
})

t.test(
  'configuring obeys every rule of the data sheet, from power-on and from mid-action',
  async t => {
    const { host, clock, dimmer } = makeBench()
    const chip = new Pca9685(host.i2cDevice('header', ADDRESS), clock, {
      frequencyHz: 200,
      isStaggered: false,
    })
    for (const round of ['power-on', 'mid-action']) {
      await chip.prove()
      const loaded = chip.configure().then(async () => {
        t.same(dimmer.duties(), zeros, round)
        await chip.write({ firstChannel: 0, counts: [4096, 2048] })
      })
      await during(clock, loaded)
      t.equal(dimmer.isAsleep, false, round)
      t.equal(dimmer.preScale, 0x1e, round)
      t.same(dimmer.duties().slice(0, 3), [1, 0.5, 0], round)
      await chip.requireAwake()
    }
    t.equal(dimmer.violations, 0)
  },
)

t.test('every frequency that is promised starts, and is the one that was asked for', async t => {
  const { host, clock, dimmer } = makeBench()
  const wrong: string[] = []
  for (let frequencyHz = 24; frequencyHz <= 1526; frequencyHz++) {
    const options = { frequencyHz, isStaggered: false }
    const chip = new Pca9685(host.i2cDevice('header', ADDRESS), clock, options)
    await during(clock, chip.configure()).catch(error => wrong.push(`${frequencyHz}: ${error}`))
    if (dimmer.preScale !== preScaleFor(frequencyHz)) wrong.push(`${frequencyHz}`)
  }
  t.same(wrong, [])
  t.equal(dimmer.violations, 0)
})

t.test('the pattern that proves the prescaler is none that the chip would raise', async t => {
  for (let preScale = 3; preScale <= 255; preScale++) {
    const pattern = preScalePattern(preScale)
    t.ok(pattern >= 3 && pattern <= 255, `${pattern} for ${preScale}`)
    t.equal((pattern ^ preScale) & 0x7f, 0x7f, 'each of its lower bits is the other way round')
  }
})

t.test('staggered channels are on for the same time as others', async t => {
  const { host, clock, dimmer } = makeBench()
  const chip = new Pca9685(host.i2cDevice('header', ADDRESS), clock, {
    frequencyHz: 200,
    isStaggered: true,
  })
  await during(clock, chip.configure())
  await chip.write({ firstChannel: 0, counts: zeros.slice(0, 8).fill(3000) })
  await chip.write({ firstChannel: 8, counts: zeros.slice(8).fill(3000) })
  t.same(
    dimmer.duties(),
    zeros.map(() => 3000 / 4096),
  )
  t.equal(dimmer.violations, 0)
})

t.test('a chip of another kind is told apart without being written to', async t => {
  const { host, clock } = makeBench()
  const stranger = new RegisterChip()
  // An INA219 after power-on: the default address of both chips is the same.
  stranger.registers.set([0x39, 0x9f, 0xff, 0x01])
  host.bus('header').plug(ADDRESS, stranger)
  const before = Uint8Array.from(stranger.registers)
  const chip = new Pca9685(host.i2cDevice('header', ADDRESS), clock, {
    frequencyHz: 200,
    isStaggered: false,
  })
  await t.rejects(chip.prove(), { code: 'device.absent', message: /no PCA9685/ })
  t.same(stranger.registers, before)
})

t.test('a chip that does not keep what is written is no PCA9685', async t => {
  const { host, clock } = makeBench()
  host.bus('header').plug(ADDRESS, {
    isPlugged: true,
    read: (_, byteCount) => new Uint8Array(byteCount),
    write: () => {},
  })
  const chip = new Pca9685(host.i2cDevice('header', ADDRESS), clock, {
    frequencyHz: 200,
    isStaggered: false,
  })
  await chip.prove()
  await t.rejects(chip.configure(), { code: 'device.absent', message: /0xfe reads 0x00/ })
})

t.test('two lost transfers are tried again, three are a fault', async t => {
  const { host, clock } = makeBench()
  const chip = new Pca9685(host.i2cDevice('header', ADDRESS), clock, {
    frequencyHz: 200,
    isStaggered: false,
  })
  host.bus('header').failNext('device.io', 'device.timeout')
  await chip.allOff()
  host.bus('header').failNext('device.io', 'device.io', 'device.io')
  await t.rejects(chip.allOff(), { code: 'device.io' })
})
