import t from 'tap'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { randomFrom } from '../../runtime/core/random.js'
import { keysContract } from './keys.contract.js'

keysContract(t, () => new SimulatedKeys(randomFrom(1)))

t.test('the same seed draws the same bytes, another seed others', async t => {
  const draw = (seed: number): Uint8Array => new SimulatedKeys(randomFrom(seed)).randomBytes(32)
  t.same(draw(7), draw(7))
  t.notSame(draw(7), draw(8))
})
