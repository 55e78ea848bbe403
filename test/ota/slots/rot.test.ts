/** What is done against rot: a copy of what runs, files that are mended from the other slot, and what is left when nothing helps. */
import t from 'tap'
import type { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { HALF_FILE } from '../../../ota/slots/mending.js'
import { atOnce, checkBeforeStart } from '../../../ota/slots/slot-check.js'
import { RECORD_FILES } from '../../../ota/slots/state-store.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { anyTime, type Boot, startedWith, unhurried } from './simulated-slots.js'
import { type SmallRelease, smallRelease } from './small-release.js'

const made = (version: string): SmallRelease =>
  smallRelease({ version, floor: null, behaviour: 'good', launcher: null })
const [one, two] = [made('1.0.0'), made('1.1.0')]
const onDisk = { isCached: false }

const box = (): Promise<{ disk: SimulatedSlotDisk; boot: Boot }> => startedWith(one)

/** 1.0.0 in a and, as a copy, in b. */
async function copied() {
  const all = await box()
  await all.boot.agent('a').care.copy(anyTime)
  return all
}

/** 1.0.0 in a, 1.1.0 found good in b. */
async function twoGood() {
  const all = await box()
  await all.boot.agent('a').install(two.release, all.boot.installer(two), unhurried)
  await all.boot.agent('a').activate()
  await all.boot.choose()
  await all.boot.agent('b').markGood()
  return all
}

t.test('a copy is started at once when what it is of rots, and nothing is refused', async t => {
  const { disk, boot } = await copied()
  disk.rot('slots/a/program/main.js', onDisk)
  t.match(await boot.choose(), { slot: 'b', mode: 'good', isPassedOver: false })
  const { care } = boot.agent('b')
  t.equal(await care.copy(anyTime), 'a', 'and it gets a copy itself')
  t.match(await boot.agent('b').status(), { standIn: 'a', chosen: 'b', refused: [] })
})

t.test('a copy is no release to go back to, and a rollback says so', async t => {
  const { boot } = await copied()
  const agent = boot.agent('a')
  t.match(await agent.status(), { wayBack: null, standIn: 'b' })
  await t.rejects(agent.rollBack('lamps flicker'), {
    code: 'slot.refused',
    message: /holds 1.0.0 as well, against rot: there is no older release/,
  })
})

t.test(
  'a copy gives way to a release that is ordered, and is the way back of its trial',
  async t => {
    const { boot } = await copied()
    await boot.agent('a').install(two.release, boot.installer(two), unhurried)
    await boot.agent('a').activate()
    t.match(await boot.choose(), { slot: 'b', mode: 'trial' })
    t.match(await boot.agent('b').status(), { wayBack: 'a', standIn: 'a' })
  },
)

t.test('a release that could be started, or gone back to, is never written over', async t => {
  const { boot } = await twoGood()
  t.equal(await boot.agent('b').care.copy(anyTime), null, 'an older one that is good')
  const { boot: other } = await box()
  const agent = other.agent('a')
  await agent.install(two.release, other.installer(two), unhurried)
  const somebodys = { ...anyTime, mayReplace: () => false }
  t.equal(await agent.care.copy(somebodys), null, 'one that was prepared')
  t.ok(await agent.care.isCopyWanted(what => what === 'prepared'), 'unless nobody orders it')
  await agent.activate()
  t.equal(await agent.care.copy(anyTime), null, 'one on trial')
})

t.test(
  'what an update has half written is replaced only when nobody wants it any more',
  async t => {
    const { boot } = await box()
    const agent = boot.agent('a')
    const torn = { install: async () => Promise.reject(new BoxError('fetch.unavailable', 'no')) }
    await t.rejects(agent.install(two.release, torn, unhurried))
    t.notOk(await agent.care.isCopyWanted(() => false))
    t.ok(await agent.care.isCopyWanted(what => what === 'unfinished'))
  },
)

/** 1.1.0, found good in b, was given back by hand: 1.0.0 runs from a. */
async function givenBack() {
  const all = await twoGood()
  await all.boot.agent('b').rollBack('lamps flicker')
  t.match(await all.boot.choose(), { slot: 'a', mode: 'good' })
  return all
}

t.test('a release below the floor makes room: nobody may go back to it', async t => {
  const { boot } = await box()
  const raising = smallRelease({
    version: '1.1.0',
    floor: '1.1.0',
    behaviour: 'good',
    launcher: null,
  })
  await boot.agent('a').install(raising.release, boot.installer(raising), unhurried)
  await boot.agent('a').activate()
  await boot.choose()
  await boot.agent('b').markGood()
  t.equal(await boot.agent('b').care.copy(anyTime), 'a')
  t.match(await boot.agent('b').status(), { standIn: 'a', wayBack: null, chosen: 'b' })
})

t.test('a release that was given back makes room, once nobody goes on with it', async t => {
  const { boot } = await givenBack()
  const agent = boot.agent('a')
  t.match(await agent.status(), { wayBack: null }, 'nothing leads back to what is refused')
  const notYet = (beneath: string): boolean => beneath !== 'given-back'
  t.equal(await agent.care.copy({ ...anyTime, mayReplace: notYet }), null)
  t.equal(await agent.care.copy(anyTime), 'b')
  t.match(await agent.status(), { standIn: 'b', slots: { b: { release: one.release } } })
})

t.test('a release that was given back and cleared is the way back again, and stays', async t => {
  const { boot } = await givenBack()
  const agent = boot.agent('a')
  await agent.clear(two.release.digest)
  t.equal(await agent.care.copy(anyTime), null)
  t.match(await agent.status(), { wayBack: 'b' })
})

/** 1.1.0 was given back by hand in its trial. */
async function failed() {
  const all = await box()
  await all.boot.agent('a').install(two.release, all.boot.installer(two), unhurried)
  await all.boot.agent('a').activate()
  await all.boot.agent('b').rollBack('lamps flicker')
  return all
}

t.test('a release that lies there whole is tried anew, and not written again', async t => {
  const { boot } = await givenBack()
  const agent = boot.agent('a')
  t.equal(await agent.takingUp.take(two.release, anyTime), null, 'it is refused')
  await agent.clear(two.release.digest)
  t.equal(await agent.takingUp.take(one.release, anyTime), null, 'it runs')
  t.equal(await agent.takingUp.take(two.release, anyTime), 'b')
  t.match(await agent.status(), { slots: { b: { kind: 'good' } }, wayBack: 'b', toTry: 'b' })
  t.match(await boot.agent('a').status(), { toTry: null }, 'another process reads it anew')
  await agent.activate()
  t.match(await boot.choose(), { slot: 'b', mode: 'trial' })
})

t.test('a slot that is given to a release while it is read is not called damaged', async t => {
  const { boot } = await twoGood()
  const agent = boot.agent('b')
  const three = made('1.2.0')
  let isBegun = false
  const pause = async (): Promise<void> => {
    if (isBegun) return
    isBegun = true
    await agent.install(three.release, boot.installer(three), unhurried)
  }
  t.equal(await agent.care.audit('a', pause, null), null)
  t.notOk(boot.log.events().includes('slot.rotten'))
  t.match(await agent.status(), { slots: { a: { kind: 'ready' } }, troubles: [] })
})

t.test('what rots between its reading and its trial is not tried, nor given up', async t => {
  const { disk, boot } = await givenBack()
  const agent = boot.agent('a')
  await agent.clear(two.release.digest)
  t.equal(await agent.takingUp.take(two.release, anyTime), 'b')
  disk.rot('slots/b/program/main.js', onDisk)
  await t.rejects(agent.activate(), { code: 'slot.rotten' })
  t.match(await agent.status(), { slots: { b: { kind: 'good' } }, isTrial: false, toTry: null })
  t.equal(await agent.takingUp.take(two.release, anyTime), null)
  t.match(await agent.status(), { slots: { b: { kind: 'failed' } } })
})

t.test('what is to run and could not be started is written anew', async t => {
  const { boot } = await twoGood()
  const agent = boot.agent('a', { isPassedOver: true })
  await agent.status()
  t.equal(await agent.takingUp.take(two.release, anyTime), null)
  t.equal(await agent.install(two.release, boot.installer(two), unhurried), 'b')
  t.match(await agent.status(), { chosen: 'a', slots: { b: { kind: 'ready' } } })
})

t.test('what could still be started is not written over by what is damaged', async t => {
  for (const [{ disk, boot }, kind] of [
    [await givenBack(), 'good'],
    [await failed(), 'failed'],
  ] as const) {
    disk.rot('slots/a/program/main.js', onDisk)
    const agent = boot.agent('a')
    await t.rejects(agent.care.copy(anyTime), { code: 'slot.rotten' })
    t.match(await agent.status(), { slots: { b: { kind, release: two.release } } })
    t.match(
      await boot.choose(),
      { slot: 'b', release: { version: '1.1.0' } },
      'light, and not none',
    )
  }
})

t.test('a box that runs is not given up for a release that was refused', async t => {
  const { disk, boot } = await givenBack()
  disk.rot('slots/a/program/main.js', onDisk)
  const agent = boot.agent('a')
  t.match(await agent.care.audit('a', atOnce, anyTime), /is damaged/)
  t.match(await agent.status(), { chosen: 'a', isRestartDue: false })
})

t.test('where there is no room for a copy, nothing is removed for it', async t => {
  const { boot } = await givenBack()
  const makeSure = async (): Promise<void> => {
    throw new BoxError('storage.full', 'no room')
  }
  const agent = boot.agent('a')
  await t.rejects(agent.care.copy({ ...anyTime, makeSure }), { code: 'storage.full' })
  t.match(await agent.status(), { slots: { b: { kind: 'good', release: two.release } } })
})

t.test('an installation ends a copy that is being written', async t => {
  const { boot } = await box()
  const agent = boot.agent('a')
  let installed: Promise<unknown> = Promise.resolve()
  let pauses = 0
  const pause = async (): Promise<void> => {
    if (++pauses === 5) installed = agent.install(two.release, boot.installer(two), unhurried)
  }
  await t.rejects(agent.care.copy({ ...anyTime, pause }), { code: 'fetch.cancelled' })
  await installed
  t.match(await agent.status(), { slots: { b: { kind: 'ready', release: two.release } } })
  t.notOk(pauses > 6, 'at once')
})

t.test('a copy that finds no room, or rots as it is written, leaves nothing behind', async t => {
  const { disk, boot } = await box()
  const { care } = boot.agent('a')
  const makeSure = async (): Promise<void> => {
    throw new BoxError('storage.full', 'no room')
  }
  await t.rejects(care.copy({ ...anyTime, makeSure }), { code: 'storage.full' })
  t.match(await boot.agent('a').status(), { slots: { b: { kind: 'empty' } } })
  let isRotten = false
  const pause = async (): Promise<void> => {
    if (isRotten || !disk.has('slots/b/program/main.js')) return
    isRotten = true
    disk.rot('slots/b/program/main.js', { isCached: true })
  }
  await t.rejects(care.copy({ ...anyTime, pause }), { code: 'slot.rotten', message: /main.js/ })
  t.match(await boot.agent('a').status(), { slots: { b: { kind: 'empty' } } })
  t.equal(await care.copy(anyTime), 'b', 'the next try is whole')
})

t.test('an audit mends what the other slot has, of whatever release', async t => {
  const { disk, boot } = await twoGood()
  disk.rot('slots/b/package.json', onDisk)
  t.equal(await boot.agent('b').care.audit('b', atOnce, anyTime), null)
  t.ok(boot.log.events().includes('slot.mended'))
  t.match(await boot.choose(), { slot: 'b', mode: 'good', release: { version: '1.1.0' } })
})

t.test('what the card does not keep takes no place, and leaves nothing behind', async t => {
  const { disk, boot } = await twoGood()
  disk.rot('slots/b/package.json', onDisk)
  const before = await boot.disk.list('slots/b')
  const pause = async (): Promise<void> => {
    if (disk.has(HALF_FILE)) disk.rot(HALF_FILE, { isCached: true })
  }
  const { care } = boot.agent('b')
  t.match(await care.audit('b', atOnce, { ...anyTime, pause }), /the card does not keep/)
  t.same(await boot.disk.list('slots/b'), before)
  t.match(await boot.agent('b').status(), { chosen: 'a' }, 'the other one is started next')
  await care.audit('a', atOnce, anyTime)
  t.notOk(disk.has(HALF_FILE))
})

t.test('what is found when it may not be mended is looked for at the next start', async t => {
  const { disk, boot } = await twoGood()
  disk.rot('slots/b/assets/a/picture', onDisk)
  t.match(await boot.agent('b').care.audit('b', atOnce, null), /picture/)
  t.match(await boot.agent('b').status(), { slots: { b: { kind: 'good' } }, chosen: 'b' })
  disk.rot('slots/b/assets/a/picture', onDisk)
  const sound = await checkBeforeStart(boot.choice, 'b', two.release, null)
  t.match(sound, { isSound: true, how: 'read' }, 'all of it, not a sample')
})

t.test('a start mends what the other slot has: the box runs what it ran before', async t => {
  const { disk, boot } = await twoGood()
  disk.rot('slots/b/package.json', onDisk)
  t.match(await boot.choose(), { slot: 'b', mode: 'good', release: { version: '1.1.0' } })
})

t.test('where both slots rot, one of them mends from the other', async t => {
  const { disk, boot } = await copied()
  disk.rot('slots/a/program/main.js', onDisk)
  disk.rot('slots/b/program/updater.js', onDisk)
  t.match(await boot.choose(), { release: { version: '1.0.0' } })
})

t.test('both records lost: a copy is one release, and not on trial', async t => {
  const { boot } = await copied()
  for (const record of RECORD_FILES) await boot.disk.remove(record)
  t.match(await boot.choose(), { slot: 'a', mode: 'good' })
  t.match(await boot.agent('a').status(), { standIn: 'b', isTrial: false })
})

t.test('when nothing helps, one sentence says what is broken and what to do', async t => {
  const { disk, boot } = await copied()
  for (const slot of ['a', 'b']) disk.rot(`slots/${slot}/program/main.js`, onDisk)
  t.equal(await boot.choose(), null)
  const told = boot.log.lines.find(({ event }) => event === 'slots.none-complete')
  t.match(told?.facts, {
    why: /slot a: program\/main.js is damaged.*; slot b: program\/main.js is damaged/,
    todo: /spare card/,
  })
})

t.test('what nobody runs keeps no box from starting', async t => {
  const { disk, boot } = await box()
  disk.rot('slots/a/licences.txt', onDisk)
  for (const isSampled of [true, false]) {
    if (isSampled) await boot.disk.remove('slots/a.seal')
    t.match(await boot.choose(), { slot: 'a', mode: 'good' })
  }
  t.ok(boot.log.events().includes('slot.started-damaged'))
})

t.test('a box that runs is not given up for a slot that does not start', async t => {
  for (const { disk, boot } of [await copied(), await twoGood()]) {
    const running = (await boot.agent('a').status()).chosen ?? 'a'
    for (const slot of ['a', 'b'] as const) {
      disk.rot(`slots/${slot}/program/main.js`, onDisk)
      disk.rot(`slots/${slot}/package.json`, onDisk)
    }
    const agent = boot.agent(running)
    t.match(await agent.care.audit(running, atOnce, anyTime), /is damaged/)
    t.match(await agent.status(), { chosen: running, isRestartDue: false })
    t.match(await agent.status(), { slots: { [running]: { kind: 'good' } } })
  }
})
