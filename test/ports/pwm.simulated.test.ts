import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedPwm } from '../../drivers/simulated/pwm.js'
import { pwmContract } from './pwm.contract.js'

pwmContract(t, () => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const pwm = new SimulatedPwm('dimmer', clock)
  return {
    output: () => pwm.output(),
    duty: () => pwm.duty,
    frequencyHz: () => pwm.frequencyHz,
    fallSilent: () => pwm.carryOutLastWords(),
  }
})
