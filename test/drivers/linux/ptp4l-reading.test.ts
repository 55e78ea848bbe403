import t from 'tap'
import {
  isFollowing,
  leaderOf,
  pathDelayNsOf,
  timesOf,
} from '../../../drivers/linux/ptp4l-reading.js'

const parent = {
  parentPortIdentity: '3ee558.fffe.4dad8a-1',
  grandmasterPriority1: '128',
  'gm.ClockClass': '13',
  'gm.ClockAccuracy': '0xfe',
  'gm.OffsetScaledLogVariance': '0xffff',
  grandmasterPriority2: '100',
  grandmasterIdentity: '3ee558.fffe.4dad8a',
}
const current = { stepsRemoved: '1', meanPathDelay: '12345.5' }
const status = { gmPresent: 'true', ingress_time: '1790000000123456789', master_offset: '-120' }

t.test('who leads is read as it is on the wire', async t => {
  t.same(leaderOf(parent, current, 'b64169fffef75cf9'), {
    parent: { clock: '3ee558fffe4dad8a', port: 1 },
    grandmaster: {
      identity: '3ee558fffe4dad8a',
      priority1: 128,
      clockClass: 13,
      accuracy: 0xfe,
      variance: 0xffff,
      priority2: 100,
    },
    stepsRemoved: 1,
  })
})

t.test('nobody leads where it is itself, or something is missing or nonsense', async t => {
  t.equal(leaderOf(parent, current, '3ee558fffe4dad8a'), null)
  for (const name of Object.keys(parent)) {
    t.equal(leaderOf({ ...parent, [name]: 'x' }, current, ''), null, name)
    t.equal(leaderOf({ ...parent, [name]: '' }, current, ''), null, name)
  }
  t.equal(leaderOf(parent, {}, ''), null)
})

t.test("an offset is the own time less the leader's, to the nanosecond", async t => {
  t.same(timesOf(status), {
    ingressNs: 1_790_000_000_123_456_789n,
    masterNs: 1_790_000_000_123_456_909n,
  })
  for (const wrong of [
    { gmPresent: 'false' },
    { ingress_time: '0' },
    { ingress_time: '-1' },
    { master_offset: 'nan' },
  ])
    t.equal(timesOf({ ...status, ...wrong }), null)
  t.equal(timesOf({}), null)
  t.equal(pathDelayNsOf(current), 12_345.5)
  t.equal(pathDelayNsOf({}), 0)
})

t.test('a port follows while it says so', async t => {
  t.ok(isFollowing({ portState: 'SLAVE' }) && isFollowing({ portState: 'UNCALIBRATED' }))
  for (const portState of ['LISTENING', 'FAULTY', 'MASTER', 'INITIALIZING'])
    t.notOk(isFollowing({ portState }))
  t.notOk(isFollowing({}))
})
