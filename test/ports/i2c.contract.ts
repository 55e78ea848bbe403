/**
 * What every I2C bus promises, whether made of memory or of copper. The chip at `presentAddress` reads back what was
 * written into the registers 0x20 to 0x3f, and counts on to the next register within one transfer; nothing answers at
 * `absentAddress`. Each test makes a bench of its own.
 */
import type { Test } from 'tap'
import { DeviceError } from '../../runtime/core/errors.js'
import { after, monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import type { I2cDevice, PlannedWrites, WriteOutcome } from '../../runtime/ports/host.js'

export interface I2cBench {
  device(address: number): I2cDevice
  readonly presentAddress: number
  readonly absentAddress: number
  nowMs(): MonotonicMs
  /** Lets so much time go by. */
  pass(durationMs: number): Promise<void>
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
  plannedWrites(promise)

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

/** What a planned write is heard to have become; null while nothing has been heard. */
interface Heard {
  outcome: WriteOutcome | null
}

const PATIENCE_MS = 5_000

function plannedWrites(promise: Promised): void {
  const one = (byte: number, at = 0) => [
    { register: FIRST_REGISTER + at, bytes: Uint8Array.of(byte) },
  ]
  const blank = new Uint8Array(3)

  const add = (
    planned: PlannedWrites,
    writes: Parameters<PlannedWrites['add']>[0],
    at: MonotonicMs,
  ) => {
    const heard: Heard = { outcome: null }
    const { cancel } = planned.add(writes, at, outcome => {
      heard.outcome = outcome
    })
    return { heard, cancel }
  }

  const until = async ({ pass }: I2cBench, isTrue: () => boolean): Promise<void> => {
    for (let passedMs = 0; passedMs < PATIENCE_MS && !isTrue(); passedMs++) await pass(1)
  }

  promise('planned writes are written at their moments, and say when', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    await chip.writeRegister(FIRST_REGISTER, blank)
    const planned = await chip.planWrites()
    const begun = bench.nowMs()
    const second = add(planned, [...one(3, 1), ...one(4, 2)], after(begun, 400))
    const first = add(planned, [...one(1), ...one(2, 1)], after(begun, 300))
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [0, 0, 0], 'and not before')
    await until(bench, () => second.heard.outcome !== null)
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [1, 3, 4])
    for (const [{ heard }, at] of [[first, 300] as const, [second, 400] as const]) {
      t.match(heard.outcome, { kind: 'written', source: 'firing' })
      if (heard.outcome?.kind !== 'written') continue
      t.ok(heard.outcome.beganMs >= after(begun, at), 'not early')
      t.ok(heard.outcome.endedMs >= heard.outcome.beganMs)
    }
    await planned.close()
  })

  promise('what is past is written at once, but heard of afterwards', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const planned = await chip.planWrites()
    const bytes = Uint8Array.of(0x5a)
    const { heard, cancel } = add(
      planned,
      [{ register: FIRST_REGISTER, bytes }],
      after(bench.nowMs(), -5),
    )
    bytes.fill(0)
    t.equal(heard.outcome, null)
    await until(bench, () => heard.outcome !== null)
    t.match(heard.outcome, { kind: 'written' })
    t.equal(cancel(), false)
    t.same([...(await chip.readRegister(FIRST_REGISTER, 1))], [0x5a], 'the bytes as they were')
    await planned.close()
  })

  promise('what is cancelled, dropped or closed in time is never written', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    await chip.writeRegister(FIRST_REGISTER, blank)
    const planned = await chip.planWrites()
    const soon = after(bench.nowMs(), 200)
    const cancelled = add(planned, one(1), soon)
    t.equal(cancelled.cancel(), true)
    t.equal(cancelled.cancel(), false)
    const dropped = add(planned, one(2, 1), soon)
    planned.drop()
    t.equal(dropped.cancel(), false)
    const last = add(planned, one(9, 2), soon)
    await until(bench, () => last.heard.outcome !== null)
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [0, 0, 9])
    const closed = add(planned, one(3), after(bench.nowMs(), 50))
    await planned.close()
    await planned.close()
    t.throws(() => add(planned, one(4), soon), { code: 'device.absent' })
    await bench.pass(100)
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [0, 0, 9])
    t.same(
      [cancelled, dropped, closed].map(({ heard }) => heard.outcome),
      [null, null, null],
    )
  })

  promise('what a later one writes again is left out when both are due', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    await chip.writeRegister(FIRST_REGISTER, blank)
    const planned = await chip.planWrites()
    const at = after(bench.nowMs(), 200)
    const covered = add(planned, one(1), at)
    const other = add(planned, one(7, 2), at)
    const later = add(planned, [{ register: FIRST_REGISTER, bytes: Uint8Array.of(5, 6) }], at)
    await until(bench, () => later.heard.outcome !== null)
    t.same(
      [covered, other, later].map(({ heard }) => heard.outcome?.kind),
      ['overtaken', 'written', 'written'],
    )
    t.same([...(await chip.readRegister(FIRST_REGISTER, 3))], [5, 6, 7])
    await planned.close()
  })

  promise('a chip that does not answer fails its own writes and no others', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const [planned, lost] = [
      await chip.planWrites(),
      await bench.device(bench.absentAddress).planWrites(),
    ]
    const at = after(bench.nowMs(), 200)
    const failing = [add(lost, one(1), at), add(lost, one(2, 1), at)]
    const well = add(planned, one(8), at)
    await until(bench, () => failing.every(({ heard }) => heard.outcome !== null))
    await until(bench, () => well.heard.outcome !== null)
    t.match(failing[0]?.heard.outcome, { kind: 'failed', error: { code: 'device.absent' } })
    t.equal(failing[1]?.heard.outcome?.kind, 'dropped', 'nor is it tried with the next')
    t.equal(well.heard.outcome?.kind, 'written')
    t.same([...(await chip.readRegister(FIRST_REGISTER, 1))], [8])
    await Promise.all([planned.close(), lost.close()])
  })

  promise('when the process falls silent what is planned is dropped', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    await chip.writeRegister(FIRST_REGISTER, blank)
    await chip.setLastWords(one(9))
    const planned = await chip.planWrites()
    const { heard } = add(planned, one(1), after(bench.nowMs(), 60_000))
    await bench.fallSilent()
    await until(bench, () => heard.outcome !== null)
    t.same(heard.outcome, { kind: 'dropped' })
    t.same([...(await chip.readRegister(FIRST_REGISTER, 1))], [9], 'its last words stand')
    const again = add(planned, one(2), bench.nowMs())
    await until(bench, () => again.heard.outcome !== null)
    t.same([...(await chip.readRegister(FIRST_REGISTER, 1))], [2], 'and it can be written to again')
    await planned.close()
    await chip.setLastWords(null)
  })

  promise('planned are 1 to 4 writes of 1 to 32 bytes, 256 times at most', async (t, bench) => {
    const chip = bench.device(bench.presentAddress)
    const planned = await chip.planWrites()
    const far = after(bench.nowMs(), 60_000)
    const write = (byteCount: number) => ({ register: 0x20, bytes: new Uint8Array(byteCount) })
    const refused = { code: 'device.limit' }
    t.throws(() => add(planned, [], far), refused)
    t.throws(() => add(planned, [write(0)], far), refused)
    t.throws(() => add(planned, [write(BLOCK_BYTES_MAX + 1)], far), refused)
    t.throws(() => add(planned, [1, 1, 1, 1, 1].map(write), far), refused)
    for (let count = 0; count < 256; count++)
      add(planned, [1, 2, 3, BLOCK_BYTES_MAX].map(write), far)
    t.throws(() => add(planned, one(1), far), refused)
    await t.rejects(chip.planWrites(), { code: 'device.busy' }, 'by one at a time')
    await planned.close()
    await (await chip.planWrites()).close()
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
