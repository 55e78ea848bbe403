import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { LauncherRenewal } from '../../../ota/process/launcher-renewal.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { bootOf, startedWith } from '../slots/simulated-slots.js'
import { smallRelease } from '../slots/small-release.js'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const launcher = new TextEncoder().encode('the launcher of 1.0.0')
const release = smallRelease({ version: '1.0.0', floor: null, behaviour: 'good', launcher })

/** A box whose updater was killed right after it had found the release good. */
async function box() {
  const { disk } = await startedWith(release)
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const start = async () => {
    const boot = bootOf(disk, { callsUntilPowerCut: Number.POSITIVE_INFINITY, random: () => 0 })
    const agent = boot.agent('a')
    const renewal = new LauncherRenewal(clock, boot.log, agent)
    await renewal.start()
    return { ...boot, agent, renewal }
  }
  return { disk, clock, start }
}

t.test('a launcher that was not taken in time is taken after the next start', async t => {
  const { disk, clock, start } = await box()
  const { renewal, agent } = await start()
  t.notOk(disk.has('launcher.mjs'))
  await clock.advance(MINUTE_MS)
  t.ok(disk.has('launcher.mjs'))
  t.equal(await agent.takeLauncher(), 'same')
  await renewal.stop()
})

t.test('one that fails its test has one try in a run, and it is told', async t => {
  const { disk, clock, start } = await box()
  const { renewal, agent, programs } = await start()
  programs.outcome = { exitCode: 1, said: 'SyntaxError' }
  await clock.advance(3 * DAY_MS)
  t.equal(programs.started.length, 1)
  t.notOk(disk.has('launcher.mjs'))
  t.match((await agent.status()).troubles, [/that 1.0.0 brings failed its test.*SyntaxError/])
  await renewal.stop()
  const again = await start()
  await clock.advance(MINUTE_MS)
  t.ok(disk.has('launcher.mjs'), 'the next run tries it once more')
  t.same((await again.agent.status()).troubles, [])
  await again.renewal.stop()
})

t.test('one that found no room is tried again the next day, and it is told', async t => {
  const { disk, clock, start } = await box()
  const { renewal, agent, disk: calls, log } = await start()
  const { writeSynced } = calls
  calls.writeSynced = async () => {
    throw new BoxError('storage.full', 'no space left')
  }
  await clock.advance(MINUTE_MS)
  t.match((await agent.status()).troubles, [/could not take its place: no space left/])
  t.ok(log.events().includes('ota.launcher-kept'))
  calls.writeSynced = writeSynced
  await clock.advance(DAY_MS)
  t.ok(disk.has('launcher.mjs'))
  t.same((await agent.status()).troubles, [])
  await renewal.stop()
})
