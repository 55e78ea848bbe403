import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { SerialStream } from '../../../drivers/linux/serial.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'

function bench(t: Test, path: string) {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const stream = new SerialStream(clock, { name: 'printer', path, baudRate: 9600 })
  const listen = (): number[] => {
    const heard: number[] = []
    stream.onBytes(bytes => void heard.push(...bytes))
    return heard
  }
  t.teardown(() => stream.close())
  return { clock, stream, listen }
}

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

t.test('a device that takes nothing for ten seconds is reported, not waited for', async t => {
  const { clock, stream } = bench(t, echo(t))
  await stream.open()
  // A pipe holds 64 KiB, and nobody reads this one.
  await stream.write(new Uint8Array(65_536))
  const refused = t.rejects(stream.write(Uint8Array.of(1)), { code: 'device.timeout' })
  await clock.advance(11_000)
  await refused
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
