/**
 * Goal: a pack that is put in full and holds about what is printed on it is known to a few points through a whole day,
 * though the box has never seen it, and knows neither its curve nor its resistance nor its gauge's errors. `SEEDS=20` tries
 * more packs.
 */
import t from 'tap'
import { discharged, type TextbookTrial, textbookTrial } from './textbook-packs.js'

const SEEDS = Number(process.env['SEEDS'] ?? 1)
/** In points: nowhere along the day more, and so much on the whole. */
const limits = {
  'li-ion': { most: 8, rms: 4 },
  lifepo4: { most: 10, rms: 5 },
  'lead-acid': { most: 10, rms: 5 },
} as const
const chemistries = ['li-ion', 'lifepo4', 'lead-acid'] as const

const trialOf = (place: Parameters<typeof textbookTrial>[0], seed: number): TextbookTrial => ({
  ...textbookTrial(place, seed),
  everySeconds: 8,
})

for (const chemistry of chemistries)
  t.test(`a ${chemistry} pack nobody has seen before is known through its first day`, async t => {
    const { most, rms } = limits[chemistry]
    for (const capacity of [1, 0.95])
      for (let seed = 1; seed <= SEEDS; seed++) {
        const trial = trialOf({ chemistry, capacity, charge: 1 }, seed)
        const { errorMax, errorRms, honest, hours, said } = discharged(trial)
        const name = `${trial.curve}, ${trial.celsius} °C, ${capacity}`
        t.ok(hours > 18, `${hours.toFixed(1)} hours`)
        t.ok(errorMax <= most, `${name}: ${errorMax.toFixed(1)} points at most`)
        t.ok(errorRms <= rms, `${name}: ${errorRms.toFixed(1)} points`)
        t.ok(honest >= 0.9, `${name}: inside in ${honest.toFixed(3)}`)
        t.ok(said > 0.99)
      }
  })

t.test(
  'a pack begun in the middle, or worn out, is mostly known as well as it is said to be',
  async t => {
    for (const chemistry of chemistries)
      for (const [charge, capacity] of [
        [0.6, 1],
        [1, 0.7],
      ] as const) {
        const { honest, errorMax } = discharged(trialOf({ chemistry, charge, capacity }, 2))
        const name = `${chemistry} from ${charge}, ${capacity}`
        t.ok(
          honest >= 0.7,
          `${name}: inside in ${honest.toFixed(3)}, ${errorMax.toFixed(1)} points`,
        )
      }
  },
)
