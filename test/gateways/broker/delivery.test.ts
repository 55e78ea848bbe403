import t from 'tap'
import { skipUsedIds } from '../../../runtime/gateways/broker/delivery.js'

/** What aedes does to take one. */
function take(client: { _nextId: number }): number {
  const messageId = client._nextId
  if (client._nextId >= 65_535) client._nextId = 1
  else client._nextId++
  return messageId
}

t.test(
  'an identifier in flight is not given out again, and none is zero or beyond 16 bits',
  async t => {
    const used = new Set([1, 2, 3, 70, 65_535])
    const client = { _nextId: 65_530 }
    skipUsedIds(client, messageId => used.has(messageId))
    const taken = Array.from({ length: 200_000 }, () => take(client))
    t.notOk(taken.some(messageId => used.has(messageId) || messageId < 1 || messageId > 65_535))
    t.equal(new Set(taken).size, 65_535 - used.size, 'and all others are')
  },
)

t.test('a start at zero, which chance allows, becomes one', async t => {
  const client = { _nextId: 0 }
  skipUsedIds(client, () => false)
  t.equal(take(client), 1)
})
