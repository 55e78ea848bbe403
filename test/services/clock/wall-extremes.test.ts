/** Dates that nobody can mean, and networks that come late: what a box must be able to come back from by itself. */
import t from 'tap'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { RELEASED_MS, TRUTH_MS, World } from './wall/wall-rig.js'

const YEAR_MS = 365.25 * 86_400_000
const MINUTE_MS = 60_000
const HOST = '192.0.2.1'
const CLOSE_MS = 5
/** What a calendar can show at most, and years that are typed wrong. */
const NEVER = [8.64e15, Date.UTC(9999, 11, 31), Date.UTC(2126, 0, 1)]

t.test('a date in which no release runs any more is refused, and changes nothing', async t => {
  const world = new World()
  const box = world.box({ systemAheadMs: -1_000 })
  await box.service.start()
  for (const wallMs of [...NEVER, -8.64e15, 0])
    t.match(box.set(wallMs), { isAccepted: false, code: 'command.refused' }, `${wallMs}`)
  t.ok(Math.abs(box.errorMs + 1_000) < 1)
  t.equal(box.set(RELEASED_MS + 20 * YEAR_MS)?.isAccepted, true)
  await box.service.stop()
})

t.test(
  'a machine that believes in such a date, or has kept one, still finds the right one',
  async t => {
    for (const wallMs of NEVER) {
      const world = new World()
      await world.serve(HOST)
      const files = new SimulatedFiles()
      const kept = { wallMs, bootId: 'before', differenceMs: wallMs, claim: null }
      await files.replace('wall.json', new TextEncoder().encode(JSON.stringify(kept)))
      const box = world.box({ files, hosts: [HOST], systemAheadMs: wallMs - TRUTH_MS })
      await box.service.start()
      t.ok(box.shownMs < RELEASED_MS + MINUTE_MS, 'nobody is told of it')
      await world.truth.advance(10_000)
      t.match(box.state, { source: 'ntp', isUtcKnown: true })
      t.ok(Math.abs(box.errorMs) < CLOSE_MS, `${box.errorMs}`)
      await box.service.stop()
    }
  },
)

t.test('a network that came late is no trouble any more once servers answer', async t => {
  const world = new World()
  await world.serve(HOST)
  const box = world.box({ hosts: [HOST] })
  box.network.sendTrouble = new DeviceError('link.down', 'send ENETUNREACH')
  await box.service.start()
  await world.truth.advance(10_000)
  t.match(box.state.trouble, /ENETUNREACH/)
  box.network.sendTrouble = null
  await world.truth.advance(5 * MINUTE_MS)
  t.match(box.state, { source: 'ntp', trouble: null })
  await box.service.stop()
})

t.test('an answer that could not leave is told of for a while, not for ever', async t => {
  const world = new World()
  const [leader, follower] = [
    world.box({ isServing: true, isLocalSource: true }),
    world.box({ follow: '10.77.0.1' }),
  ]
  await leader.service.start()
  await follower.service.start()
  leader.network.sendTrouble = new DeviceError('link.down', 'send EPERM')
  await world.truth.advance(MINUTE_MS)
  t.match(leader.state.trouble, /EPERM/)
  leader.network.sendTrouble = null
  await world.truth.advance(5 * MINUTE_MS)
  t.match(leader.state, { trouble: null })
  await leader.service.stop()
  await follower.service.stop()
})
