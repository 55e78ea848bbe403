import t from 'tap'
import { ptp4lConfig } from '../../../drivers/linux/ptp4l-config.js'

const options = { domain: 7, socket: '/s/ptp4l', readOnlySocket: '/s/ro' } as const

t.test('it only follows, and sets no clock, by the names of each version', async t => {
  const old = ptp4lConfig('3.1.1', { ...options, stamps: 'kernel' })
  const recent = ptp4lConfig('4.2', { ...options, stamps: 'hardware' })
  for (const text of [old, recent]) {
    t.match(text, /^\[global\]\n/)
    t.match(text, /^free_running 1$/m)
    t.match(text, /^domainNumber 7$/m)
    t.match(text, /^uds_address \/s\/ptp4l$/m)
  }
  t.match(old, /^slaveOnly 1$/m)
  t.match(old, /^time_stamping software$/m)
  t.notMatch(old, /clientOnly|uds_ro_address/)
  t.match(recent, /^clientOnly 1$/m)
  t.match(recent, /^time_stamping hardware$/m)
  t.match(recent, /^uds_ro_address \/s\/ro$/m)
  t.notMatch(recent, /slaveOnly/)
})
