import t from 'tap'
import { SimulatedReleaseTree } from '../../drivers/simulated/release-tree.js'
import { releaseTreeContract } from './release-tree.contract.js'

releaseTreeContract(t, async () => {
  const disk = new SimulatedReleaseTree()
  disk.put('leftover/file', new TextEncoder().encode('old'))
  return {
    tree: disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }),
    modeOf: async path => disk.files.get(path)?.mode ?? '',
  }
})
