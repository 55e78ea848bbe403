/**
 * Goal: after one whole charge and discharge the charge of a pack is known to 5 points all the way, whatever its chemistry,
 * curve, age and warmth and its gauge's errors; and what is said of the error is true. `SEEDS=20` tries more packs.
 */
import t from 'tap'
import { learnt, type Trial, usualTrial } from './power-packs.js'

const SEEDS = Number(process.env['SEEDS'] ?? 1)
const ERROR_MAX = 5

const places: readonly Partial<Trial>[] = [
  { celsius: 0, health: 0.7, noise: 3 },
  { celsius: 40, health: 0.95, noise: 1, isWarmthKnown: false },
]

for (const chemistry of ['li-ion', 'lifepo4', 'lead-acid'] as const)
  t.test(`a ${chemistry} pack that was learned is known to ${ERROR_MAX} points`, async t => {
    for (const [index, place] of places.entries())
      for (let seed = 1; seed <= SEEDS; seed++) {
        const trial = { ...usualTrial, ...place, chemistry, seed: seed * 10 + index }
        const running = learnt(trial)
        running.chargeFor(5)
        const whole = running.discharge()
        running.chargeTo(0.5)
        const middle = running.discharge()
        for (const { errorMax, honest, said } of [whole, middle]) {
          t.ok(errorMax <= ERROR_MAX, `seed ${trial.seed}: ${errorMax.toFixed(1)} points`)
          t.ok(honest >= 0.9, `seed ${trial.seed}: inside in ${honest.toFixed(2)}`)
          t.ok(said > 0.99)
        }
      }
  })
