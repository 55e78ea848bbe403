import t from 'tap'
import { LinuxI2cBuses } from '../../../drivers/linux/i2c.js'
import type { I2cHandle } from '../../../drivers/linux/i2c-queue.js'
import { SimulatedClock, settle } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { DeviceError } from '../../../runtime/core/errors.js'

const CHIP = 0x40
const NEIGHBOUR = 0x41

/** What the kernel does with one transfer: answers, fails with an errno name, or keeps it until told. */
type Fate = 'answers' | 'ENXIO' | 'EREMOTEIO' | 'EAGAIN' | 'EBUSY' | 'ETIMEDOUT' | 'EIO' | 'hangs'

class Bench {
  readonly clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  readonly log = new SimulatedLog()
  /** `address:register` of each transfer that reached the kernel, with the handle it went through. */
  readonly sent: string[] = []
  readonly closed: number[] = []
  readonly #fates = new Map<number, Fate[]>()
  readonly #hanging: (() => void)[] = []
  readonly buses = new LinuxI2cBuses(this.clock, this.log, async () => this.#handle())
  opened = 0
  atOnce = 0
  atOnceMax = 0

  fates(address: number, ...fates: readonly Fate[]): void {
    this.#fates.set(address, [...fates])
  }

  read(address: number, register = 0): Promise<string> {
    return outcome(this.buses.device(1, address).readRegister(register, 1))
  }

  /** The transfers that hang come back, the oldest first. */
  release(): void {
    this.#hanging.shift()?.()
  }

  #handle(): I2cHandle {
    const id = ++this.opened
    return {
      read: async (address, register) => {
        await this.#transfer(id, address, register)
        return Uint8Array.of(register)
      },
      write: (address, register) => this.#transfer(id, address, register),
      close: () => void this.closed.push(id),
    }
  }

  async #transfer(handle: number, address: number, register: number): Promise<void> {
    this.sent.push(`${handle}/${address.toString(16)}:${register}`)
    this.atOnceMax = Math.max(this.atOnceMax, ++this.atOnce)
    const fate = this.#fates.get(address)?.shift() ?? 'answers'
    await (fate === 'hangs'
      ? new Promise<void>(resolve => this.#hanging.push(resolve))
      : Promise.resolve())
    this.atOnce--
    if (fate !== 'answers' && fate !== 'hangs') throw Object.assign(new Error(fate), { code: fate })
  }
}

async function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof DeviceError ? error.code : `a bug: ${String(error)}`),
  )
}

t.test('transfers take turns in the order they were asked for', async t => {
  const bench = new Bench()
  const all = [0, 1, 2, 3].map(register => bench.read(register % 2 ? CHIP : NEIGHBOUR, register))
  await bench.clock.advance(10)
  t.same(await Promise.all(all), ['ok', 'ok', 'ok', 'ok'])
  t.same(bench.sent, ['1/41:0', '1/40:1', '1/41:2', '1/40:3'])
  t.equal(bench.atOnceMax, 1)
})

t.test('two buses do not wait for one another', async t => {
  const bench = new Bench()
  bench.fates(CHIP, 'hangs')
  const hanging = outcome(bench.buses.device(1, CHIP).readRegister(0, 1))
  t.equal(await outcome(bench.buses.device(2, NEIGHBOUR).readRegister(0, 1)), 'ok')
  await bench.clock.advance(250)
  t.equal(await hanging, 'device.timeout')
})

t.test('a chip that does not acknowledge is asked three times, 5 ms apart', async t => {
  const bench = new Bench()
  bench.fates(CHIP, 'EREMOTEIO', 'ENXIO', 'answers')
  const read = bench.read(CHIP)
  await bench.clock.advance(4)
  t.equal(bench.sent.length, 1)
  await bench.clock.advance(6)
  t.equal(bench.sent.length, 3)
  t.equal(await read, 'ok')
})

for (const nack of ['EREMOTEIO', 'ENXIO'] as const)
  t.test(`after three times ${nack} the chip is absent`, async t => {
    const bench = new Bench()
    bench.fates(CHIP, nack, nack, nack, 'answers')
    const read = bench.read(CHIP)
    await bench.clock.advance(10)
    t.equal(await read, 'device.absent')
    t.equal(bench.sent.length, 3)
    t.equal(bench.opened, 1, 'the same handle serves the others')
  })

t.test('while a chip rests its neighbours go on, and its own order holds', async t => {
  const bench = new Bench()
  bench.fates(CHIP, 'ENXIO')
  const all = [
    bench.read(CHIP, 1),
    bench.read(CHIP, 2),
    bench.read(NEIGHBOUR, 3),
    bench.read(NEIGHBOUR, 4),
  ]
  await bench.clock.advance(1)
  t.same(bench.sent, ['1/40:1', '1/41:3', '1/41:4'])
  await bench.clock.advance(9)
  t.same(await Promise.all(all), ['ok', 'ok', 'ok', 'ok'])
  t.same(bench.sent.slice(3), ['1/40:1', '1/40:2'])
})

