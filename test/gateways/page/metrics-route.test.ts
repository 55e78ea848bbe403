import t from 'tap'
import { powerState } from '../../services/power-state.js'
import { openPage, TOKEN } from './page-world.js'

t.test('Prometheus reads what the box has said last', async t => {
  const { ask, bus } = await openPage(t)
  bus.publish('power/state', { ...powerState, stage: 'warn', percent: 25 })
  const { status, headers, text } = await ask('/metrics')
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.match(text, /^roadcase_power_[a-z_]*ratio 0\.25$/m)
})

t.test('in the venue it takes the operator token', async t => {
  const { ask } = await openPage(t, { config: { port: 0, reach: 'venue' } })
  t.equal((await ask('/metrics')).status, 401)
  t.equal((await ask('/metrics', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200)
})
