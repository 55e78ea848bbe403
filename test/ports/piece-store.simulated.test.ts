import t from 'tap'
import { SimulatedPieceDisk } from '../../drivers/simulated/piece-store.js'
import { pieceStoreContract } from './piece-store.contract.js'

pieceStoreContract(t, () =>
  new SimulatedPieceDisk().boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }),
)

t.test('a power cut takes what was not synced, and only that', async t => {
  const disk = new SimulatedPieceDisk(() => 0.7)
  const file = await disk.boot({ callsUntilPowerCut: 1_000 }).open('b'.repeat(64))
  await file.write(0, Uint8Array.of(1))
  await file.sync()
  await file.write(8192, Uint8Array.of(2))
  disk.cutPower()
  const again = await disk.boot({ callsUntilPowerCut: 1_000 }).open('b'.repeat(64))
  t.equal((await again.read(0, 1))[0], 1)
  t.equal((await again.read(8192, 1))[0], 0)
  t.equal(disk.lostBlocks, 1)
})
