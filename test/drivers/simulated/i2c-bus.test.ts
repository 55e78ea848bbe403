import t from 'tap'
import { RegisterChip } from '../../../drivers/simulated/chips.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedI2cBus, type SimulatedI2cBusOptions } from '../../../drivers/simulated/i2c-bus.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { during } from '../bench.js'

function makeBus(options: Partial<SimulatedI2cBusOptions> = {}): {
  bus: SimulatedI2cBus
  clock: SimulatedClock
  chip: RegisterChip
} {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const bus = new SimulatedI2cBus(clock, {
    name: 'header',
    frequencyHz: 100_000,
    isTimed: false,
    failureShare: 0,
    random: () => 0,
    ...options,
  })
  const chip = new RegisterChip()
  bus.plug(0x40, chip)
  return { bus, clock, chip }
}

t.test('transfers take their time on the wire and wait their turn', async t => {
  const { bus, clock, chip } = makeBus({ isTimed: true })
  const device = bus.device(0x40)
  const done: string[] = []
  const note = (what: string) => (): void => void done.push(`${what} ${clock.monotonicMs()}`)
  const first = device.writeRegister(0, new Uint8Array(32).fill(7)).then(note('write'))
  const second = device.readRegister(0, 1).then(note('read'))
  t.equal(chip.registers[0], 0, 'nothing has arrived yet')
  await clock.advance(10)
  await Promise.all([first, second])
  t.same(done, ['write 3.08', 'read 3.46'])
})

t.test('a chip that stretches the clock makes transfers so many times longer', async t => {
  const { bus, clock } = makeBus({ isTimed: true })
  bus.stretch = 10
  const before = clock.monotonicMs()
  await during(clock, bus.device(0x40).readRegister(0, 1))
  t.ok(clock.monotonicMs() - before >= 3.8, 'ten times 0.38 ms')
})

t.test('a chip pulled out during a transfer does not answer it', async t => {
  const { bus, clock, chip } = makeBus({ isTimed: true })
  const lost = t.rejects(bus.device(0x40).writeRegister(0, new Uint8Array(32).fill(7)), {
    code: 'device.absent',
  })
  await clock.advance(1)
  chip.isPlugged = false
  await clock.advance(10)
  await lost
  t.equal(chip.registers[0], 0)
})

t.test('a stuck bus fails within its time limit and is well again afterwards', async t => {
  const { bus, clock } = makeBus({ isTimed: true })
  bus.isStuck = true
  const before = clock.monotonicMs()
  await t.rejects(during(clock, bus.device(0x40).readRegister(0, 1)), { code: 'device.stuck' })
  t.ok(clock.monotonicMs() - before <= 101)
  bus.isStuck = false
  await during(clock, bus.device(0x40).readRegister(0, 1))
})

t.test('a seed fails the same share of transfers in the same places', async t => {
  const run = async (): Promise<string> => {
    const { bus } = makeBus({ failureShare: 0.1, random: randomFrom(7) })
    let outcome = ''
    for (let transfer = 0; transfer < 1000; transfer++)
      outcome += await bus
        .device(0x40)
        .readRegister(0, 1)
        .then(
          () => '.',
          () => 'x',
        )
    return outcome
  }
  const outcome = await run()
  t.equal(await run(), outcome)
  const failures = outcome.split('x').length - 1
  t.ok(failures > 60 && failures < 140, `${failures} of 1000`)
})

t.test('256 transfers wait and the next is refused', async t => {
  const { bus, clock } = makeBus({ isTimed: true })
  const device = bus.device(0x40)
  const waiting = Array.from({ length: 256 }, () => device.readRegister(0, 1))
  await t.rejects(device.readRegister(0, 1), { code: 'device.limit' })
  await during(clock, Promise.all(waiting))
})
