/** The packages with machine code load in this version of Node: a machine without one goes on without what it does. */
import t from 'tap'
import { messageOf } from '../../../runtime/core/errors.js'

const needed = ['koffi', '@photostructure/sqlite']
/** npm leaves out what it cannot compile. In the gate they must be there. */
const optional = process.env['CI'] === undefined ? ['i2c-bus', 'onoff'] : []

async function whyNotLoaded(name: string): Promise<string | null> {
  try {
    await import(name)
    return null
  } catch (error) {
    return messageOf(error)
  }
}

for (const name of [...needed, 'i2c-bus', 'onoff'])
  t.test(`${name} loads in Node ${process.version}`, async t => {
    const whyNot = await whyNotLoaded(name)
    if (whyNot !== null && optional.includes(name)) t.plan(0, whyNot)
    else t.equal(whyNot, null)
  })
