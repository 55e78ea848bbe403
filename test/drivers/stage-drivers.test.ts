import t from 'tap'
import { stageDrivers } from '../../drivers/stage-drivers.js'
import { makeBench } from './bench.js'

const smallest: Readonly<Record<string, object>> = {
  'gpio-light': { line: 'light-1' },
  'pwm-light': { output: 'pwm-1' },
  'pca9685-light': { bus: 'header' },
  button: { line: 'go-button' },
  footswitch: { line: 'footswitch' },
  contact: { line: 'beam' },
  'capture-trigger': { shutterLine: 'shutter' },
}

t.test('every driver of the stage is built from what must be there', async t => {
  t.same(Object.keys(smallest).sort(), Object.keys(stageDrivers).sort())
  const { host, clock } = makeBench()
  for (const [driver, entry] of Object.entries(stageDrivers)) {
    const { device, kind } = entry.check('thing', smallest[driver], 'options').build(host, clock)
    t.same([device.name, kind], ['thing', entry.kind], driver)
  }
})

t.test('contacts differ in how they bounce', async t => {
  const debounceOf = (driver: string): unknown => {
    const schema = stageDrivers[driver]?.schema
    const options = schema?.parse({ line: 'go-button' })
    return options && typeof options === 'object' && 'settleMs' in options ? options.settleMs : null
  }
  t.same(['button', 'footswitch', 'contact'].map(debounceOf), [20, 60, 0])
})
