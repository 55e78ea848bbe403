import { createServer } from 'node:net'
import t from 'tap'
import { LinuxAttachments } from '../../../drivers/linux/attachments.js'
import { Claims } from '../../../drivers/linux/claims.js'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'

const attachments = (): LinuxAttachments =>
  new LinuxAttachments(new LinuxClock(ownAnchor()), new Claims())

t.test('handles of one machine know of each other', async t => {
  const server = createServer(socket => void socket.on('error', () => {}))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const machine = attachments()
  const first = machine.tcpStream('127.0.0.1', port)
  await first.open()
  await t.rejects(machine.tcpStream('127.0.0.1', port).open(), { code: 'device.busy' })
  const others = [1, 2].map(() => machine.tcpStream('127.0.0.1', port, 'beside'))
  for (const other of others) await other.open()
  for (const stream of [first, ...others]) await stream.close()
})

t.test('what is not plugged in is absent', async t => {
  const machine = attachments()
  await t.rejects(machine.usbPrinter('/dev/usb/lp31').open(), { code: 'device.absent' })
  await t.rejects(machine.usbPrinter('no such serial').open(), { code: 'device.absent' })
  await t.rejects(machine.powerSupply('no-such-battery').read(), { code: 'device.absent' })
})
