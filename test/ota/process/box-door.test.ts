import t from 'tap'
import { echoTopic } from '../../../ota/process/box-door.js'

t.test('the box is heard by the name that it has, whatever ota.json calls it', async t => {
  t.equal(echoTopic({ tour: 'tour-8', box: 'lobby' }), 'vb/tour-8/lobby/ota')
})
