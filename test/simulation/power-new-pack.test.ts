/** Goal: of a pack that is new to the box less is known, and the box says how much less. */
import t from 'tap'
import { PackTrial, usualTrial } from './power-packs.js'

/** Nothing would be proven by packs that are known well. */
const ERROR_MIN = 5

t.test('a pack that is new to the box is known as well as it is said to be', async t => {
  let errors = 0
  for (const [index, chemistry] of (['li-ion', 'lifepo4', 'lead-acid'] as const).entries())
    for (const charge of [1, 0.55]) {
      const trial = { ...usualTrial, chemistry, charge, seed: 30 + index, rate: 0.3 }
      const { errorMax, honest } = new PackTrial(trial).discharge()
      t.ok(honest >= 0.9, `${chemistry} from ${charge}: inside in ${honest.toFixed(2)}`)
      errors = Math.max(errors, errorMax)
    }
  t.ok(errors > ERROR_MIN, 'and some of them are not known well, or this proves nothing')
})

t.test('a day of discharge is followed to the end', async t => {
  const { hours, honest, errorMax } = new PackTrial({ ...usualTrial, rate: 1 / 24 }).discharge()
  t.ok(hours > 22)
  t.ok(honest >= 0.9)
  t.ok(errorMax < 12, `${errorMax.toFixed(1)} points, of a pack that nothing was known of`)
})

t.test('without a current the voltage alone keeps its word', async t => {
  const trial = { ...usualTrial, isCurrentKnown: false, rate: 0.15 }
  const { honest, said } = new PackTrial(trial).discharge()
  t.ok(honest >= 0.9, `inside in ${honest.toFixed(2)}`)
  t.ok(said > 0.7)
})
