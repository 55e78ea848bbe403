import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { UsbPrinterFile } from '../../../drivers/linux/usb-printer.js'

interface Plugged {
  readonly lp: string
  readonly serial: string | null
  readonly product: string
}

/** As sysfs has it: `lp0/device` leads to an interface, whose parent is the USB device. */
function machine(t: Test, printers: readonly Plugged[]) {
  const root = t.testdir({ class: {} })
  for (const [index, { lp, serial, product }] of printers.entries()) {
    const device = join(root, 'devices', `1-${index + 1}`)
    mkdirSync(join(device, `1-${index + 1}:1.0`), { recursive: true })
    writeFileSync(join(device, 'manufacturer'), 'Lab\n')
    writeFileSync(join(device, 'product'), `${product}\n`)
    if (serial !== null) writeFileSync(join(device, 'serial'), `${serial}\n`)
    mkdirSync(join(root, 'class', lp))
    symlinkSync(join(device, `1-${index + 1}:1.0`), join(root, 'class', lp, 'device'))
  }
  // Other things of the class have nothing to do with printers.
  mkdirSync(join(root, 'class', 'hiddev0'))
  const folders = { classFolder: join(root, 'class'), deviceFolder: '/dev/usb' }
  return { find: (which: string) => new UsbPrinterFile(which, folders).find() }
}

const bar = { lp: 'lp0', serial: 'TM-0042', product: 'Bar printer' }
const door = { lp: 'lp3', serial: 'TM-0043', product: 'Door printer' }

t.test('the only printer is any printer', async t => {
  t.equal(await machine(t, [door]).find('any'), '/dev/usb/lp3')
})

t.test('a printer is found by its serial number, whatever its file is called today', async t => {
  const today = machine(t, [bar, door])
  t.equal(await today.find('TM-0042'), '/dev/usb/lp0')
  t.equal(await today.find('TM-0043'), '/dev/usb/lp3')
})

t.test('of two printers none is taken by chance, and both are named', async t => {
  await t.rejects(machine(t, [bar, door]).find('any'), {
    code: 'device.busy',
    message:
      /lp0 \(Lab Bar printer, TM-0042\), \/dev\/usb\/lp3 \(Lab Door printer, TM-0043\); name one/,
  })
})

t.test('two that tell the same serial number are not told apart by it', async t => {
  const twins = machine(t, [bar, { ...door, serial: bar.serial }])
  await t.rejects(twins.find(bar.serial), { code: 'device.busy', message: /its file/ })
})

t.test('a printer without a serial number is used, and is not mistaken for another', async t => {
  const nameless = machine(t, [{ ...bar, serial: null }])
  t.equal(await nameless.find('any'), '/dev/usb/lp0')
  await t.rejects(nameless.find('TM-0042'), {
    code: 'device.absent',
    message: /lp0 \(Lab Bar printer, no serial number\) is plugged in/,
  })
})

t.test('no printer, and no folder before the first one, is absent', async t => {
  await t.rejects(machine(t, []).find('any'), { code: 'device.absent', message: /no USB printer/ })
  const never = { classFolder: join(t.testdir({}), 'never'), deviceFolder: '/dev/usb' }
  await t.rejects(new UsbPrinterFile('any', never).find(), { code: 'device.absent' })
})

t.test('a file is taken at its word', async t => {
  t.equal(await machine(t, []).find('/dev/usb/lp7'), '/dev/usb/lp7')
})
