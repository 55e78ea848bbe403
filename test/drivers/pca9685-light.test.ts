import t from 'tap'
import { Pca9685Light, type Pca9685LightOptions } from '../../drivers/pca9685-light.js'
import { Pca9685Chip } from '../../drivers/simulated/pca9685-chip.js'
import { DeviceError } from '../../runtime/core/errors.js'
import type { Fired } from '../../runtime/ports/host.js'
import { at, type Bench, changesOf, during, makeBench } from './bench.js'

const BUS = 'header'
const ENABLE = 'dimmer-enable'

interface Rig extends Bench {
  readonly light: Pca9685Light
  readonly applied: Fired[]
  readonly faults: Error[]
}

function makeRig(
  options: Partial<Pca9685LightOptions> & { isI2cTimed?: boolean; isEnableWired?: boolean } = {},
): Rig {
  const { isI2cTimed = false, isEnableWired = true, ...others } = options
  const bench = makeBench({ isI2cTimed })
  // Without the wire the board ties OE low.
  if (!isEnableWired) bench.host.wire(ENABLE).setActive(true)
  const light = new Pca9685Light(
    bench.host.i2cDevice(BUS, 0x40),
    isEnableWired ? bench.host.outputLine(ENABLE) : null,
    bench.clock,
    {
      name: 'dimmer',
      frequencyHz: 1000,
      gamma: 1,
      channelCount: 16,
      isStaggered: false,
      ...others,
    },
  )
  const applied: Fired[] = []
  const faults: Error[] = []
  light.onApplied(fired => void applied.push(fired))
  light.onFault(fault => void faults.push(fault))
  return { ...bench, light, applied, faults }
}

async function started(options: Parameters<typeof makeRig>[0] = {}): Promise<Rig> {
  const rig = makeRig(options)
  await during(rig.clock, rig.light.start())
  return rig
}

const all = (level: number): number[] => Array.from({ length: 16 }, () => level)
const soon = (rig: Rig, ms: number): ReturnType<typeof at> => at(rig.clock.monotonicMs() + ms)

t.test('shows levels on their channels at the moment, and says so', async t => {
  const rig = await started()
  const moment = soon(rig, 100)
  rig.light.apply([1, 0.5, 0, 0.25], moment)
  await rig.clock.advance(99)
  t.same(rig.dimmer.duties(), all(0))
  await rig.clock.advance(1)
  t.same(rig.dimmer.duties(), all(0).with(0, 1).with(1, 0.5).with(3, 0.25))
  t.same(rig.applied, [{ plannedMs: moment, firedMs: moment, source: 'firing' }])
  t.equal(rig.dimmer.violations, 0)
})

t.test('dims by gamma, and full and dark stay exact', async t => {
  const rig = await started({ gamma: 2.2 })
  rig.light.apply([0.5, 1, 0], soon(rig, 0))
  await rig.clock.advance(0)
  t.same(rig.dimmer.duties().slice(0, 3), [Math.round(0.5 ** 2.2 * 4096) / 4096, 1, 0])
})

t.test('channels beyond the configured count stay dark', async t => {
  const rig = await started({ channelCount: 4 })
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(0)
  t.same(rig.dimmer.duties(), all(0).fill(1, 0, 4))
})

t.test('begins a transfer so early that the light changes on time', async t => {
  const rig = await started({ isI2cTimed: true })
  // Two blocks of 34 bytes, nine bits each, and start and stop: 6.16 ms at 100 kHz.
  t.equal(rig.light.leadMs.toFixed(3), '6.160')
  const moment = soon(rig, 100)
  rig.light.apply(all(0.5), moment)
  await rig.clock.advance(1000)
  t.ok(Math.abs((rig.applied[0]?.firedMs ?? 0) - moment) < 0.001, 'all channels, two blocks')
  const next = soon(rig, 100)
  rig.light.apply(all(0.5).with(7, 1), next)
  await rig.clock.advance(1000)
  const lateMs = (rig.applied[1]?.firedMs ?? 0) - next
  t.ok(lateMs > -0.1 && lateMs < 0.1, `one channel, one short block: ${lateMs} ms late`)
})

t.test('a bus that was slow at the start is believed to be faster once it is', async t => {
  const rig = makeRig({ isI2cTimed: true })
  rig.host.bus(BUS).stretch = 10
  await during(rig.clock, rig.light.start())
  t.equal(rig.light.leadMs.toFixed(3), '61.600')
  rig.host.bus(BUS).stretch = 1
  rig.light.apply(all(0.5), soon(rig, 100))
  await rig.clock.advance(1000)
  t.equal(rig.light.leadMs.toFixed(3), '6.160')
  const moment = soon(rig, 100)
  rig.light.apply(all(1), moment)
  await rig.clock.advance(1000)
  t.ok(Math.abs((rig.applied[1]?.firedMs ?? 0) - moment) < 0.1, 'on time again')
})

