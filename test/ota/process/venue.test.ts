import t from 'tap'
import { giveBytesPerSecond } from '../../../ota/process/venue.js'

t.test('beside an armed show other boxes get their pieces slowly', async t => {
  const show = { isArmed: false, isPanic: false, runningCues: 0 }
  t.equal(giveBytesPerSecond({ show }), null)
  t.equal(giveBytesPerSecond({ show: null }), null, 'a box without a show')
  t.equal(giveBytesPerSecond({ show: { ...show, isArmed: true } }), 1_000_000)
  t.equal(
    giveBytesPerSecond(null),
    1_000_000,
    'a box that is not heard may be in the middle of one',
  )
})
