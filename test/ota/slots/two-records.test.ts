import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { LinuxSlotDisk } from '../../../drivers/linux/slot-disk.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { noSlots, type State } from '../../../ota/slots/slot-state.js'
import { RECORD_FILES, StateStore } from '../../../ota/slots/state-store.js'
import { BoxError } from '../../../runtime/core/errors.js'

const [first, second] = RECORD_FILES
const state: State = { ...noSlots, floor: '1.1.0' }
const later: State = { ...noSlots, floor: '1.2.0' }

async function records() {
  const simulated = new SimulatedSlotDisk()
  const disk = simulated.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
  const log = new SimulatedLog()
  const store = new StateStore({ disk, keys: new SimulatedKeys(() => 0), log })
  await store.write(state)
  return { simulated, disk, log, store }
}

t.test('a record that rots is told once, and written again from the other one', async t => {
  for (const name of RECORD_FILES) {
    const { simulated, log, store } = await records()
    simulated.rot(name, { isCached: false })
    for (let look = 0; look < 10; look++) t.same(await store.readAndMend(), state)
    t.same(log.events(), ['slots.record-unreadable', 'slots.record-repaired'])
    t.match(store.troubles, [new RegExp(`${name} is damaged, and was written again`)])
    simulated.rot(RECORD_FILES.find(other => other !== name) ?? '', { isCached: false })
    t.same(await store.read(), state, 'it was whole')
  }
})

t.test('one that cannot be read or written is told once, and costs nothing', async t => {
  const { disk, log, store } = await records()
  const { read, writeSynced } = disk
  const broken = async (name: string): Promise<void> => {
    if (name === first) throw new BoxError('storage.io', 'EIO')
  }
  let writes = 0
  disk.read = async (name, max) => {
    await broken(name)
    return read(name, max)
  }
  disk.writeSynced = async (name, bytes) => {
    writes++
    await broken(name)
    return writeSynced(name, bytes)
  }
  for (let look = 0; look < 10; look++) t.same(await store.readAndMend(), state)
  t.same(log.events(), ['slots.record-unreadable', 'slots.record-unwritten'])
  t.equal(writes, 2, 'once in place, once as another file')
  t.match(store.troubles, [/state.0 cannot be written: EIO/])
  await store.write(later)
  t.same(await store.read(), later)
  t.same(await store.repair(), later, 'nor does it keep a launcher from starting')
  disk.read = read
  disk.writeSynced = writeSynced
  t.same(await store.readAndMend(), later)
  t.equal(await disk.remove(second), undefined)
  t.same(await store.readAndMend(), later, 'as soon as it can be, it is mended')
})

t.test('a card that is full keeps the state that it has', async t => {
  const { disk, store } = await records()
  const { writeSynced } = disk
  disk.writeSynced = async () => {
    throw new BoxError('storage.full', 'no space left')
  }
  await t.rejects(store.write(later), { code: 'storage.full' })
  t.same(await store.repair(), state)
  disk.writeSynced = writeSynced
  await store.write(later)
  t.same(await store.read(), later)
})

t.test('records that are gone are as the one who writes them saw them last', async t => {
  const { disk, log, store } = await records()
  for (const name of RECORD_FILES) await disk.remove(name)
  t.same(await store.readAndMend(), state)
  t.ok(log.events().includes('slots.records-recalled'))
  t.same(await store.read(), state)
  const other = new StateStore({ disk, keys: new SimulatedKeys(() => 0), log })
  t.same(await other.read(), state, 'they are on the disk')
  for (const name of RECORD_FILES) await disk.remove(name)
  t.equal(await new StateStore({ disk, keys: new SimulatedKeys(() => 0), log }).read(), null)
})

t.test('nobody reads half of what is being written', async t => {
  const { log, store } = await records()
  const seen = await Promise.all([store.write(later), store.readAndMend(), store.read()])
  t.same(seen.slice(1), [later, later])
  t.same(log.events(), [])
})

t.test('whatever has taken the name of a record on a real disk gives way to it', async t => {
  const home = t.testdir({ slots: {} })
  const disk = new LinuxSlotDisk(home, null)
  const log = new SimulatedLog()
  const store = new StateStore({ disk, keys: new LinuxKeys(), log })
  await store.write(state)
  rmSync(join(home, first))
  mkdirSync(join(home, first))
  writeFileSync(join(home, first, 'x'), '')
  t.same(await store.repair(), state)
  t.match(log.events(), ['slots.record-unreadable', 'slots.record-repaired'])
  rmSync(join(home, second))
  t.same(await store.read(), state)
})
