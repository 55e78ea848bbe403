/** On loopback, where packets have the kernel's stamps as on any interface. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { type Departure, openUdpSockets } from '../../../drivers/linux/libc-sockets.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { after } from '../../../runtime/core/time.js'
import type { MonotonicMs } from '../../../runtime/ports/clock.js'

const LOOPBACK = '127.0.0.1'
const LIMIT_MS = 20_000
/** The two clocks are read one after the other: a machine that stands still in between pairs them so badly. */
const PAIRED_MS = 1

const clock = new LinuxClock(ownAnchor())
const sockets = await openUdpSockets()

const openSocket = (t: Test): number => {
  const fd = sockets.open()
  t.teardown(() => sockets.close(fd))
  return fd
}

/** A socket of ours, which Node reads and closes. */
async function openReceiver(t: Test): Promise<{ fd: number; socket: Socket; port: number }> {
  const fd = sockets.open()
  sockets.bind(fd, LOOPBACK, 0)
  const socket = createSocket('udp4')
  t.teardown(() => void socket.close())
  const listening = once(socket, 'listening')
  socket.bind({ fd })
  await listening
  return { fd, socket, port: socket.address().port }
}

const nextMessage = (socket: Socket): Promise<unknown> =>
  once(socket, 'message', { signal: AbortSignal.timeout(LIMIT_MS) })

/** The kernel may take a moment to tell. */
async function departures(fd: number, count: number): Promise<Departure[]> {
  const told: Departure[] = []
  const limit = after(clock.monotonicMs(), LIMIT_MS)
  while (told.length < count && clock.monotonicMs() < limit) {
    const departure = sockets.departure(fd)
    if (departure === null) await new Promise<void>(resolve => setImmediate(resolve))
    else told.push(departure)
  }
  return told
}

const isBetween = (at: MonotonicMs, from: MonotonicMs, to: MonotonicMs): boolean =>
  at >= from - PAIRED_MS && at <= to + PAIRED_MS

t.test('a datagram has a stamp of when it arrived, however late it is read', async t => {
  const { fd, socket, port } = await openReceiver(t)
  t.equal(sockets.arrival(fd), null, 'asking turns the stamps on')
  const sender = openSocket(t)
  const before = clock.monotonicMs()
  sockets.send(sender, Uint8Array.of(1, 2, 3), LOOPBACK, port)
  const sent = clock.monotonicMs()
  // Nobody reads for so long that no chance makes it look like the moment of the arrival.
  while (clock.monotonicMs() < sent + 20 * PAIRED_MS);
  const heard = nextMessage(socket).then(() => sockets.arrival(fd))
  const stamp = await heard
  t.ok(stamp !== null && isBetween(sockets.monotonicOf(stamp), before, sent))
})

t.test('departures are numbered in the order of sending, each with its moment', async t => {
  const { port } = await openReceiver(t)
  const sender = openSocket(t)
  sockets.askForDepartures(sender)
  t.equal(sockets.departure(sender), null)
  const moments: [MonotonicMs, MonotonicMs][] = []
  for (let count = 0; count < 5; count++) {
    const before = clock.monotonicMs()
    sockets.send(sender, Uint8Array.of(count), LOOPBACK, port)
    moments.push([before, clock.monotonicMs()])
  }
  const told = await departures(sender, 5)
  t.same(
    told.map(({ count }) => count),
    [0, 1, 2, 3, 4],
  )
  for (const [index, { stamp }] of told.entries()) {
    const [before, sent] = moments[index] ?? []
    t.ok(before && sent && isBetween(sockets.monotonicOf(stamp), before, sent))
  }
  t.equal(sockets.departure(sender), null, 'each is told once')
})

t.test('two sockets may share a port, as on a machine with more than one PTP program', async t => {
  const { port } = await openReceiver(t)
  const other = openSocket(t)
  t.doesNotThrow(() => sockets.bind(other, LOOPBACK, port))
})

/** For documentation, RFC 5737: no machine has it. */
const ELSEWHERE = '192.0.2.1'

for (const [what, attempt, message] of [
  [
    'an address that this machine does not have',
    (fd: number) => sockets.bind(fd, ELSEWHERE, 0),
    'taking UDP port 0: EADDRNOTAVAIL',
  ],
  [
    'an interface that is not there',
    (fd: number) => sockets.bindToInterface(fd, 'no-such-0'),
    'taking no-such-0: ENODEV',
  ],
  [
    'a group on an interface that is not there',
    (fd: number) => sockets.join(fd, '224.0.1.129', ELSEWHERE),
    'joining 224.0.1.129 at 192.0.2.1: ENODEV',
  ],
  [
    'a way for groups that is not there',
    (fd: number) => sockets.sendGroupsThrough(fd, ELSEWHERE),
    'sending through 192.0.2.1: EADDRNOTAVAIL',
  ],
] as const)
  t.test(`${what} is absent, and named`, async t => {
    const fd = openSocket(t)
    try {
      attempt(fd)
      t.fail('nothing was thrown')
    } catch (error) {
      t.match(error, { constructor: DeviceError, code: 'device.absent', message })
    }
  })

t.test('what cannot be sent is told to the sender', async t => {
  const fd = openSocket(t)
  const tooLong = new Uint8Array(70_000)
  t.throws(() => sockets.send(fd, tooLong, LOOPBACK, 9), {
    code: 'device.io',
    message: 'sending to 127.0.0.1: EMSGSIZE',
  })
})

t.test('what is no address of IPv4 is a bug of the caller', async t => {
  const fd = openSocket(t)
  for (const address of ['::1', '127.0.0', '127.0.0.256', 'localhost', '1.2.3.4.5'])
    t.throws(() => sockets.bind(fd, address, 0), /is an address of IPv4/)
})
