import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { findBase, SysfsGpio, type SysfsLine } from '../../../drivers/linux/gpio-sysfs.js'
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

/** A line of onoff's that fails where it is told to; what is called stands in `called`. */
function bench(t: Test, failing: 'readSync' | 'watch' | 'unexport' | null) {
  const called: string[] = []
  const call = (name: string): void => {
    called.push(name)
    if (name === failing) throw Object.assign(new Error('gone'), { code: 'ENODEV' })
  }
  const line: SysfsLine = {
    direction: () => 'in',
    readSync: () => {
      call('readSync')
      return 0
    },
    watch: () => call('watch'),
    unwatchAll: () => call('unwatchAll'),
    unexport: () => call('unexport'),
  }
  const clock = new LinuxClock(ownAnchor())
  const options = { folder: t.testdir(tree) }
  const gpio = new SysfsGpio(clock, new SimulatedLog(), options, async () => () => line)
  const place = { name: 'go', chip: 'pinctrl-bcm2711', offset: 5, bias: 'as-is' } as const
  const listener = { changed: () => {}, lost: () => {}, gone: () => {} }
  const take = () => gpio.takeInput({ ...place, activeLevel: 'low' }, 0, listener)
  return { called, take }
}

for (const failing of ['readSync', 'watch'] as const)
  t.test(`an input whose ${failing} fails is a device error, and is not left exported`, async t => {
    const { called, take } = bench(t, failing)
    await t.rejects(take(), { name: 'DeviceError', code: 'device.absent' })
    t.equal(called.at(-1), 'unexport')
  })

t.test('an input that cannot be let go of is a device error', async t => {
  const { take } = bench(t, 'unexport')
  const taken = await take()
  await t.rejects(taken.release(), { name: 'DeviceError', code: 'device.absent' })
})

t.test('a chip that goes away while it is looked for is a device error', async t => {
  const folder = t.testdir({ gpiochip512: { label: 'pinctrl-bcm2711\n', base: '512\n' } })
  t.throws(() => findBase(folder, 'pinctrl-bcm2711'), {
    name: 'DeviceError',
    code: 'device.absent',
  })
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
