import { openSync } from 'node:fs'
import t from 'tap'
import { codeOfErrno, deviceErrorOf, errnoName } from '../../../drivers/linux/errno.js'
import { DeviceError } from '../../../runtime/core/errors.js'

t.test('what the kernel answers is told as absent, busy, denied or a failed transfer', async t => {
  const cases = {
    ENOENT: 'device.absent',
    ENODEV: 'device.absent',
    ENXIO: 'device.absent',
    EBUSY: 'device.busy',
    EACCES: 'device.denied',
    EPERM: 'device.denied',
    EIO: 'device.io',
    EINVAL: 'device.io',
  }
  for (const [name, code] of Object.entries(cases)) t.equal(codeOfErrno(name), code, name)
})

t.test('a number of the kernel has its name, and an unknown one stays a number', async t => {
  t.equal(errnoName(16), 'EBUSY')
  t.equal(errnoName(99_999), 'errno 99999')
})

t.test('a failed call becomes a device error that says what was being done', async t => {
  try {
    openSync('/dev/no-such-device', 'r')
    t.fail('there is no such device')
  } catch (error) {
    const found = deviceErrorOf('taking lamp', error)
    t.match(found, { code: 'device.absent', message: 'taking lamp: ENOENT', cause: error })
  }
})

t.test('a device error keeps its code', async t => {
  const stuck = new DeviceError('device.stuck', 'bus is stuck')
  t.equal(deviceErrorOf('reading', stuck), stuck)
})

t.test('a bug is not dressed up as a broken device', async t => {
  const bug = new TypeError('undefined is not a function')
  t.throws(() => deviceErrorOf('reading', bug), bug)
})
