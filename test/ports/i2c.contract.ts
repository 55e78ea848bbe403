/**
 * What every I2C bus promises, whether made of memory or of copper. The chip at `presentAddress` reads back what was
 * written into the registers 0x20 to 0x3f, and counts on to the next register within one transfer; nothing answers at
 * `absentAddress`. Each test makes a bench of its own.
 */
import type { Test } from 'tap'
import { DeviceError } from '../../runtime/core/errors.js'
import { monotonicMs } from '../../runtime/core/time.js'
import type { I2cDevice } from '../../runtime/ports/host.js'

export interface I2cBench {
  device(address: number): I2cDevice
  readonly presentAddress: number
  readonly absentAddress: number
  /** The process can no longer speak to its chips: it is dead or hangs, and somebody has stood in for it. */
  fallSilent(): Promise<void>
  close(): Promise<void>
}

const FIRST_REGISTER = 0x20
const BLOCK_BYTES_MAX = 32

type Promised = (name: string, prove: (t: Test, bench: I2cBench) => Promise<void>) => void

export function i2cContract(t: Test, makeBench: () => Promise<I2cBench> | I2cBench): void {
  const promise: Promised = (name, prove) =>
    void t.test(name, async t => {
      const bench = await makeBench()
      t.teardown(() => bench.close())
      await prove(t, bench)
    })

  promise('a device knows its own address', async (t, bench) => {
    t.equal(bench.device(bench.presentAddress).address, bench.presentAddress)
  })

  promise('a block written is read back, for every length of 1 to 32 bytes', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    for (const byteCount of [1, 2, 3, 16, 31, BLOCK_BYTES_MAX]) {
      const bytes = Uint8Array.from({ length: byteCount }, (_, at) => (at * 37 + byteCount) & 0xff)
      await chip.writeRegister(FIRST_REGISTER, bytes)
      t.same([...(await chip.readRegister(FIRST_REGISTER, byteCount))], [...bytes])
    }
  })

  promise('a block runs on through the registers that follow', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    await chip.writeRegister(FIRST_REGISTER, Uint8Array.of(1, 2, 3, 4))
    await chip.writeRegister(FIRST_REGISTER + 1, Uint8Array.of(9))
    t.same([...(await chip.readRegister(FIRST_REGISTER, 4))], [1, 9, 3, 4])
    t.same([...(await chip.readRegister(FIRST_REGISTER + 2, 2))], [3, 4])
  })

  promise('what was asked for first happens first, without waiting for it', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const writes = [5, 6, 7].map(byte => chip.writeRegister(FIRST_REGISTER, Uint8Array.of(byte)))
    const read = chip.readRegister(FIRST_REGISTER, 1)
    await Promise.all(writes)
    t.same([...(await read)], [7])
  })

  promise('the caller may use its bytes again at once', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const bytes = Uint8Array.of(0x55)
    const written = chip.writeRegister(FIRST_REGISTER, bytes)
    bytes.fill(0)
    await written
    t.same([...(await chip.readRegister(FIRST_REGISTER, 1))], [0x55])
  })

  promise('an address where nothing answers is `device.absent`', async (t, bench) => {
    const nobody = bench.device(bench.absentAddress)
    await rejectsWith(t, nobody.readRegister(0, 1), 'device.absent')
    await rejectsWith(t, nobody.writeRegister(0, Uint8Array.of(0)), 'device.absent')
  })

  promise('a neighbour that does not answer harms nobody', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const lost = rejectsWith(
      t,
      bench.device(bench.absentAddress).readRegister(0, 2),
      'device.absent',
    )
    await chip.writeRegister(FIRST_REGISTER, Uint8Array.of(0xa5))
    t.same([...(await chip.readRegister(FIRST_REGISTER, 1))], [0xa5])
    await lost
  })

  promise('time that one driver set aside is not given to its neighbour', async (t, bench) => {
    const until = monotonicMs(1e12)
    const first = bench.device(bench.presentAddress).reserve(5, until)
    t.equal(until - first.from, 5)
    const second = bench.device(bench.absentAddress).reserve(3, until)
    t.equal(until - second.from, 8)
    first.release()
    t.equal(until - bench.device(bench.absentAddress).reserve(5, until).from, 5)
  })

  lastWords(promise)

  promise('a block of 0 or 33 bytes is refused before it reaches the bus', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    await chip.writeRegister(FIRST_REGISTER, Uint8Array.of(3))
    await rejectsWith(t, chip.readRegister(FIRST_REGISTER, 0), 'device.limit')
    await rejectsWith(t, chip.readRegister(FIRST_REGISTER, BLOCK_BYTES_MAX + 1), 'device.limit')
    await rejectsWith(t, chip.writeRegister(FIRST_REGISTER, new Uint8Array()), 'device.limit')
    const tooLong = new Uint8Array(BLOCK_BYTES_MAX + 1)
    await rejectsWith(t, chip.writeRegister(FIRST_REGISTER, tooLong), 'device.limit')
    t.same([...(await chip.readRegister(FIRST_REGISTER, 1))], [3])
  })
}

function lastWords(promise: Promised): void {
  const last = [
    { register: FIRST_REGISTER, bytes: Uint8Array.of(1, 2) },
    { register: FIRST_REGISTER + 1, bytes: Uint8Array.of(3) },
  ]

  promise('last words are written in order when the process falls silent', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const blank = new Uint8Array(3)
    await chip.writeRegister(FIRST_REGISTER, blank)
    await chip.setLastWords(last)
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [0, 0, 0], 'and not before')
    await bench.fallSilent()
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [1, 3, 0])
    await chip.setLastWords(null)
  })

  promise('last words that were taken back are not written, new ones are', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    await chip.writeRegister(FIRST_REGISTER, new Uint8Array(3))
    await chip.setLastWords(last)
    await chip.setLastWords(null)
    await chip.setLastWords(null)
    await bench.fallSilent()
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [0, 0, 0])
    await chip.setLastWords(last)
    const byte = Uint8Array.of(7)
    await chip.setLastWords([{ register: FIRST_REGISTER + 2, bytes: byte }])
    byte.fill(0)
    await bench.fallSilent()
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [0, 0, 7])
    await chip.setLastWords(null)
  })

  promise('last words are 1 to 4 writes of 1 to 32 bytes', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const write = (byteCount: number) => ({ register: 0x20, bytes: new Uint8Array(byteCount) })
    await rejectsWith(t, chip.setLastWords([]), 'device.limit')
    await rejectsWith(t, chip.setLastWords([write(0)]), 'device.limit')
    await rejectsWith(t, chip.setLastWords([write(BLOCK_BYTES_MAX + 1)]), 'device.limit')
    const five = [1, 1, 1, 1, 1].map(write)
    await rejectsWith(t, chip.setLastWords(five), 'device.limit')
    await chip.setLastWords([1, 2, 3, BLOCK_BYTES_MAX].map(write))
    await chip.setLastWords(null)
  })
}

async function rejectsWith(t: Test, work: Promise<unknown>, code: string): Promise<void> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  t.ok(thrown instanceof DeviceError, 'a DeviceError')
  if (thrown instanceof DeviceError) t.equal(thrown.code, code)
}
