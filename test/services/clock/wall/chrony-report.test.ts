import t from 'tap'
import { monotonicMs } from '../../../../runtime/core/time.js'
import {
  foundIn,
  servedIn,
  sourcesIn,
  toldIn,
  trackingIn,
} from '../../../../runtime/services/clock/wall/chrony-report.js'

const lines = (text: string): string[][] => text.split('\n').map(line => line.split(','))

/** Of chronyd 4.3 with `-x`, whose server was five seconds ahead. */
const following = lines(
  '7F000001,127.0.0.1,3,1795374585.672295926,4.999973297,-0.000023685,3.457925081,0.005,-0.000,0.175,0.000056584,0.001011261,1.0,Normal',
)
/** Of chronyd 4.3 with `local stratum 10` and no source. */
const alone = lines(
  '7F7F0101,,10,1795372842.622558822,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal',
)

t.test('the date is the system date and what chronyd says of it', async t => {
  const tracking = trackingIn(following)
  t.match(tracking, { stratum: 2, leap: 0, referenceId: 0x7f000001 })
  t.ok(Math.abs((tracking?.errorMs ?? 0) - 1.039553) < 1e-6, 'half the delay, and the dispersion')
  if (tracking === null) return
  const found = foundIn(tracking, monotonicMs(500), 1_000_000)
  t.ok(Math.abs(found.differenceMs + 500 - 1_004_999.973297) < 1e-6)
})

t.test('one that follows nobody knows no date', async t => {
  const table: [string, string[][]][] = [
    ['its own local clock', alone],
    ['not synchronised', lines('00000000,,0,0.0,0,0,0,0,0,0,1,1,0.0,Not synchronised')],
    ['no answer', []],
    ['an error', lines('506 Cannot talk to daemon')],
    ['something else', lines('7F000001,,three,x,y,z,,,,,,,,Normal')],
    ['beyond stratum 16', lines('7F000001,,18,0.0,0,0,0,0,0,0,1,1,0.0,Normal')],
  ]
  for (const [name, answer] of table) t.equal(trackingIn(answer), null, name)
})

t.test('what it tells others is read also where it follows nobody', async t => {
  t.match(toldIn(alone), { stratum: 10, leap: 0, referenceId: 0x7f7f0101 })
  t.match(toldIn(following), { stratum: 3, leap: 0 })
  t.equal(toldIn(lines('00000000,,0,0.0,0,0,0,0,0,0,1,1,0.0,Not synchronised')), null)
  t.equal(toldIn([]), null)
})

t.test('sources are told by their marks', async t => {
  const answer = lines(
    [
      '^,*,10.77.0.1,2,0,377,1,0.000011215,-0.000012470,0.001047196',
      '^,x,10.77.0.2,1,6,377,1,-3.000,-3.000,0.001',
      '^,-,10.77.0.3,1,6,377,1,0.001,0.001,0.001',
      '^,?,10.77.0.4,0,6,0,4294967295,0.0,0.0,0.0',
      '^,?,10.77.0.5,16,6,1,3,0.0,0.0,0.0',
    ].join('\n'),
  )
  const found = sourcesIn(answer)
  t.same(
    found.map(({ host, state }) => [host, state]),
    [
      ['10.77.0.1', 'followed'],
      ['10.77.0.2', 'false'],
      ['10.77.0.3', 'good'],
      ['10.77.0.4', 'silent'],
      ['10.77.0.5', 'unusable'],
    ],
  )
  t.equal(found[1]?.aheadMs, 3_000, 'the own clock is behind that one')
  t.match(found[3], { stratum: null, aheadMs: null })
})

t.test('what was answered is what came and was not dropped', async t => {
  t.equal(servedIn(lines('120,20,2,0,0,0,0,0,0,0,0')), 100)
  t.equal(servedIn([]), null)
})
