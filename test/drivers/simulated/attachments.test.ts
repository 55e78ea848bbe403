import t from 'tap'
import { SimulatedAttachments } from '../../../drivers/simulated/attachments.js'
import { settle } from '../../../drivers/simulated/clock.js'

t.test(
  'each thing that is plugged in has a far side of its own, for as long as the machine',
  async t => {
    const plugged = new SimulatedAttachments()
    const printer = plugged.usbPrinter('any')
    const server = plugged.tcpStream('10.0.0.9', 9100)
    await printer.open()
    await server.open()
    await printer.write(Uint8Array.of(1))
    await server.write(Uint8Array.of(2))
    t.same([...plugged.usb('any').written()], [1])
    t.same([...plugged.tcp('10.0.0.9', 9100).written()], [2])
    t.equal(plugged.usb('any'), plugged.usb('any'))
  },
)

t.test('connections that are beside one another have a far side each', async t => {
  const plugged = new SimulatedAttachments()
  const first = plugged.tcpStream('nas', 3493, 'beside')
  const second = plugged.tcpStream('nas', 3493, 'beside')
  await first.open()
  await second.open()
  await first.write(Uint8Array.of(1))
  await second.write(Uint8Array.of(2))
  t.same([...plugged.tcp('nas', 3493).written()], [1])
  t.same([...plugged.tcp('nas', 3493, 2).written()], [2])
  await first.close()
  t.ok(plugged.tcp('nas', 3493, 2).isOpen)
})

t.test('a power supply says what it was given, until it is gone', async t => {
  const plugged = new SimulatedAttachments()
  const battery = plugged.powerSupply('BAT0')
  await t.rejects(battery.read(), { code: 'device.absent', message: /BAT0/ })
  plugged.setPowerSupply('BAT0', 'POWER_SUPPLY_CAPACITY=87')
  t.equal(await battery.read(), 'POWER_SUPPLY_CAPACITY=87')
  plugged.setPowerSupply('BAT0', null)
  await t.rejects(battery.read(), { code: 'device.absent' })
})

t.test('what a dead process had open is free, and tells it nothing', async t => {
  const plugged = new SimulatedAttachments()
  const told: string[] = []
  const dead = plugged.usbPrinter('any')
  dead.onLost(() => told.push('lost'))
  dead.onBytes(() => told.push('heard'))
  await dead.open()
  plugged.usb('any').setTaking(false)
  const tell = (): void => void told.push('returned')
  dead.write(new Uint8Array(10_000)).then(tell, tell)
  plugged.release()
  plugged.usb('any').receive(Uint8Array.of(1))
  plugged.usb('any').unplug()
  await settle()
  t.same(told, [])
  plugged.usb('any').plug()
  plugged.usb('any').setTaking(true)
  await plugged.usbPrinter('any').open()
  t.same([...plugged.usb('any').written()], [], 'what had not arrived never does')
})
