/** What a launcher starts when the card, or the release, is not as it should be. */
import t from 'tap'
import { sealFile } from '../../../ota/slots/slot-check.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { type Boot, startedWith, unhurried } from './simulated-slots.js'
import { type SmallRelease, smallRelease } from './small-release.js'

const made = (version: string, floor: string | null = null): SmallRelease =>
  smallRelease({ version, floor, behaviour: 'good', launcher: null })
const [one, two, three] = [made('1.0.0'), made('1.1.0', '1.1.0'), made('1.2.0')]

async function box() {
  const { disk, boot } = await startedWith(one)
  const install = (running: 'a' | 'b', wanted: SmallRelease) =>
    boot.agent(running).install(wanted.release, boot.installer(wanted), unhurried)
  return { disk, boot, install }
}

/** From now on every write fails. */
function seize({ disk }: Boot): void {
  const no = async (): Promise<never> => {
    throw new BoxError('storage.io', 'EROFS: read-only file system')
  }
  disk.writeSynced = no
  disk.rename = no
  disk.removeTree = no
}

t.test('a card that takes no more writes starts the good release, not the trial', async t => {
  const { boot, install } = await box()
  await install('a', two)
  await boot.agent('a').activate()
  seize(boot)
  t.match(await boot.choose(), { slot: 'a', mode: 'good', isPassedOver: true })
  t.ok(boot.log.events().includes('slots.unwritable'))
  const status = await boot.agent('a', { isPassedOver: true }).status()
  t.equal(status.isRestartDue, false, 'nor is the box restarted for ever')
  t.match(status.troubles, [/1.1.0 is to run, and could not be started/])
  t.equal((await boot.agent('a').status()).isRestartDue, true, 'but where nobody tried')
})

t.test('a trial without a way back is started on such a card all the same', async t => {
  const { boot, install, disk } = await box()
  await install('a', two)
  await boot.agent('a').activate()
  disk.rot('slots/a/program/main.js', { isCached: false })
  seize(boot)
  t.match(await boot.choose(), { slot: 'b', mode: 'trial' })
})

t.test('a trial that was over stays so on such a card', async t => {
  const { boot, install } = await box()
  await install('a', two)
  await boot.agent('a').activate()
  for (let start = 0; start < 3; start++) t.match(await boot.choose(), { slot: 'b' })
  seize(boot)
  t.match(await boot.choose(), { slot: 'a', mode: 'good', isPassedOver: true })
})

t.test('a slot whose seal cannot be written again is started', async t => {
  const { boot } = await box()
  await boot.disk.remove(sealFile('a'))
  seize(boot)
  t.match(await boot.choose(), { slot: 'a', mode: 'good', isPassedOver: false })
})

t.test('a rotten release with nothing but one below the floor beside it is mended', async t => {
  const { boot, install, disk } = await box()
  await install('a', two)
  await boot.agent('a').activate()
  await boot.choose()
  await boot.agent('b').markGood()
  disk.rot('slots/b/program/main.js', { isCached: false })
  t.match(await boot.choose(), { slot: 'a', mode: 'last', isPassedOver: true })
  const agent = boot.agent('a', { isPassedOver: true })
  t.equal((await agent.status()).isRestartDue, false, 'the box is not restarted for ever')
  t.equal(await agent.install(three.release, boot.installer(three), unhurried), 'b')
  await agent.activate()
  t.match(await agent.status(), { isRestartDue: true })
  t.match(await boot.choose(), { slot: 'b', mode: 'trial', isPassedOver: false })
})

t.test('a release that nobody here can start does not cost three attempts', async t => {
  const { boot, install } = await box()
  const strange = smallRelease({
    version: '2.0.0',
    floor: null,
    behaviour: 'good',
    launcher: null,
    launchFormat: 2,
  })
  await install('a', strange)
  await boot.agent('a').activate()
  t.match(await boot.choose(), { slot: 'a', mode: 'good', isPassedOver: false })
  t.match((await boot.agent('a').status()).refused, [{ why: /launch.json.*not of format 1/ }])
})
