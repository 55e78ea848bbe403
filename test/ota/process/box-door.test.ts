import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { BoxDoor, echoTopic } from '../../../ota/process/box-door.js'
import { otaState } from '../../services/ota-state.js'

t.test('the box is heard by the name that it has, whatever ota.json calls it', async t => {
  t.equal(echoTopic({ tour: 'tour-8', box: 'lobby' }), 'vb/tour-8/lobby/ota')
})

t.test('a box that does not come is told after a minute, not while it starts', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const stateFolder = t.testdir({})
  const door = new BoxDoor(clock, { stateFolder, tour: 'tour-7', box: 'box-1' })
  t.equal(await door.tell(otaState), null)
  await clock.advance(59_000)
  t.equal(door.silence(), null)
  await clock.advance(121_000)
  await door.tell(otaState)
  t.match(door.silence(), /^the box has not answered for 3 min: if it is started again and again/)
})
