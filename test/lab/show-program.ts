/** A show on a real kernel, by the interface to its lines that is named, under the version of Node that runs this. */
import t from 'tap'
import { assert } from '../../runtime/core/errors.js'
import { isLit, showBox, showMoves } from './show.js'
import { forgetDimmerOff, isDimmerOff } from './whole-box.js'

const [gpio] = process.argv.slice(2)
assert(gpio === 'chardev' || gpio === 'sysfs', 'one of the two ways to the lines')

t.test(`a show moves real lines by ${gpio}`, async t => {
  const box = await showBox(t, gpio)
  await showMoves(t, box, gpio)
  await forgetDimmerOff()
  await box.stop()
  t.same(['light-1', 'light-2', 'shutter'].filter(isLit), [], 'all is dark after the end')
  t.ok(await isDimmerOff(), 'and so are the lamps of the dimmer')
})
