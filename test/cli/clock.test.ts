import t from 'tap'
import { clockRow, duration } from '../../runtime/cli/clock-words.js'
import { paintFor } from '../../runtime/cli/terminal.js'
import type { ClockAnswer } from '../../runtime/gateways/page/api.js'
import { clockState, houseState } from '../services/clock-state.js'
import { noLink, type } from './cli-world.js'

const paint = paintFor({ write() {}, writeError() {}, isColour: false })

const point = (offsetMicroseconds: number | null) => ({
  wallMs: 0,
  offsetMicroseconds,
  pathDelayMicroseconds: null,
  ratePpm: 0,
  errorMs: 0,
})

const shown = async (clock: ClockAnswer): Promise<string> => {
  const link = { ...noLink, clock: async () => clock }
  return (await type(['clock'], { link: () => link })).out
}

t.test('the clock is a table, with its history as a line', async t => {
  const points = [point(null), point(-10), point(40), point(80), point(0)]
  t.equal(
    await shown({ state: clockState, house: null, points }),
    [
      'Clock       following 020000fffe000001',
      'Leader      020000fffe000001',
      'Timeline    00ff10203040a0b1',
      'Network     eth0, domain 42, stamps of the kernel, 2 other clocks heard',
      'Offset      -4.3 µs',
      'Path delay  55.0 µs',
      'Rate        12.500 ppm',
      'Bound       ±90.0 µs',
      'Show mode   frozen: nothing jumps',
      'So far      1 change of leader, 1 step, 0 not believed',
      'Packets     12 of PTP version 1, 7 of other domains',
      'History      ▂▅█▁  5 s, at most 80.0 µs',
      '',
    ].join('\n'),
  )
})

t.test('ten minutes fit into one line, and the worst of each stretch is seen', async t => {
  const points = Array.from({ length: 600 }, (_, second) => point(second === 305 ? -200 : 10))
  const out = await shown({ state: clockState, house: null, points })
  const [line = ''] = out.split('\n').filter(text => text.startsWith('History'))
  t.equal(line, `History     ${'▁'.repeat(30)}█${'▁'.repeat(29)}  600 s, at most 200.0 µs`)
})

t.test('a box without a network says so, and one whose leader is gone who that was', async t => {
  const alone = { ...clockState, state: 'alone', interface: null, leader: null } as const
  t.match(await shown({ state: alone, house: null, points: [] }), /none is named in box\.json/)
  const held = await shown({
    state: {
      ...clockState,
      state: 'holdover',
      leader: null,
      lastLeader: clockState.identity,
      errorMs: 1e6,
      trouble: 'eth0 is\u001b[2J gone',
    },
    house: null,
    points: [],
  })
  t.match(held, /^Leader +nobody$/m)
  t.match(held, /^Before +020000fffe000002 \(this box\)$/m)
  t.match(held, /^Bound +unknown$/m)
  t.match(held, /^Trouble +eth0 is \[2J gone$/m)
  t.notMatch(held, /History/)
  t.match(await shown({ state: null, house: null, points: [] }), /nothing yet/)
})

t.test('the clock of the house is told as how far it is from the show', async t => {
  const out = await shown({ state: clockState, house: houseState, points: [] })
  t.match(
    out,
    /^House +following 00a0deadbeef0001 on eth0, domain 0, -1790000000000\.250 ms ahead of the show, ±70\.0 µs, -3\.500 ppm faster$/m,
  )
  const silent = { ...houseState, state: 'listening', leader: null, aheadMs: null } as const
  const nothing = { ...silent, ratePpm: null, errorMs: null, trouble: 'eth0 is not there' }
  t.match(
    await shown({ state: clockState, house: nothing, points: [] }),
    /^House +listening on eth0, domain 0, eth0 is not there$/m,
  )
})

t.test('programs get it as it is', async t => {
  const clock = { state: clockState, house: null, points: [point(1)] }
  const link = { ...noLink, clock: async () => clock }
  const { out } = await type(['clock', '--json'], { link: () => link })
  t.same(JSON.parse(out), clock)
})

t.test('the status has one line of it', async t => {
  t.same(clockRow(null, paint), [])
  t.same(clockRow(clockState, paint), [
    ['Clock', 'following 020000fffe000001, offset -4.3 µs, ±90.0 µs, frozen'],
  ])
})

t.test('a duration is told in the unit that fits', async t => {
  t.same([0, 0.25, -3.456, 61_250].map(duration), ['0.0 µs', '250.0 µs', '-3.46 ms', '61.3 s'])
})
