import t from 'tap'
import {
  forecastOf,
  type Outlook,
  showEndMs,
  VenueClock,
} from '../../../runtime/services/power/forecast.js'

const berlin = new VenueClock('Europe/Berlin')
const utc = new VenueClock('UTC')
const at = (text: string): number => Date.parse(text)

const outlook: Outlook = {
  wallMs: at('2027-03-01T19:00:00Z'),
  isExternal: false,
  isCharging: false,
  percent: 60,
  secondsToEmpty: 13_200,
  secondsToEmptyMin: 10_800,
  secondsToFull: null,
}

t.test('the evening is told in the words and by the clock of the venue', async t => {
  const { forecast, emptyAtWallMs, isEnough } = forecastOf(outlook, '23:00', berlin)
  t.equal(forecast, 'empty at 23:40 at this load; show ends 23:00')
  t.equal(emptyAtWallMs, at('2027-03-01T22:40:00Z'))
  t.equal(isEnough, true)
})

t.test('whether it is enough is judged by the lower bound', async t => {
  const isEnough = (secondsToEmptyMin: number | null): boolean | null =>
    forecastOf({ ...outlook, secondsToEmptyMin }, '23:00', berlin).isEnough
  t.equal(isEnough(10_800), true)
  t.equal(isEnough(10_799), false)
  t.equal(isEnough(null), null)
})

t.test(
  'what there is to say without a show, while charging, on mains, and when nothing is known',
  async t => {
    const empty = { secondsToEmpty: null, secondsToEmptyMin: null }
    const charging = { ...outlook, ...empty, isCharging: true, isExternal: true }
    const cases: [string | null, Outlook][] = [
      ['empty at 22:40 at this load', outlook],
      ['empty in 30 hours at this load', { ...outlook, secondsToEmpty: 108_000 }],
      ['charging, full in about 1 h 20 min', { ...charging, secondsToFull: 4_750 }],
      ['charging, full in about 2 h', { ...charging, secondsToFull: 7_300 }],
      ['charging, full in about 5 min', { ...charging, secondsToFull: 12 }],
      ['charging', charging],
      ['on mains', { ...outlook, ...empty, isExternal: true }],
      [null, { ...outlook, ...empty }],
    ]
    for (const [words, one] of cases) t.equal(forecastOf(one, null, utc).forecast, words)
  },
)

t.test('a show ends at the next such time of day, or less than three hours ago', async t => {
  const cases = [
    ['2027-03-01T19:00:00Z', '23:00', '2027-03-01T22:00:00Z'],
    ['2027-03-01T22:30:00Z', '23:00', '2027-03-01T22:00:00Z'],
    ['2027-03-02T00:59:00Z', '23:00', '2027-03-01T22:00:00Z'],
    ['2027-03-02T01:01:00Z', '23:00', '2027-03-02T22:00:00Z'],
    ['2027-03-01T22:00:00Z', '02:30', '2027-03-02T01:30:00Z'],
    ['2027-03-01T23:30:00Z', '00:15', '2027-03-01T23:15:00Z'],
  ] as const
  for (const [now, ends, expected] of cases)
    t.equal(showEndMs(at(now), ends, berlin), at(expected), `${ends} seen at ${now}`)
})

t.test('nights in which the clocks change end at the right moment', async t => {
  // Forward at 02:00 on 28 March 2027, back at 03:00 on 31 October 2027.
  t.equal(showEndMs(at('2027-03-27T22:00:00Z'), '04:00', berlin), at('2027-03-28T02:00:00Z'))
  t.equal(showEndMs(at('2027-10-30T21:00:00Z'), '04:00', berlin), at('2027-10-31T03:00:00Z'))
})

t.test('a clock that is set to the end of time is no crash', async t => {
  for (const wallMs of [-8.64e15, 8.64e15]) t.type(showEndMs(wallMs, '23:00', utc), 'number')
  t.type(new VenueClock(null).timeOfDay(0).hour, 'number')
})
