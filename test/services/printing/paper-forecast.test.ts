/** For how many tickets the paper lasts. */
import t from 'tap'
import {
  heard,
  newForecast,
  type PaperForecast,
  printed,
  ticketsLeft,
} from '../../../runtime/services/printing/paper-forecast.js'

type Step =
  | number
  | 'enough'
  | 'near-end'
  | 'end'
  | 'open'
  | 'silent'
  | { readonly torn: number }
  | { readonly tickets: number; readonly each: number }

function after(steps: readonly Step[], from: PaperForecast = newForecast): PaperForecast {
  return steps.reduce<PaperForecast>((forecast, step) => {
    if (typeof step === 'number') return printed(forecast, step, true)
    if (typeof step === 'object' && 'torn' in step) return printed(forecast, step.torn, false)
    if (typeof step === 'object')
      return after(
        Array.from({ length: step.tickets }, () => step.each),
        forecast,
      )
    if (step === 'open') return heard(forecast, { paper: 'end', isCoverOpen: true })
    if (step === 'silent') return heard(forecast, { paper: null, isCoverOpen: null })
    return heard(forecast, { paper: step, isCoverOpen: false })
  }, from)
}

const ROLL = 30_000

const cases: readonly [
  why: string,
  steps: readonly Step[],
  roll: number | null,
  left: number | null,
][] = [
  ['nobody knows before the first ticket', ['enough'], ROLL, null],
  ['nobody knows without a roll length or a sensor', ['enough', 100], null, null],
  ['a known roll lasts for what is left of it', ['enough', 100, 100], ROLL, 298],
  [
    'a torn ticket takes paper, and says nothing of the length',
    ['enough', 100, { torn: 1000 }],
    ROLL,
    289,
  ],
  ['the mean follows slowly', ['enough', 100, 200], ROLL, Math.floor((ROLL - 300) / 110)],
  [
    'used up beyond its length there is none left',
    ['enough', { tickets: 400, each: 100 }],
    ROLL,
    0,
  ],
  ['two metres are left when the sensor speaks', ['enough', 100, 'near-end'], null, 20],
  [
    'what the sensor says counts more than a roll length',
    ['enough', 100, 'near-end', 100],
    ROLL,
    19,
  ],
  ['at the end there is none, whatever was reckoned', ['enough', 100, 'end'], ROLL, 0],
  [
    'after the end, enough is a new roll',
    ['enough', { tickets: 9, each: 100 }, 'end', 'enough'],
    ROLL,
    300,
  ],
  ['after the end, the rest of an old roll', [100, 'end', 'near-end'], ROLL, 20],
  ['with the cover open the sensors see nothing', [100, 'enough', 'open'], ROLL, 299],
  ['a silent printer changes nothing', ['enough', 100, 'near-end', 'silent'], null, 20],
  [
    'a sensor that wavers does not make a new roll',
    ['enough', 100, 'near-end', 'enough', 100],
    null,
    19,
  ],
  [
    'and counts from where it spoke first',
    [100, 'near-end', 100, 'enough', 'near-end', 100],
    null,
    18,
  ],
  [
    'changed early, with the cover open, it is a new roll',
    [100, 'near-end', 'open', 'enough', 100],
    ROLL,
    299,
  ],
  [
    'looked at and closed again it is the old one',
    [100, 'near-end', 'open', 'near-end', 100],
    ROLL,
    19,
  ],
  [
    'changed while the printer was off: enough paper for long',
    ['enough', { tickets: 20, each: 100 }, 'near-end', 'enough', { tickets: 6, each: 100 }],
    ROLL,
    294,
  ],
]

for (const [why, steps, roll, left] of cases)
  t.test(why, async t => t.equal(ticketsLeft(after(steps), roll), left))

t.test('what is left near the end is learned from each roll', async t => {
  const first = after(['enough', 100, 'near-end', { tickets: 10, each: 100 }, 'end', 'enough', 100])
  t.equal(ticketsLeft(after(['near-end'], first), null), 10, 'a metre, as the first roll had')
  const second = after(
    ['near-end', { tickets: 30, each: 100 }, 'end', 'enough', 100, 'near-end'],
    first,
  )
  t.equal(ticketsLeft(second, null), 20, 'and then between the two')
})

t.test('a rest that no sensor can mean is not learned', async t => {
  const jumped = after([100, 'near-end', 'end', 'enough', 100, 'near-end'])
  t.equal(ticketsLeft(jumped, null), 20)
})

t.test('the end without a warning before it teaches nothing', async t => {
  t.equal(after([100, 'end']).restMillimetres, null)
})

t.test('what is said twice changes nothing', async t => {
  const near = after(['enough', 100, 'near-end'])
  t.equal(after(['near-end'], near), near)
  t.equal(after(['open'], newForecast), newForecast)
})
