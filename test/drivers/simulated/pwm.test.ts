import t from 'tap'
import { makeBench } from '../bench.js'

t.test('a PWM output has one user, a range, and is dark when closed', async t => {
  const { host } = makeBench()
  const output = host.pwmOutput('pwm-1')
  t.throws(() => output.setDuty(1), { code: 'device.absent' })
  await t.rejects(output.open(200_000), { code: 'device.limit' })
  await output.open(1000)
  await t.rejects(host.pwmOutput('pwm-1').open(1000), { code: 'device.busy' })
  output.setDuty(2)
  t.equal(host.pwm('pwm-1').duty, 1)
  await output.close()
  await output.close()
  t.equal(host.pwm('pwm-1').duty, 0)
})
