/** On loopback, with real sockets. */
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxNtpNetwork } from '../../../drivers/linux/ntp-network.js'
import { systemMsAt } from '../../../drivers/linux/system-time.js'
import type { NtpReceived, NtpSocket } from '../../../runtime/ports/ntp-socket.js'

const clock = new LinuxClock(ownAnchor())
const network = new LinuxNtpNetwork(clock)
const LOCAL = { address: '127.0.0.1', port: 0 }
const silent = { received() {}, failed() {} }

async function hearing(): Promise<{ socket: NtpSocket; next: Promise<NtpReceived> }> {
  let hear: (received: NtpReceived) => void = () => {}
  const next = new Promise<NtpReceived>(resolve => {
    hear = resolve
  })
  const socket = await network.open(LOCAL, { ...silent, received: received => hear(received) })
  return { socket, next }
}

t.test('what is sent arrives, with the address it came from and when', async t => {
  const { socket, next } = await hearing()
  const other = await network.open(LOCAL, silent)
  const before = clock.monotonicMs()
  other.send(Uint8Array.of(1, 2, 3), { address: '127.0.0.1', port: socket.port })
  const received = await next
  t.same([...received.message], [1, 2, 3])
  t.match(received, { address: '127.0.0.1', port: other.port })
  t.ok(received.at >= before - 0.1 && received.at <= clock.monotonicMs())
  await Promise.all([socket.close(), other.close()])
})

t.test('a port that somebody has is refused', async t => {
  const socket = await network.open(LOCAL, silent)
  await t.rejects(network.open({ ...LOCAL, port: socket.port }, silent), { code: 'port.taken' })
  await socket.close()
})

t.test('a closed socket sends nothing, and may be closed again', async t => {
  const socket = await network.open(LOCAL, silent)
  const { port } = socket
  await socket.close()
  socket.send(Uint8Array.of(1), { address: '127.0.0.1', port })
  await socket.close()
  t.pass('without a throw')
})

t.test('an address leads to itself, and a name that cannot be leads nowhere', async t => {
  t.same(await network.resolve('192.0.2.7'), ['192.0.2.7'])
  await t.rejects(network.resolve('nowhere.invalid'), { code: 'link.down' })
})

t.test(
  'the system date is told to a fraction of a millisecond, and is what Date tells',
  async t => {
    for (let count = 0; count < 50; count++) {
      const earliest = Date.now()
      const told = systemMsAt(clock.monotonicMs())
      const latest = Date.now() + 1
      t.ok(told >= earliest - 1.5 && told <= latest + 1.5, `${told - earliest}`)
    }
  },
)
