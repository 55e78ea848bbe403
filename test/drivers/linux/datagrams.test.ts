/** UDP on loopback. */
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { UdpDatagrams } from '../../../drivers/linux/datagrams.js'
import type { Datagram } from '../../../runtime/ports/timecode-links.js'

const DEADLINE_MS = 20_000
const clock = new LinuxClock(ownAnchor())

function heard(socket: UdpDatagrams): Promise<Datagram> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('nothing came')), DEADLINE_MS)
    const cancel = socket.onMessage(datagram => {
      clearTimeout(limit)
      cancel()
      resolve(datagram)
    })
  })
}

t.test('what one sends another hears, with its sender and its moment', async t => {
  const [a, b] = [new UdpDatagrams(clock, 0), new UdpDatagrams(clock, 0)]
  await a.open()
  await b.open()
  const before = clock.monotonicMs()
  const coming = heard(b)
  a.send(Uint8Array.of(1, 2, 3), '127.0.0.1', b.port())
  const { bytes, from, at } = await coming
  t.same([...bytes], [1, 2, 3])
  t.equal(from, '127.0.0.1')
  t.ok(at >= before && at <= clock.monotonicMs())
  t.equal(a.trouble(), null)
  await a.close()
  await b.close()
})

t.test('a port may be shared with another program, and be closed twice', async t => {
  const first = new UdpDatagrams(clock, 0)
  await first.open()
  const second = new UdpDatagrams(clock, first.port())
  await second.open()
  t.equal(second.port(), first.port())
  await t.rejects(second.open(), { code: 'device.busy' })
  await second.close()
  await second.close()
  t.equal(second.port(), 0)
  await first.close()
})

t.test('what cannot be sent is lost, and why is told', async t => {
  const socket = new UdpDatagrams(clock, 0)
  await socket.open()
  socket.send(new Uint8Array(100_000), '127.0.0.1', 9)
  const limit = clock.monotonicMs() + DEADLINE_MS
  while (socket.trouble() === null && clock.monotonicMs() < limit)
    await new Promise(resolve => setTimeout(resolve, 5))
  t.match(socket.trouble(), /EMSGSIZE/)
  await socket.close()
})