t.test('a bus slower than the frames shows the latest one and queues nothing', async t => {
  const rig = await started({ isI2cTimed: true })
  const first = rig.clock.monotonicMs() + 50
  for (let frame = 1; frame <= 100; frame++) rig.light.apply(all(frame / 100), at(first + frame))
  const before = rig.host.bus(BUS).transferCount
  await rig.clock.advance(50 + 100 + 7)
  t.same(rig.dimmer.duties(), all(1), 'the last frame is there one transfer after its moment')
  t.ok(rig.host.bus(BUS).transferCount - before < 60, 'frames that came too fast were merged')
  t.ok(rig.applied.length > 10 && rig.applied.length < 30)
  const late = rig.applied.map(({ plannedMs, firedMs }) => firedMs - plannedMs)
  t.ok(Math.max(...late) < 14, 'none waited behind more than the transfer before it')
})

t.test('a short frame never undoes the long one that comes just after it', async t => {
  for (let gapMs = 0; gapMs <= 10; gapMs += 0.5) {
    const rig = await started({ isI2cTimed: true })
    const moment = rig.clock.monotonicMs() + 100
    rig.light.apply(all(0).with(0, 1), at(moment))
    rig.light.apply(all(1), at(moment + gapMs))
    // It may have to wait for the end of the short one.
    await rig.clock.advance(100 + gapMs + 0.6)
    t.same(rig.dimmer.duties(), all(1), `${gapMs} ms later, on time`)
    await rig.clock.advance(1000)
    t.same(rig.dimmer.duties(), all(1), `${gapMs} ms later, and it stays`)
  }
})

t.test('what the dropped frame changed is in the one that overtook it', async t => {
  const rig = await started({ isI2cTimed: true })
  const moment = rig.clock.monotonicMs() + 100
  rig.light.apply(all(0).with(12, 0.5), at(moment))
  rig.light.apply(all(0).fill(1, 0, 8).with(12, 0.5), at(moment + 1))
  await rig.clock.advance(101.1)
  t.same(rig.dimmer.duties(), all(0).fill(1, 0, 8).with(12, 0.5), 'both are there on time')
})

t.test('what must be seen at once drops what a stall has left behind', async t => {
  const rig = await started({ isI2cTimed: true })
  rig.light.apply(all(0).with(0, 1), soon(rig, 50))
  // Its moment has come when somebody, before its turn, wants something else at once.
  rig.clock.runAt(soon(rig, 20), () => rig.light.apply(all(1), soon(rig, 0)))
  await rig.clock.advance(1000)
  t.same(rig.dimmer.duties(), all(1))
})

t.test(
  'frames of several chips for one moment take turns on the bus, and none is late',
  async t => {
    const { clock, host } = makeBench({ isI2cTimed: true })
    const fired: Fired[] = []
    const lights: Pca9685Light[] = []
    for (const address of [0x50, 0x51, 0x52]) {
      host.bus(BUS).plug(address, new Pca9685Chip(clock, () => true))
      const options = { frequencyHz: 1000, gamma: 1, channelCount: 16, isStaggered: false }
      const device = host.i2cDevice(BUS, address)
      const light = new Pca9685Light(device, null, clock, { name: `${address}`, ...options })
      await during(clock, light.start())
      light.onApplied(one => void fired.push(one))
      lights.push(light)
    }
    const begun = clock.monotonicMs()
    for (const light of lights)
      for (let frame = 1; frame <= 40; frame++)
        light.apply(all(frame / 40), at(begun + 50 + frame * 25))
    await clock.advance(2000)
    t.equal(fired.length, 3 * 40)
    const late = fired.map(({ plannedMs, firedMs }) => firedMs - plannedMs)
    t.ok(Math.max(...late) < 0.1, `${Math.max(...late)} ms late at most`)
    t.ok(Math.min(...late) > -12.5, `${-Math.min(...late)} ms early at most`)
  },
)

t.test('forgets what is planned', async t => {
  const rig = await started()
  rig.light.apply(all(0.5), soon(rig, 10))
  rig.light.apply(all(1), soon(rig, 100))
  await rig.clock.advance(50)
  rig.light.cancelPlanned()
  await rig.clock.advance(1000)
  t.same(rig.dimmer.duties(), all(0.5))
  rig.light.apply(all(1), soon(rig, 10))
  await rig.clock.advance(10)
  t.same(rig.dimmer.duties(), all(1))
})

