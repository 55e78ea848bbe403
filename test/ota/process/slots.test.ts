import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkDescription, type ReleaseDescription } from '../../../ota/release/description.js'
import { atOnce } from '../../../ota/slots/slot-check.js'
import { RECORD_FILES } from '../../../ota/slots/state-store.js'
import type { RunningRelease } from '../../../ota/updater/criteria.js'
import type { TransferProgress } from '../../../ota/updater/parts.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { anyTime } from '../slots/simulated-slots.js'
import { descriptionOf, made, twoFullSlots, unavailable } from './process-slots.js'

t.test('what gives way to a release is room for it', async t => {
  const { home, slots, world, prepare } = await twoFullSlots(t)
  world.freeBytes = 1_000
  const { treeByteCount } = descriptionOf(world.next)
  const room = (await slots.roomBytes()) ?? 0
  t.ok(room >= 1_000 + treeByteCount, `${room} bytes: the slot that is written over counts`)
  let roomWhile: number | null = 0
  world.beforeApply = () => {
    void slots.roomBytes().then(bytes => {
      roomWhile = bytes
    })
  }
  await prepare()
  t.equal(roomWhile, room, 'it is not counted while files come and go')
  const after = (await slots.roomBytes()) ?? 0
  t.ok(after >= room + 20_000, `${after} bytes: the object gives way, too`)
  t.ok(existsSync(join(home, 'slots/a/manifest')))
})

t.test('a copy against rot, written since, gives way to a release as well', async t => {
  const { slots, world, prepare, agent } = await twoFullSlots(t)
  world.fetchFault = new BoxError('storage.full', '1 byte is missing')
  await t.rejects(prepare(), { code: 'storage.full' })
  world.freeBytes = 1_000
  await slots.view()
  const before = (await slots.roomBytes()) ?? 0
  t.ok(await agent.care.copy(anyTime))
  await slots.view()
  const room = (await slots.roomBytes()) ?? 0
  t.ok(room > before, `${room} bytes, and ${before} before`)
})

t.test('what an operating system holds gives way to no release', async t => {
  const { home, slots, world } = await twoFullSlots(t)
  world.freeBytes = 1_000
  const before = await slots.roomBytes()
  const [held, left] = ['ab'.repeat(32), 'cd'.repeat(32)]
  mkdirSync(join(home, 'ota/objects'), { recursive: true })
  for (const sha256 of [held, left])
    writeFileSync(join(home, 'ota/objects', sha256), new Uint8Array(40_960).fill(1))
  world.systemObjects = [held]
  t.equal(await slots.roomBytes(), (before ?? 0) + 40_960, 'only what nobody wants')
  world.systemObjects = []
  t.equal(await slots.roomBytes(), (before ?? 0) + 2 * 40_960, 'nobody wants it any more')
})

t.test('the way back stays until there is something to write over it', async t => {
  const { slots, world, prepare } = await twoFullSlots(t)
  world.fetchFault = unavailable()
  await t.rejects(prepare(), { code: 'fetch.unavailable' })
  t.match(await slots.view(), { previous: { version: '1.0.0' } }, 'nothing came, nothing is lost')
  world.fetchFault = null
  await prepare()
  t.match(await slots.view(), { prepared: { version: '1.2.0' } })
})

t.test('nothing is written over before there is something to write', async t => {
  const { home, slots, world, prepare, agent } = await twoFullSlots(t)
  writeFileSync(join(home, 'slots/a/program/main.js'), 'rotten')
  await agent.care.audit('a', atOnce, anyTime)
  world.fetchFault = unavailable()
  await t.rejects(prepare(), { code: 'fetch.unavailable' })
  t.match((await slots.view()).contents?.a, { kind: 'failed' }, 'a copy may take its place')
  t.ok(await agent.care.copy({ ...anyTime, mayReplace: () => false }))
  world.fetchFault = null
  await prepare()
  t.match(await slots.view(), { prepared: { version: '1.2.0' } })
})

