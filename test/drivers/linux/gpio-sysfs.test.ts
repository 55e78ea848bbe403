import { join } from 'node:path'
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { findBase, SysfsGpio } from '../../../drivers/linux/gpio-sysfs.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'

const tree = {
  export: '',
  gpiochip512: { label: 'pinctrl-bcm2711\n', base: '512\n', ngpio: '58\n' },
  gpiochip570: { label: 'raspberrypi-exp-gpio\n', base: '570\n', ngpio: '8\n' },
}

t.test('the first number of a chip is looked up by its label', async t => {
  const folder = t.testdir(tree)
  t.same(findBase(folder, 'pinctrl-bcm2711'), { base: 512, lineCount: 58 })
  t.same(findBase(folder, 'raspberrypi-exp-gpio'), { base: 570, lineCount: 8 })
  t.equal(findBase(folder, 'pinctrl'), null)
})

t.test('a kernel without sysfs lines has no chip there', async t => {
  t.equal(findBase(join(t.testdir({}), 'gpio'), 'pinctrl-bcm2711'), null)
})

t.test('a line beyond the chip, or of no chip, is absent before anything is exported', async t => {
  const gpio = new SysfsGpio(new LinuxClock(ownAnchor()), new SimulatedLog(), {
    folder: t.testdir(tree),
  })
  const place = { name: 'lamp', offset: 8, activeLevel: 'high', bias: 'as-is' } as const
  await t.rejects(gpio.takeOutput({ ...place, chip: 'raspberrypi-exp-gpio' }, true), {
    code: 'device.absent',
    message: /no line 8/,
  })
  await t.rejects(gpio.takeOutput({ ...place, chip: 'pinctrl-rp1' }, true), {
    code: 'device.absent',
    message: /pinctrl-rp1/,
  })
  t.equal(await gpio.look('pinctrl-rp1'), 'device.absent')
})
