import { closeSync, fstatSync, openSync } from 'node:fs'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { Edges } from '../../../drivers/linux/edges.js'
import type { LinePlace } from '../../../drivers/linux/gpio-backend.js'
import { ChardevGpio } from '../../../drivers/linux/gpio-chardev.js'
import { chipFiles } from '../../../drivers/linux/gpio-chips.js'
import { GpioRequest } from '../../../drivers/linux/gpio-uapi.js'
import type { Libc } from '../../../drivers/linux/libc.js'
import { DeviceError } from '../../../runtime/core/errors.js'

const place: LinePlace = {
  name: 'lamp',
  chip: 'pinctrl-rp1',
  offset: 17,
  activeLevel: 'high',
  bias: 'as-is',
}

/** A folder of chips, each a file whose size tells which one it is; the labels by size. */
function bench(t: Test, files: Record<string, string>, labels: readonly string[]) {
  const folder = t.testdir(files)
  const asked: string[] = []
  const refuse = { getLine: null as DeviceError | null }
  const libc: Libc = {
    ioctl: (fd, request, structure) => {
      const label = labels[fstatSync(fd).size]
      if (label === undefined) throw new DeviceError('device.io', 'ENOTTY')
      if (request === GpioRequest.getChipInfo)
        new TextEncoder().encodeInto(label, structure.subarray(32))
      else if (refuse.getLine) throw refuse.getLine
      else {
        asked.push(`${label} ${new DataView(structure.buffer).getUint32(0, true)}`)
        new DataView(structure.buffer).setInt32(588, openSync('/dev/null', 'r+'), true)
      }
    },
    dropOutput: () => {},
    poll: () => 0,
    eventfd: () => -1,
    becomeRealTime: () => {},
    setTimerSlack: () => {},
    ignoreSignal: () => {},
    lockByte: () => true,
    writeI2cBlock: () => {},
    sendI2cBlock: () => null,
    syncFileSystem: () => {},
    dropCache: () => {},
  }
  const gpio = new ChardevGpio(new LinuxClock(ownAnchor()), libc, new Edges(libc), { folder })
  return { gpio, asked, refuse }
}

t.test('chips are tried in the order of their numbers, and nothing else is', async t => {
  t.same(chipFiles(['gpiochip10', 'null', 'gpiochip2', 'gpiochip', 'gpiochip0', 'xgpiochip1']), [
    'gpiochip0',
    'gpiochip2',
    'gpiochip10',
  ])
})

t.test('a chip is found by its label, whatever its number', async t => {
  const files = { gpiochip0: '', gpiochip1: 'x', gpiochip12: 'xx' }
  const { gpio, asked } = bench(t, files, ['raspberrypi-exp-gpio', 'brcmvirt-gpio', 'pinctrl-rp1'])
  t.equal(gpio.look('pinctrl-rp1'), 'found')
  t.equal(gpio.look('pinctrl-bcm2835'), 'device.absent')
  const taken = await gpio.takeOutput(place, true)
  t.equal(taken.method, 'chardev')
  t.same(asked, ['pinctrl-rp1 17'])
  taken.release()
})

t.test('a device that is no chip does not hide the ones after it', async t => {
  const { gpio } = bench(t, { gpiochip0: 'xxxxx', gpiochip1: '' }, ['pinctrl-rp1'])
  t.equal(gpio.look('pinctrl-rp1'), 'found')
})

t.test('no chip at all is absent', async t => {
  const { gpio } = bench(t, {}, [])
  await t.rejects(gpio.takeOutput(place, true), { code: 'device.absent', message: /pinctrl-rp1/ })
})

t.test(
  'what the kernel answers to a request is passed on, and no descriptor stays open',
  async t => {
    const { gpio, refuse } = bench(t, { gpiochip0: '' }, ['pinctrl-rp1'])
    refuse.getLine = new DeviceError('device.busy', 'taking lamp: EBUSY')
    const before = openSync('/dev/null', 'r')
    closeSync(before)
    for (let tries = 0; tries < 3; tries++)
      await t.rejects(gpio.takeOutput(place, true), { code: 'device.busy' })
    const afterwards = openSync('/dev/null', 'r')
    closeSync(afterwards)
    t.equal(afterwards, before)
  },
)
