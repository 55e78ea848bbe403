import t from 'tap'
import { SimulatedPartition } from '../../drivers/simulated/partition.js'
import { SimulatedSlotDisk } from '../../drivers/simulated/slot-disk.js'
import { randomFrom } from '../../runtime/core/random.js'
import { partitionContract } from './partition.contract.js'

const machine = () => new SimulatedSlotDisk().boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })

partitionContract(t, (_, byteCount) => new SimulatedPartition(byteCount).on(machine()))

t.test('a cut keeps of what was not synced some sectors, in no order, and some torn', async t => {
  const simulated = new SimulatedPartition(512 * 100, randomFrom(3))
  const partition = simulated.on(machine())
  await partition.write(0, new Uint8Array(512 * 100).fill(1))
  simulated.losePower()
  const sums = Array.from({ length: 100 }, (_, at) =>
    simulated.safe.subarray(at * 512, at * 512 + 512).reduce((sum, one) => sum + one, 0),
  )
  t.ok(sums.some(sum => sum === 0))
  t.ok(sums.some(sum => sum === 512))
  t.ok(sums.some(sum => sum > 0 && sum < 512))
  t.equal(simulated.tornSectors, sums.filter(sum => sum > 0 && sum < 512).length)
})
