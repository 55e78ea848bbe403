import t from 'tap'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPowerSwitch } from '../../../drivers/simulated/power-switch.js'

t.test('a simulated machine says that it would have gone down, and stays', async t => {
  const log = new SimulatedLog()
  const power = new SimulatedPowerSwitch(log)
  await power.shutDown()
  t.equal(power.count, 1)
  t.same(log.events('warn'), ['power.switched-off'])
})
