import t from 'tap'
import { makeBench } from '../bench.js'

t.test('inputs rest on their pulled side and outputs in their safe state', async t => {
  const { host } = makeBench()
  t.equal(host.physical('go-button'), true)
  t.equal(host.wire('go-button').isActive, false)
  t.equal(host.physical('light-1'), false)
  t.equal(host.physical('dimmer-enable'), true, 'active low, so its safe state is high')
})

t.test('a wire remembers its last changes and no more than a thousand', async t => {
  const { host } = makeBench()
  for (let change = 0; change < 5000; change++) host.drive('beam', change % 2 === 1)
  const { history } = host.wire('beam')
  t.ok(history.length >= 500 && history.length <= 1000)
  t.equal(history.at(-1)?.isHigh, true)
})
