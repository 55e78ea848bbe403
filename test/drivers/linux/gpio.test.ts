import t from 'tap'
import { chooseBackend } from '../../../drivers/linux/gpio.js'

const absent = 'device.absent'
const denied = 'device.denied'
const found = 'found'
const missing = 'native.missing'

const cases = [
  ['the character device wins', { chardev: found, sysfs: found }, 'auto', 'chardev'],
  ['sysfs serves where there is no other', { chardev: absent, sysfs: found }, 'auto', 'sysfs'],
  ['sysfs serves where the other is denied', { chardev: denied, sysfs: found }, 'auto', 'sysfs'],
  ['a wish is granted', { chardev: found, sysfs: found }, 'sysfs', 'sysfs'],
  ['a wish is not replaced', { chardev: found, sysfs: absent }, 'sysfs', 'none'],
  ['nothing there, nothing used', { chardev: absent, sysfs: absent }, 'auto', 'none'],
] as const

for (const [promise, seen, wanted, backend] of cases)
  t.test(`${promise}`, async t => {
    t.equal(chooseBackend(seen, wanted).backend, backend)
  })

t.test('the reason says what was seen', async t => {
  t.match(chooseBackend({ chardev: absent, sysfs: found }, 'auto'), {
    reason: 'the character device has no such chip; sysfs has the chip',
  })
  t.match(chooseBackend({ chardev: found, sysfs: missing }, 'sysfs'), {
    reason: /^sysfs needs a native package/,
  })
})

t.test('without a backend, the code is what a person can act on', async t => {
  t.equal(chooseBackend({ chardev: denied, sysfs: absent }, 'auto').code, denied)
  t.equal(chooseBackend({ chardev: absent, sysfs: missing }, 'auto').code, missing)
  t.equal(chooseBackend({ chardev: absent, sysfs: absent }, 'auto').code, absent)
})
