import { mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Claims } from '../../../drivers/linux/claims.js'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { findPwmChip, SysfsPwm } from '../../../drivers/linux/pwm.js'
import { Unguarded } from '../../../drivers/linux/unguarded.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'

/** /sys/class/pwm with two chips, the second one with its channel exported, as a dead process left it. */
function bench(t: Test, left: { period: string; duty: string }) {
  const folder = t.testdir({
    devices: { '1000.pwm': {}, 'fe20c000.pwm': {} },
    class: {
      pwmchip0: {},
      pwmchip3: {
        unexport: '',
        pwm1: { period: left.period, duty_cycle: left.duty, enable: '0' },
      },
    },
  })
  const classFolder = join(folder, 'class')
  symlinkSync('../../devices/1000.pwm', join(classFolder, 'pwmchip0/device'))
  symlinkSync('../../devices/fe20c000.pwm', join(classFolder, 'pwmchip3/device'))
  const read = (file: string): string =>
    readFileSync(join(classFolder, 'pwmchip3', file), 'latin1').trim()
  const channelOf = (chip: string, channel: number): SysfsPwm =>
    new SysfsPwm(
      new LinuxClock(ownAnchor()),
      new Claims(),
      () => new Unguarded(new SimulatedLog()),
      { name: 'dimmer', chip, channel, folder: classFolder },
    )
  return {
    classFolder,
    read,
    output: channelOf('fe20c000.pwm', 1),
    /** Of the chip that has exported none. */
    unexported: channelOf('1000.pwm', 0),
  }
}

t.test('a chip is found by its device, whatever its number', async t => {
  const { classFolder } = bench(t, { period: '0', duty: '0' })
  t.equal(findPwmChip(classFolder, 'fe20c000.pwm'), 'pwmchip3')
  t.equal(findPwmChip(classFolder, '1000.pwm'), 'pwmchip0')
  t.equal(findPwmChip(classFolder, '20c000.pwm'), null)
  t.equal(findPwmChip(join(classFolder, 'no-such-folder'), '1000.pwm'), null)
})

t.test('a channel opens with a duty of zero', async t => {
  const { read, output } = bench(t, { period: '0', duty: '0' })
  await output.open(1000)
  t.same([read('pwm1/period'), read('pwm1/duty_cycle'), read('pwm1/enable')], ['1000000', '0', '1'])
  await output.close()
})

t.test('what a dead process left is made dark before the period changes', async t => {
  const { read, output } = bench(t, { period: '5000000', duty: '4000000' })
  await output.open(50_000)
  t.same([read('pwm1/period'), read('pwm1/duty_cycle')], ['20000', '0'])
  await output.close()
})

t.test('a closed channel is given back to the kernel', async t => {
  const { classFolder, read, output } = bench(t, { period: '0', duty: '0' })
  await output.open(1000)
  output.setDuty(0.5)
  await output.close()
  t.equal(read('pwm1/duty_cycle')[0], '0')
  t.equal(read('pwm1/enable'), '0')
  t.equal(readFileSync(join(classFolder, 'pwmchip3/unexport'), 'latin1'), '1')
})

t.test('a chip that is not there is absent', async t => {
  const { classFolder, output } = bench(t, { period: '0', duty: '0' })
  unlinkSync(join(classFolder, 'pwmchip3/device'))
  await t.rejects(output.open(1000), { code: 'device.absent', message: /fe20c000\.pwm/ })
})

t.test('a channel that the kernel refuses to give is told with its cause', async t => {
  const { classFolder, unexported } = bench(t, { period: '0', duty: '0' })
  mkdirSync(join(classFolder, 'pwmchip0/export'))
  await t.rejects(unexported.open(1000), { code: 'device.io', message: /taking dimmer: EISDIR/ })
})

t.test('a channel is exported first, and used as soon as its files may be written', async t => {
  const { classFolder, unexported } = bench(t, { period: '0', duty: '0' })
  const chip = join(classFolder, 'pwmchip0')
  writeFileSync(join(chip, 'export'), '')
  const isOpen = unexported.open(1000)
  t.equal(readFileSync(join(chip, 'export'), 'latin1'), '0')
  mkdirSync(join(chip, 'pwm0'))
  for (const file of ['period', 'duty_cycle', 'enable'])
    writeFileSync(join(chip, 'pwm0', file), '0')
  await isOpen
  t.equal(readFileSync(join(chip, 'pwm0/period'), 'latin1'), '1000000')
  await unexported.close()
})