t.test('what lies there whole is neither fetched nor written, and stays the way back', async t => {
  const { slots, world, prepare, agent } = await twoFullSlots(t)
  const { files, release } = made('1.0.0')
  world.next = { files, release: { ...release, floor: '1.0.0' } }
  world.fetchFault = unavailable()
  await prepare()
  const view = await slots.view()
  t.match(view, { prepared: { version: '1.0.0' }, previous: { version: '1.0.0' } })
  t.match(view.contents?.a, { kind: 'good', readMinutes: 0, words: /to be tried anew; whole/ })
  t.same(world.told, [])
  t.notOk(await agent.care.isCopyWanted(() => true), 'nobody orders it any more: it is what it was')
  await slots.activate()
  const trial = { kind: 'trial', attempts: 0, release: { floor: '1.0.0' } }
  t.match(await agent.status(), { slots: { a: trial } }, 'with the floor of the order')
  await slots.withdraw()
  t.match(await slots.view(), { prepared: { version: '1.0.0' }, previous: { version: '1.0.0' } })
  await agent.rollBack('lamps flicker')
  t.match(await slots.view(), { prepared: null, isRestartDue: true }, 'a person was faster')
})

t.test('what lies there damaged is not removed before there is something to write', async t => {
  const { home, slots, world, prepare, agent } = await twoFullSlots(t)
  writeFileSync(join(home, 'slots/a/program/main.js'), 'rotten')
  world.next = made('1.0.0')
  world.fetchFault = unavailable()
  await t.rejects(prepare(), { code: 'fetch.unavailable' })
  t.match((await slots.view()).contents?.a, { kind: 'failed' })
  t.ok(await agent.care.isCopyWanted(() => false), 'a copy may take its place meanwhile')
  world.fetchFault = null
  await prepare()
  t.match(await slots.view(), { prepared: { version: '1.0.0' } })
})

t.test('what lies there is mended when the running slot has the same file', async t => {
  const { home, slots, world, prepare } = await twoFullSlots(t)
  writeFileSync(join(home, 'slots/a/package.json'), 'rotten')
  world.next = made('1.0.0')
  await prepare()
  t.match(await slots.view(), { prepared: { version: '1.0.0' } })
  t.same(world.told, [])
})

const PATCH_BYTES = 10

/** Beside the full object a smaller one, made from what runs. */
function withPatch(description: ReleaseDescription, running: RunningRelease | null) {
  const [full] = description.objects
  const target = `objects/${full?.sha256}.patch`
  const sha256 = 'ab'.repeat(32)
  const patch = {
    ...full,
    kind: 'patch',
    from: running?.digest,
    target,
    byteCount: PATCH_BYTES,
    sha256,
  }
  return checkDescription({ ...description, objects: [...description.objects, patch] })
}

t.test('an object that cannot be applied empties no slot a second time', async t => {
  const { slots, world, agent } = await twoFullSlots(t)
  const both = withPatch(descriptionOf(world.next), (await slots.view()).running)
  const prepare = () =>
    slots.prepare(
      both,
      () => {},
      () => false,
    )
  world.isUnapplied = true
  world.fetched = ({ byteCount }) => {
    world.fetchFault = byteCount === PATCH_BYTES ? null : unavailable()
  }
  await t.rejects(prepare(), { code: 'fetch.unavailable' })
  t.ok(await agent.care.copy(anyTime))
  await t.rejects(prepare(), { code: 'fetch.unavailable' })
  t.match((await slots.view()).contents?.a, { kind: 'good', isCopy: true })
  world.fetched = () => {
    world.fetchFault = null
  }
  await t.rejects(prepare(), { code: 'release.unapplied' })
  world.isUnapplied = false
  await prepare()
  t.match(await slots.view(), { prepared: { version: '1.2.0' } }, 'when nothing is left, all are')
})

t.test('the running slot is mended while the other one still holds its files', async t => {
  const { home, slots, world, prepare } = await twoFullSlots(t)
  const file = join(home, 'slots/b/package.json')
  const before = readFileSync(file)
  writeFileSync(file, 'rotten')
  await prepare()
  t.same(readFileSync(file), before)
  t.match(await slots.view(), { prepared: { version: '1.2.0' } })
  t.same(world.told.includes('apply'), true)
})

