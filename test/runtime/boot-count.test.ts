import t from 'tap'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { countBoot } from '../../runtime/boot-count.js'
import type { Change } from '../../runtime/ports/store.js'

const put: Change = { kind: 'put', table: 't', key: 'k', value: Uint8Array.of(1) }

t.test('each start has the next number', async t => {
  const [store, log] = [new SimulatedStore(), new SimulatedLog()]
  t.match(await countBoot(store, log), { boot: 1, trouble: null })
  t.match(await countBoot(store, log), { boot: 2, trouble: null })
  t.same(log.lines, [])
})

t.test(
  'a start whose count found no room is counted with the first thing that is kept',
  async t => {
    const [store, log] = [new SimulatedStore(), new SimulatedLog()]
    await countBoot(store, log)
    store.fault = 'storage.full'
    const life = await countBoot(store, log)
    t.match(life, { boot: 2, trouble: 'full' })
    await t.rejects(life.store.commit([put]), { code: 'storage.full' })
    store.fault = 'storage.io'
    t.match(
      await countBoot(store, log),
      { boot: 2, trouble: 'read-only' },
      'nothing was kept of it',
    )
    store.fault = null
    await life.store.commit([put])
    t.same(await life.store.read('t', 'k'), put.value)
    t.equal((await countBoot(store, log)).boot, 3)
    await life.store.commit([put])
    t.equal((await countBoot(store, log)).boot, 4, 'and once')
    t.same(log.events('warn'), ['boot.not-counted', 'boot.not-counted'])
  },
)
