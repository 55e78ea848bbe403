import t from 'tap'
import { check } from '../../../runtime/core/schema.js'
import { clockAnswer } from '../../../runtime/gateways/page/api.js'
import { clockState, houseState } from '../../services/clock-state.js'
import { openPage, TOKEN } from './page-world.js'

const point = {
  wallMs: 1_790_000_000_000,
  offsetMicroseconds: -3,
  pathDelayMicroseconds: 55,
  ratePpm: 12,
  errorMs: 0.1,
}

t.test('the clock tells where it stands, and its last minutes', async t => {
  const { ask, bus } = await openPage(t, { clock: { history: () => [point] } })
  t.same(JSON.parse((await ask('/api/clock')).text), { state: null, house: null, points: [point] })
  bus.publish('clock/state', clockState)
  bus.publish('clock/house', houseState)
  const { status, text, headers } = await ask('/api/clock')
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.same(check(clockAnswer, JSON.parse(text), 'answer'), {
    state: clockState,
    house: houseState,
    points: [point],
  })
  t.match(JSON.parse((await ask('/api/state')).text), { clock: clockState })
  t.match((await ask('/metrics')).text, /^roadcase_clock_rate_ppm 12\.5$/m)
})

t.test('in the venue it takes the operator token', async t => {
  const { ask } = await openPage(t, { config: { port: 0, reach: 'venue' } })
  t.equal((await ask('/api/clock')).status, 401)
  t.equal((await ask('/api/clock', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200)
})
