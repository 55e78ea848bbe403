import t from 'tap'
import { SimulatedAttachments } from '../../drivers/simulated/attachments.js'
import { laptopAttachments } from '../../runtime/laptop-attachments.js'

function bench() {
  const [real, simulated] = [new SimulatedAttachments(), new SimulatedAttachments()]
  return { real, simulated, laptop: laptopAttachments({ real, simulated }) }
}

t.test('a printer that is named by its file is real, any other simulated', async t => {
  const { real, simulated, laptop } = bench()
  for (const which of ['any', 'TM-0042', '/dev/usb/lp0']) await laptop.usbPrinter(which).open()
  const isReal = (which: string): boolean => {
    t.not(real.usb(which).isOpen, simulated.usb(which).isOpen)
    return real.usb(which).isOpen
  }
  t.same(['any', 'TM-0042', '/dev/usb/lp0'].map(isReal), [false, false, true])
})

t.test('connections and batteries are real', async t => {
  const { real, simulated, laptop } = bench()
  await laptop.tcpStream('printer.local', 9100).open()
  await laptop.tcpStream('nas.local', 3493, 'beside').open()
  await laptop.tcpStream('nas.local', 3493, 'beside').open()
  t.ok(real.tcp('printer.local', 9100).isOpen)
  t.notOk(simulated.tcp('printer.local', 9100).isOpen)
  simulated.setPowerSupply('BAT0', 'simulated')
  await t.rejects(laptop.powerSupply('BAT0').read(), { code: 'device.absent' })
  real.setPowerSupply('BAT0', 'real')
  t.equal(await laptop.powerSupply('BAT0').read(), 'real')
})
