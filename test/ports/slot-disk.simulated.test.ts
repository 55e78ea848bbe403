import t from 'tap'
import { SimulatedSlotDisk } from '../../drivers/simulated/slot-disk.js'
import { slotDiskContract } from './slot-disk.contract.js'

slotDiskContract(t, async () => {
  const disk = new SimulatedSlotDisk().boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
  return { disk, put: (name, bytes, isExecutable) => disk.put(name, bytes, isExecutable) }
})