t.test(
  'a blackout by the enable pin is immediate, holds, and goes back to the latest levels',
  async t => {
    const rig = await started({ isI2cTimed: true })
    rig.light.apply(all(1), soon(rig, 0))
    await rig.clock.advance(50)
    rig.light.blackout()
    t.same(rig.dimmer.duties(), all(0))
    rig.light.apply(all(0.5), soon(rig, 0))
    await rig.clock.advance(100)
    t.same(rig.dimmer.duties(), all(0))
    rig.light.restore()
    t.same(rig.dimmer.duties(), all(0.5))
    t.equal(rig.applied.length, 1, 'what nobody saw is not reported')
  },
)

t.test('without the enable pin a blackout is one transfer, between two of a frame', async t => {
  const rig = await started({ isI2cTimed: true, isEnableWired: false })
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(1)
  rig.light.blackout()
  await rig.clock.advance(3)
  t.same(rig.dimmer.duties(), all(0), 'the first block ended, and the second never began')
  rig.light.apply(all(0.5), soon(rig, 0))
  await rig.clock.advance(3000)
  t.same(rig.dimmer.duties(), all(0))
  rig.light.restore()
  await rig.clock.advance(10)
  t.same(rig.dimmer.duties(), all(0.5))
  t.equal(rig.dimmer.violations, 0)
})

t.test('a chip left shining by a dead process is dark before anything else', async t => {
  const rig = await started()
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(1)
  t.same(rig.dimmer.duties(), all(1))
  const { host, clock, dimmer } = rig
  // Nobody stood in for it.
  rig.host.wire(ENABLE).release()
  host.bus(BUS).forgetLastWords()
  const next = new Pca9685Light(host.i2cDevice(BUS, 0x40), host.outputLine(ENABLE), clock, {
    name: 'dimmer',
    frequencyHz: 1000,
    gamma: 1,
    channelCount: 16,
    isStaggered: false,
  })
  const starting = next.start()
  t.same(dimmer.duties(), all(0))
  await during(clock, starting)
  t.equal(host.physical(ENABLE), false, 'outputs are on again, and every channel is off')
  t.same(dimmer.duties(), all(0))
})

for (const isEnableWired of [true, false])
  t.test(
    `every channel is dark when the process is killed, OE ${isEnableWired ? '' : 'not '}wired`,
    async t => {
      const rig = await started({ isEnableWired })
      rig.light.apply(all(1), soon(rig, 0))
      await rig.clock.advance(1)
      t.same(rig.dimmer.duties(), all(1))
      rig.host.die()
      t.same(rig.dimmer.duties(), all(0))
      t.equal(rig.dimmer.violations, 0)
    },
  )

t.test('nothing is left to say after a stop, everything after one that failed', async t => {
  const rig = await started({ isEnableWired: false })
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(1)
  rig.host.bus(BUS).isStuck = true
  await during(rig.clock, rig.light.stop())
  rig.host.bus(BUS).isStuck = false
  t.same(rig.dimmer.duties(), all(1), 'the chip was out of reach')
  rig.host.carryOutLastWords()
  t.same(rig.dimmer.duties(), all(0))
  await during(rig.clock, rig.light.start())
  await during(rig.clock, rig.light.stop())
  await rig.host.i2cDevice(BUS, 0x40).writeRegister(0x06, Uint8Array.of(0, 0x10, 0, 0))
  rig.host.carryOutLastWords()
  t.equal(rig.dimmer.duty(0), 1, "another's light is left alone")
})

t.test('a chip that another process has is left alone', async t => {
  const rig = makeRig({ isEnableWired: false })
  const device = rig.host.i2cDevice(BUS, 0x40)
  const written: number[] = []
  const busy = new DeviceError('device.busy', 'it belongs to another process')
  const taken = {
    ...device,
    writeRegister: async (register: number) => void written.push(register),
    setLastWords: () => Promise.reject(busy),
  }
  const { name } = rig.light
  const options = { name, frequencyHz: 1000, gamma: 1, channelCount: 16, isStaggered: false }
  const light = new Pca9685Light(taken, null, rig.clock, options)
  await t.rejects(during(rig.clock, light.start()), { code: 'device.busy' })
  await light.stop()
  t.same(written, [])
})

t.test('a stop is dark twice over, and may come twice', async t => {
  for (const isEnableWired of [true, false]) {
    const rig = await started({ isEnableWired })
    rig.light.apply(all(1), soon(rig, 0))
    rig.light.apply(all(0.5), soon(rig, 100))
    await rig.clock.advance(1)
    await rig.light.stop()
    await rig.light.stop()
    await rig.clock.advance(1000)
    if (!isEnableWired) t.same(rig.dimmer.duties(), all(0))
    // Even with the pin tied to on.
    rig.host.wire(ENABLE).setActive(true)
    t.same(rig.dimmer.duties(), all(0))
  }
})

t.test('a stop during the start leaves the outputs off', async t => {
  for (const isEnableWired of [true, false]) {
    const rig = makeRig({ isEnableWired })
    const refused = t.rejects(rig.light.start(), { name: 'DeviceError' })
    await rig.clock.advance(0)
    await rig.light.stop()
    await rig.clock.advance(100)
    await refused
    rig.light.apply(all(1), soon(rig, 0))
    await rig.clock.advance(1)
    t.same(rig.dimmer.duties(), all(0))
  }
})

