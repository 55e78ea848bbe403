import t from 'tap'
import { phcOf } from '../../../drivers/linux/interface-stamps.js'

t.test('a clock is found below the device, or below its PHY', async t => {
  const root = t.testdir({
    eth0: { device: { ptp: { ptp3: {} } } },
    eth1: { phydev: { ptp: { ptp0: {} } } },
    eth2: { device: { ptp: { other: {} } } },
    wlan0: {},
  })
  t.equal(await phcOf('eth0', root), '/dev/ptp3')
  t.equal(await phcOf('eth1', root), '/dev/ptp0')
  for (const none of ['eth2', 'wlan0', 'absent']) t.equal(await phcOf(none, root), null)
})