t.test('a box whose release is damaged keeps the slot from which it could be started', async t => {
  const { home, slots, prepare } = await twoFullSlots(t)
  writeFileSync(join(home, 'slots/b/program/main.js'), 'rotten')
  await t.rejects(prepare(), { code: 'slot.refused' })
  t.match(await slots.view(), { isRestartDue: true, contents: { a: { kind: 'good' } } })
})

t.test('what is damaged is no base for a release', async t => {
  const { home, slots, world } = await twoFullSlots(t)
  for (const slot of ['a', 'b'])
    writeFileSync(join(home, `slots/${slot}/program/main.js`), 'rotten')
  const both = withPatch(descriptionOf(world.next), (await slots.view()).running)
  await slots.prepare(
    both,
    () => {},
    () => false,
  )
  t.same(
    world.applied.map(({ base }) => base),
    [null],
  )
})

t.test('a card with no room for both gives up the way back first', async t => {
  const { slots, world, prepare, home } = await twoFullSlots(t)
  world.fetchFault = new BoxError('storage.full', '1 byte is missing')
  await t.rejects(prepare(), { code: 'storage.full' })
  t.notOk(existsSync(join(home, 'slots/a/manifest')), 'it was removed, and tried again')
  t.equal(world.told.filter(word => word === 'fetch').length, 2)
  t.match(await slots.view(), { previous: null })
})

t.test('a card that fills up while a release is written is left to the box', async t => {
  const { home, slots, world, prepare, agent } = await twoFullSlots(t)
  world.isFull = true
  world.freeBytes = 5_000_000
  await t.rejects(prepare(), {
    code: 'storage.full',
    message: /the card is full: what was written of 1.2.0 is removed, 5 MB are free .*ENOSPC/,
  })
  t.notOk(existsSync(join(home, 'slots/a')), 'what was written is removed')
  t.equal(world.told.at(-1), 'keep 0', 'so is what was fetched, as the box needs the room')
  t.match(await slots.view(), { running: { version: '1.1.0' }, prepared: null })
  t.ok(await agent.care.isCopyWanted(() => false), 'nothing is half written, and a copy needs less')
  world.isFull = false
  await prepare()
  t.match(await slots.view(), { prepared: { version: '1.2.0' } }, 'and the next try is whole')
})

t.test('records that were gone at the start are told, with what to do', async t => {
  const { home, slots, world, prepare } = await twoFullSlots(t)
  for (const name of RECORD_FILES) rmSync(join(home, name))
  t.match(await slots.view(), { trouble: /records of slots a and b are gone: restart the unit/ })
  await t.rejects(prepare(), { code: 'storage.rotten' })
  t.same(world.told, [], 'nothing is fetched, nothing is written')
})

t.test('what the next release writes is held against what the running one reads', async t => {
  const { home, slots, prepare } = await twoFullSlots(t)
  await prepare()
  const say = (slot: string, words: object): void =>
    writeFileSync(
      join(home, `slots/${slot}/release.json`),
      JSON.stringify({ version: '1', architecture: 'x64', sourceEpoch: 0, ...words }),
    )
  say('b', { formats: { config: 1, store: 1 }, reads: { config: 1, store: 2 } })
  say('a', { formats: { config: 1, store: 2 }, reads: { config: 1, store: 2 } })
  t.match(await slots.view(), { formats: { running: { store: 2 }, prepared: { store: 2 } } })
  say('b', { formats: { config: 1, store: 1 } })
  t.match(await slots.view(), { formats: { running: { store: 1 }, prepared: { store: 2 } } })
})

t.test('files that are verified are no bytes that are written', async t => {
  const { slots, world } = await twoFullSlots(t)
  const told: TransferProgress[] = []
  const tell = (progress: TransferProgress): void => void told.push(progress)
  await slots.prepare(descriptionOf(world.next), tell, () => false)
  t.ok(told.length > 0)
  t.same(
    told.filter(({ allBytes }) => allBytes > 0),
    [],
    'the child has told of none here, and each file would be one of a handful',
  )
})
