import t from 'tap'
import { atOnce } from '../../../ota/slots/slot-check.js'
import { RECORD_FILES } from '../../../ota/slots/state-store.js'
import { anyTime, startedWith, unhurried } from './simulated-slots.js'
import { type SmallRelease, smallRelease } from './small-release.js'

const made = (version: string, floor: string | null = null): SmallRelease =>
  smallRelease({ version, floor, behaviour: 'good', launcher: null })
const [one, two, three] = [made('1.0.0'), made('1.1.0', '1.1.0'), made('1.2.0')]
const rotten = { code: 'slot.rotten' }
const refused = { code: 'slot.refused' }

async function box() {
  const { disk, boot } = await startedWith(one)
  const agent = boot.agent('a')
  const install = (wanted: SmallRelease) =>
    agent.install(wanted.release, boot.installer(wanted), unhurried)
  return { disk, boot, agent, install }
}

/** v1 in a, v2 found good in b. */
async function twoGood() {
  const all = await box()
  await all.install(two)
  await all.agent.activate()
  await all.boot.choose()
  await all.boot.agent('b').markGood()
  return all
}

t.test('what the card kept of a file, not what memory holds, is verified', async t => {
  const { disk, boot, agent } = await box()
  const syncTree = boot.disk.syncTree
  boot.disk.syncTree = async folder => {
    await syncTree(folder)
    disk.rot(`${folder}/program/main.js`, { isCached: true })
  }
  const work = agent.install(two.release, boot.installer(two), unhurried)
  await t.rejects(work, { ...rotten, message: /program\/main.js/ })
  t.match(await agent.status(), { slots: { b: { kind: 'empty' } } })
  boot.disk.syncTree = syncTree
  t.equal(
    await agent.install(two.release, boot.installer(two), unhurried),
    'b',
    'the next try is whole',
  )
})

t.test('an installer that leaves something out, or over, is not believed', async t => {
  const { boot, agent } = await box()
  for (const wrong of [
    { ...two, files: two.files.slice(1) },
    {
      ...two,
      files: [...two.files, { path: 'extra', bytes: new Uint8Array(1), isExecutable: false }],
    },
    { ...two, files: two.files.map(file => ({ ...file, isExecutable: false })) },
  ])
    await t.rejects(agent.install(two.release, boot.installer(wrong), unhurried), rotten)
})

t.test('an installation that was made is not made again', async t => {
  const { agent, install } = await box()
  await install(two)
  const never = { install: async () => void t.fail('it was there') }
  t.equal(await agent.install(two.release, never, unhurried), 'b')
})

t.test('either record may rot at rest, and nothing is forgotten', async t => {
  for (const record of RECORD_FILES) {
    const { disk, boot } = await twoGood()
    disk.rot(record, { isCached: false })
    t.match(await boot.choose(), { slot: 'b', mode: 'good' })
    t.match(await boot.agent('b').status(), { floor: '1.1.0', chosen: 'b' })
    t.ok(boot.log.events().includes('slots.record-repaired'))
  }
})

t.test(
  'both records lost: the newer release has to prove itself again, the floor is at least the last',
  async t => {
    const { boot } = await twoGood()
    await boot.agent('b').install(three.release, boot.installer(three), unhurried)
    for (const record of RECORD_FILES) await boot.disk.remove(record)
    t.match(await boot.choose(), { slot: 'a', mode: 'trial', release: { version: '1.2.0' } })
    t.match(await boot.agent('a').status(), { chosen: 'b', floor: '1.1.0' })
  },
)

t.test(
  'a rotten slot gives way at the next start, whether a start or an audit finds it',
  async t => {
    for (const isAudited of [true, false]) {
      const { disk, boot } = await twoGood()
      await boot.agent('b').install(three.release, boot.installer(three), unhurried)
      await boot.agent('b').activate()
      await boot.choose()
      await boot.agent('a').markGood()
      disk.rot('slots/a/program/main.js', { isCached: false })
      if (isAudited) t.match(await boot.agent('a').care.audit('a', atOnce, anyTime), /main.js/)
      t.match(await boot.choose(), { slot: 'b', mode: 'good' })
      const again = await boot.agent('b').install(three.release, boot.installer(three), unhurried)
      t.equal(again, 'a', 'the card was at fault: the release is taken again')
    }
  },
)

t.test('the only good slot is not given up when it is rotten', async t => {
  const { disk, boot } = await box()
  disk.rot('slots/a/program/main.js', { isCached: false })
  t.equal(await boot.choose(), null)
  disk.rot('slots/a/program/main.js', { isCached: false })
  t.match(
    await boot.choose(),
    { slot: 'a', mode: 'good' },
    'a card that reads right again is enough',
  )
})

t.test('only what runs and is on trial is marked good', async t => {
  const { boot, agent, install } = await box()
  await install(two)
  await t.rejects(boot.agent('b').markGood(), refused)
  await agent.activate()
  await agent.markGood()
  t.match(await agent.status(), { isTrial: true }, 'who is good already says nothing of the other')
  await t.rejects(boot.agent('b').takeLauncher(), refused)
})

t.test('a release that failed is named as the reason, until it is cleared', async t => {
  const { agent, install } = await box()
  await install(two)
  await agent.activate()
  await agent.rollBack('devices: front')
  t.same(await agent.whyNot(two.release), ['1.1.0 failed: devices: front'])
  await t.rejects(install(two), refused)
  await agent.clear(two.release.digest)
  t.same(await agent.whyNot(two.release), [])
})

t.test('records that vanish under a running box are as they were', async t => {
  const { boot } = await twoGood()
  const agent = boot.agent('b')
  const before = await agent.status()
  for (const record of RECORD_FILES) await boot.disk.remove(record)
  const after = await agent.status()
  t.same({ ...after, troubles: [] }, before)
  t.match(await boot.choose(), { slot: 'b', mode: 'good' }, 'the floor and the choice are kept')
  for (const record of RECORD_FILES) await boot.disk.remove(record)
  await t.rejects(boot.agent('b').status(), { code: 'storage.rotten', message: /restart the unit/ })
})

t.test('a launcher that failed does not become the one to go back to', async t => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  for (const isPreviousLauncher of [true, false]) {
    const { boot } = await box()
    const newer = smallRelease({
      version: '1.3.0',
      floor: null,
      behaviour: 'good',
      launcher: bytes('third'),
    })
    await boot.disk.writeSynced('launcher.previous.mjs', bytes('first'))
    await boot.disk.writeSynced('launcher.mjs', bytes('second'))
    await boot.agent('a').install(newer.release, boot.installer(newer), unhurried)
    await boot.agent('a').activate()
    const agent = boot.agent('b', { isPreviousLauncher })
    await agent.markGood()
    t.equal(await agent.takeLauncher(), 'taken')
    t.same(await boot.disk.read('launcher.mjs', 99), bytes('third'))
    const kept = isPreviousLauncher ? 'first' : 'second'
    t.same(await boot.disk.read('launcher.previous.mjs', 99), bytes(kept), 'the one that runs')
  }
})
