import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, symlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Claims } from '../../../drivers/linux/claims.js'
import { type DeviceFile, DeviceStream } from '../../../drivers/linux/device-stream.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { DeviceError } from '../../../runtime/core/errors.js'

function bench(t: Test, path: string) {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const stream = new DeviceStream(clock, new Claims(), plainFile(path))
  const listen = (): number[] => {
    const heard: number[] = []
    stream.onBytes(bytes => void heard.push(...bytes))
    return heard
  }
  t.teardown(() => stream.close())
  return { clock, stream, listen }
}

const plainFile = (path: string): DeviceFile => ({
  name: 'printer',
  find: async () => path,
  prepare: async () => ({ beforeClose: () => {}, isEmptyReadTheEnd: false }),
})

/** A pipe with a name, opened for both ways: what is written comes back. */
function echo(t: Test): string {
  const path = join(t.testdir({}), 'echo')
  execFileSync('mkfifo', [path])
  return path
}

t.test('bytes are written as they are, in order', async t => {
  const path = join(t.testdir({ port: '' }), 'port')
  const { stream } = bench(t, path)
  await stream.open()
  const writes = [Uint8Array.of(0x1b, 0x40, 0x0a), Uint8Array.of(0xff, 0x00)]
  await Promise.all(writes.map(bytes => stream.write(bytes)))
  t.same([...readFileSync(path)], [0x1b, 0x40, 0x0a, 0xff, 0x00])
})

t.test('bytes that come in are heard, until the port is closed', async t => {
  const { clock, stream, listen } = bench(t, echo(t))
  const heard = listen()
  await stream.open()
  await stream.write(Uint8Array.of(1, 2, 3))
  await clock.advance(20)
  t.same(heard, [1, 2, 3])
  await stream.write(Uint8Array.of(4))
  await stream.close()
  await stream.close()
  await clock.advance(100)
  t.same(heard, [1, 2, 3])
  await t.rejects(stream.write(Uint8Array.of(5)), { code: 'device.absent' })
})

t.test('a device that takes nothing is waited for as long as it takes', async t => {
  const { clock, stream, listen } = bench(t, echo(t))
  await stream.open()
  let isWritten = false
  const written = stream.write(new Uint8Array(200_000)).then(() => {
    isWritten = true
  })
  // A pipe holds 64 KiB and the stream reads 4 KiB ahead, and nobody listens to this one.
  await clock.advance(120_000)
  t.notOk(isWritten)
  t.ok(stream.takenBytes() <= 65_536 + 2 * 4096, `${stream.takenBytes()} bytes`)
  const heard = listen()
  await clock.advance(10_000)
  await written
  t.equal(heard.length, 200_000)
})

t.test('bytes wait while the device is full, and a megabyte of them at most', async t => {
  const { clock, stream, listen } = bench(t, echo(t))
  await stream.open()
  const written = stream.write(new Uint8Array(200_000).fill(7))
  await t.rejects(stream.write(new Uint8Array(900_000)), { code: 'device.limit' })
  const heard = listen()
  await clock.advance(5000)
  await written
  await clock.advance(1000)
  t.equal(heard.length, 200_000)
})

t.test('what the kernel refuses is told with its reason, and the next write is tried', async t => {
  const { stream } = bench(t, '/dev/full')
  await stream.open()
  for (let tries = 0; tries < 2; tries++)
    await t.rejects(stream.write(Uint8Array.of(1)), { code: 'device.io', message: /ENOSPC/ })
})

t.test('a port that is not there is absent, and one that is open is busy', async t => {
  const { stream } = bench(t, join(t.testdir({}), 'no-such-port'))
  await t.rejects(stream.open(), { code: 'device.absent', message: /printer/ })
  const open = bench(t, echo(t)).stream
  await open.open()
  await t.rejects(open.open(), { code: 'device.busy' })
})

t.test('one file is open once, by whichever path', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const claims = new Claims()
  const path = echo(t)
  symlinkSync(path, `${path}-too`)
  const [first, second] = [path, `${path}-too`].map(
    way => new DeviceStream(clock, claims, plainFile(way)),
  )
  await first?.open()
  await t.rejects(second?.open() ?? Promise.resolve(), { code: 'device.busy' })
  await first?.close()
  await second?.open()
  await second?.close()
})

t.test('closing while it is opened is obeyed', async t => {
  const closed: string[] = []
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  let prepared = (): void => {}
  const slow = new Promise<void>(resolve => {
    prepared = resolve
  })
  const path = echo(t)
  const stream = new DeviceStream(clock, new Claims(), {
    ...plainFile(path),
    prepare: async () => {
      await slow
      return { beforeClose: () => void closed.push('closed'), isEmptyReadTheEnd: false }
    },
  })
  const opening = t.rejects(stream.open(), { code: 'device.absent', message: /closed/ })
  await t.rejects(stream.open(), { code: 'device.busy' })
  await stream.close()
  prepared()
  await opening
  t.same(closed, ['closed'])
  await stream.open()
  await stream.close()
  t.same(closed, ['closed', 'closed'])
})

t.test('a file that cannot be made fit is let go of', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const path = echo(t)
  let isFit = false
  const stream = new DeviceStream(clock, new Claims(), {
    ...plainFile(path),
    prepare: async () => {
      if (!isFit) throw new DeviceError('device.io', 'stty refuses')
      return { beforeClose: () => {}, isEmptyReadTheEnd: false }
    },
  })
  await t.rejects(stream.open(), { code: 'device.io' })
  isFit = true
  await stream.open()
  await stream.close()
})

t.test('what waited is refused with what was before it, and is not written after all', async t => {
  const { stream } = bench(t, '/dev/full')
  await stream.open()
  const writes = [1, 2].map(byte => stream.write(Uint8Array.of(byte)))
  for (const write of writes) await t.rejects(write, { code: 'device.io' })
  t.equal(stream.takenBytes(), 0)
})

t.test('a file that ends, or that cannot be read, is not lost by that', async t => {
  const { clock, stream } = bench(t, join(t.testdir({ port: '' }), 'port'))
  const lost: Error[] = []
  stream.onLost(why => void lost.push(why))
  await stream.open()
  await clock.advance(60_000)
  t.same(lost, [])
})

t.test('a file in use is looked at every 10 ms, and an idle one every 50 ms', async t => {
  const path = echo(t)
  const { clock, stream, listen } = bench(t, path)
  const heard = listen()
  await stream.open()
  const far = openSync(path, 'r+')
  t.teardown(() => closeSync(far))
  const waitMs = async (afterMs: number): Promise<number> => {
    await clock.advance(afterMs)
    writeSync(far, Uint8Array.of(1))
    const count = heard.length
    for (let waitedMs = 0; waitedMs < 100; waitedMs++) {
      if (heard.length > count) return waitedMs
      await clock.advance(1)
    }
    return 100
  }
  t.ok((await waitMs(0)) <= 10)
  t.ok((await waitMs(900)) <= 10)
  const idleMs = [await waitMs(3000), await waitMs(3013), await waitMs(3029)]
  t.ok(Math.max(...idleMs) <= 50)
  t.ok(Math.max(...idleMs) > 10)
})
