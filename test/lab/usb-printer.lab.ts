/** The kernel's own usblp, with a USB printer gadget at the far end of the cable. */
import t, { type Test } from 'tap'
import { LinuxAttachments } from '../../drivers/linux/attachments.js'
import { Claims } from '../../drivers/linux/claims.js'
import { type ByteStreamBench, byteStreamContract } from '../ports/byte-stream.contract.js'
import { clock, labSays, until } from './far-side.js'
import { cableBench, FarEnd, plugCable, pullCable } from './gadget.js'

const BUFFER_BYTES = 8192
/** The gadget has ten buffers of its own (`q_len` of f_printer), and the driver one transfer under way. */
const KEPT_BYTES_MAX = 11 * BUFFER_BYTES

const attachments = (): LinuxAttachments => new LinuxAttachments(clock, new Claims())

function bench(which: string): Promise<ByteStreamBench> {
  const far = new FarEnd(labSays('LAB_USB_PRINTER_FAR'), () => {})
  const plugged = attachments()
  return cableBench(() => plugged.usbPrinter(which), far, {
    keptBytesMax: KEPT_BYTES_MAX,
    isRinsed: false,
  })
}

t.test('by its file', async t => byteStreamContract(t, () => bench(labSays('LAB_USB_PRINTER'))))
t.test('the only one that is plugged in', async t => byteStreamContract(t, () => bench('any')))

t.test('a printer is found by the serial number that it tells', async t => {
  const number = labSays('LAB_USB_PRINTER_NUMBER')
  await plugCable()
  const stream = attachments().usbPrinter(number)
  await stream.open()
  await stream.close()
  await t.rejects(attachments().usbPrinter('another').open(), {
    code: 'device.absent',
    message: new RegExp(`lp0.*Receipt printer.*${number}`),
  })
})

t.test('what was written is not lost by closing, however full the printer is', async t => {
  const { stream, cable } = await full(t)
  await stream.close()
  cable.setTaking(true)
  await drained(cable)
  t.equal(cable.arrived().length, 10 * BUFFER_BYTES)
})

t.test(
  'a printer that reads nothing takes 80 KiB, and what is under way counts as taken',
  async t => {
    const { stream } = await full(t)
    t.equal(stream.takenBytes(), KEPT_BYTES_MAX)
  },
)

t.test('another program that has the printer open makes it busy', async t => {
  const first = attachments().usbPrinter('any')
  await first.open()
  // Another list of claims is another process, as far as ours is concerned: the kernel refuses.
  await t.rejects(attachments().usbPrinter('any').open(), { code: 'device.busy', message: /EBUSY/ })
  await first.close()
})

t.test('no printer at all is absent, and so is its file', async t => {
  pullCable()
  for (const which of ['any', labSays('LAB_USB_PRINTER'), labSays('LAB_USB_PRINTER_NUMBER')])
    await t.rejects(attachments().usbPrinter(which).open(), { code: 'device.absent' })
  await plugCable()
})

/** Ten writes have ended, the eleventh waits. (The gadget offers its buffers when it is first read.) */
async function full(t: Test) {
  const cable = await bench('any')
  t.teardown(() => cable.close())
  await cable.pass()
  cable.setTaking(false)
  const stream = cable.stream()
  t.teardown(() => stream.close())
  await stream.open()
  let written = 0
  for (let count = 0; count <= 10; count++)
    void stream.write(new Uint8Array(BUFFER_BYTES).fill(count)).then(
      () => written++,
      () => {},
    )
  await until(() => written === 10)
  for (let passes = 0; passes < 50; passes++) await cable.pass()
  t.equal(written, 10)
  return { stream, cable }
}

async function drained(cable: ByteStreamBench): Promise<void> {
  for (let passes = 0; passes < 100; passes++) await cable.pass()
}