t.test('a frame that comes as the writing of the last one ends is not lost', async t => {
  for (let turns = 0; turns < 12; turns++) {
    const rig = await started()
    const cancel = rig.light.onApplied(() => {
      cancel()
      let turn = Promise.resolve()
      for (let more = 0; more < turns; more++) turn = turn.then(() => {})
      void turn.then(() => rig.light.apply(all(1), soon(rig, 0)))
    })
    rig.light.apply(all(0.5), soon(rig, 0))
    await rig.clock.advance(1)
    t.same(rig.dimmer.duties(), all(1), `${turns} turns of the promises later`)
  }
})

t.test('an unplugged chip fails the start, and a later start finds it', async t => {
  const rig = makeRig()
  rig.dimmer.isPlugged = false
  await t.rejects(rig.light.start(), { code: 'device.absent' })
  await rig.light.stop()
  t.equal(rig.host.physical(ENABLE), true, 'outputs are off')
  rig.dimmer.isPlugged = true
  await during(rig.clock, rig.light.start())
})

t.test('a start that fails says why it did, though the enable pin cannot be let go of', async t => {
  const { host, clock } = makeRig()
  const pin = host.outputLine(ENABLE)
  const enable = {
    name: pin.name,
    open: (isActive: boolean) => pin.open(isActive),
    set: (isActive: boolean) => pin.set(isActive),
    setAt: () => () => {},
    close: () => Promise.reject(new DeviceError('device.stuck', 'it hangs')),
  }
  const options = { name: 'dimmer', frequencyHz: 1000, gamma: 1 }
  const light = new Pca9685Light(host.i2cDevice(BUS, 0x41), enable, clock, {
    ...options,
    channelCount: 16,
    isStaggered: false,
  })
  await t.rejects(light.start(), { code: 'device.absent' })
})

t.test('a chip unplugged in the show is one fault and disables the outputs', async t => {
  const rig = await started()
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(1)
  rig.dimmer.isPlugged = false
  rig.light.apply(all(0.5), soon(rig, 10))
  rig.light.apply(all(0.6), soon(rig, 20))
  await rig.clock.advance(5000)
  t.match(rig.faults, [{ code: 'device.absent' }])
  t.equal(rig.faults.length, 1)
  t.same(rig.dimmer.duties(), all(0))
  await rig.light.stop()
  rig.dimmer.isPlugged = true
  rig.dimmer.reset()
  await during(rig.clock, rig.light.start())
  rig.light.apply(all(0.5), soon(rig, 0))
  await rig.clock.advance(1)
  t.same(rig.dimmer.duties(), all(0.5))
})

t.test('a chip that lost its supply for a moment is noticed within two seconds', async t => {
  const rig = await started()
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(1)
  rig.dimmer.reset()
  await rig.clock.advance(2000)
  t.match(rig.faults, [{ code: 'device.io', message: /reset/ }])
})

t.test('a stuck bus is a fault, and one disturbed transfer is not', async t => {
  const rig = await started()
  rig.host.bus(BUS).failNext('device.io')
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(1)
  t.same(rig.dimmer.duties(), all(1))
  t.same(rig.faults, [])
  rig.host.bus(BUS).isStuck = true
  rig.light.apply(all(0.5), soon(rig, 0))
  await rig.clock.advance(1)
  t.match(rig.faults, [{ code: 'device.stuck' }])
  await rig.light.stop()
})

t.test('a blackout outlives a restart of the device', async t => {
  const rig = await started()
  rig.light.blackout()
  await rig.light.stop()
  await during(rig.clock, rig.light.start())
  rig.light.apply(all(1), soon(rig, 0))
  await rig.clock.advance(1)
  t.same(rig.dimmer.duties(), all(0))
  rig.light.restore()
  t.same(rig.dimmer.duties(), all(1))
})

t.test('a minute of frames on a noisy bus ends each second on its last levels', async t => {
  const { clock, host, dimmer, light, faults } = await started({ isI2cTimed: true })
  for (let second = 0; second < 60; second++) {
    for (let frame = 0; frame < 40; frame++)
      light.apply(all(((second * 40 + frame) % 97) / 97), at(clock.monotonicMs() + frame * 25))
    if (second % 7 === 0) host.bus(BUS).failNext('device.io', 'device.io')
    await clock.advance(1000)
    const expected = Math.round((((second * 40 + 39) % 97) / 97) * 4096) / 4096
    t.same(dimmer.duties(), all(expected), `second ${second}`)
  }
  t.same(faults, [])
  t.equal(changesOf(host, ENABLE).length, 1)
})
