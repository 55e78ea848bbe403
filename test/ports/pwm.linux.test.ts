/** The kernel's PWM files are ordinary ones here: what is written to them is what the hardware would do. */
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Claims } from '../../drivers/linux/claims.js'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { Guard } from '../../drivers/linux/guard.js'
import { openLibc } from '../../drivers/linux/libc.js'
import { SysfsPwm } from '../../drivers/linux/pwm.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { pwmContract } from './pwm.contract.js'

const libc = await openLibc()

pwmContract(t, t => {
  const folder = t.testdir({
    'fe20c000.pwm': {},
    pwmchip0: { unexport: '', pwm0: { period: '0', duty_cycle: '0', enable: '0' } },
  })
  symlinkSync('../fe20c000.pwm', join(folder, 'pwmchip0/device'))
  const read = (file: string): number =>
    Number.parseInt(readFileSync(join(folder, 'pwmchip0/pwm0', file), 'latin1'), 10)
  const clock = new LinuxClock(ownAnchor())
  const claims = new Claims()
  const guard = new Guard(clock, new SimulatedLog(), libc, { heartbeatMs: 60_000 })
  const options = { name: 'dimmer', chip: 'fe20c000.pwm', channel: 0, folder }
  return {
    output: () => new SysfsPwm(clock, claims, () => guard, options),
    duty: () => (read('enable') === 1 ? read('duty_cycle') / read('period') : 0),
    frequencyHz: () => 1e9 / read('period'),
    // What a process does with its last breath; what the guard does after it is in guard.test.ts.
    fallSilent: () => guard.safeNow(),
  }
})
