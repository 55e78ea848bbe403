import { join } from 'node:path'
import t from 'tap'
import { SqliteStore } from '../../drivers/linux/sqlite.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { storeContract } from './store.contract.js'

const store = new SqliteStore(join(t.testdir(), 'box.db'), new SimulatedLog())
t.teardown(() => store.close())

storeContract(t, async () => {
  await store.open()
  return store
})