t.test('a failure that may have had an effect is not tried again', async t => {
  const bench = new Bench()
  for (const [fate, code] of [
    ['EIO', 'device.io'],
    ['EBUSY', 'device.busy'],
    ['ETIMEDOUT', 'device.timeout'],
  ] as const) {
    bench.sent.length = 0
    bench.fates(CHIP, fate)
    t.equal(await bench.read(CHIP), code)
    t.equal(bench.sent.length, 1)
  }
})

t.test(
  'after such a failure the bus is opened anew, so that no chip is taken for another',
  async t => {
    const bench = new Bench()
    bench.fates(CHIP, 'EBUSY')
    await bench.read(CHIP)
    t.equal(await bench.read(CHIP), 'ok')
    t.same(bench.sent, ['1/40:0', '2/40:0'])
    t.same(bench.closed, [1])
  },
)

t.test(
  'a transfer that does not come back is timed out after 250 ms and blocks nobody',
  async t => {
    const bench = new Bench()
    bench.fates(CHIP, 'hangs')
    const [hanging, waiting] = [bench.read(CHIP), bench.read(NEIGHBOUR)]
    await bench.clock.advance(249)
    t.equal(bench.log.lines.length, 0)
    await bench.clock.advance(1)
    t.equal(await hanging, 'device.timeout')
    t.equal(await waiting, 'device.stuck')
    t.equal(await bench.read(NEIGHBOUR), 'device.stuck')
    t.same(bench.log.events(), ['i2c.stuck'])
    t.same(bench.sent, ['1/40:0'], 'nothing more was sent')
  },
)

t.test('a stuck bus works again when its transfer comes back', async t => {
  const bench = new Bench()
  bench.fates(CHIP, 'hangs')
  const hanging = bench.read(CHIP)
  await bench.clock.advance(300)
  await hanging
  t.same(bench.closed, [], 'the kernel still holds the handle')
  bench.release()
  await settle()
  t.same(bench.closed, [1])
  t.equal(await bench.read(CHIP), 'ok')
  t.same(bench.sent, ['1/40:0', '2/40:0'])
  t.same(bench.log.events(), ['i2c.stuck', 'i2c.tried-again'])
})

t.test('a stuck bus is tried once with a new handle, and then not again', async t => {
  const bench = new Bench()
  bench.fates(CHIP, 'hangs', 'hangs')
  const first = bench.read(CHIP)
  await bench.clock.advance(250)
  t.equal(await first, 'device.timeout')
  await bench.clock.advance(2000)
  const second = bench.read(CHIP)
  await bench.clock.advance(250)
  t.equal(await second, 'device.timeout')
  await bench.clock.advance(60_000)
  t.equal(await bench.read(CHIP), 'device.stuck')
  t.equal(bench.atOnceMax, 2, 'no more than two pool threads are lost')
  bench.release()
  bench.release()
  await settle()
  t.equal(await bench.read(CHIP), 'ok')
})

t.test('at most 64 transfers wait for one bus', async t => {
  const bench = new Bench()
  bench.fates(CHIP, 'hangs')
  const all = Array.from({ length: 66 }, () => bench.read(CHIP))
  t.equal(await all[65], 'device.limit')
  bench.release()
  await bench.clock.advance(100)
  const outcomes = await Promise.all(all)
  t.equal(outcomes.filter(text => text === 'ok').length, 65)
})

t.test('a bus that cannot be opened fails the transfer, and is tried at the next', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  let tries = 0
  const buses = new LinuxI2cBuses(clock, new SimulatedLog(), async () => {
    tries++
    throw new DeviceError('device.absent', 'there is no /dev/i2c-1')
  })
  t.equal(await outcome(buses.device(1, CHIP).readRegister(0, 1)), 'device.absent')
  t.equal(await outcome(buses.device(1, CHIP).readRegister(0, 1)), 'device.absent')
  t.equal(tries, 2)
})

t.test('a machine without the bus says so, and how to switch it on', async t => {
  const buses = new LinuxI2cBuses(
    new SimulatedClock({ showStartMs: 0, driftPpm: 0 }),
    new SimulatedLog(),
  )
  const thrown = await buses
    .device(254, CHIP)
    .readRegister(0, 1)
    .catch((error: unknown) => error)
  t.ok(thrown instanceof DeviceError && thrown.code === 'device.absent', String(thrown))
  t.match(String(thrown), /no \/dev\/i2c-254; switch I2C on/)
})

t.test('a bug in the handle is not taken for a broken chip', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const buses = new LinuxI2cBuses(clock, new SimulatedLog(), async () => ({
    read: async () => Promise.reject(new TypeError('oh')),
    write: async () => {},
    close: () => {},
  }))
  await t.rejects(buses.device(1, CHIP).readRegister(0, 1), TypeError)
})

t.test(
  'closing refuses what waits, lets the transfer under way end, and may be called twice',
  async t => {
    const bench = new Bench()
    bench.fates(CHIP, 'hangs')
    const [underWay, waiting] = [bench.read(CHIP), bench.read(CHIP)]
    await settle()
    const closed = Promise.all([bench.buses.close(), bench.buses.close()])
    t.equal(await waiting, 'device.absent')
    bench.release()
    await closed
    t.equal(await underWay, 'ok')
    t.same(bench.closed, [1])
    t.equal(await bench.read(CHIP), 'device.absent')
  },
)
