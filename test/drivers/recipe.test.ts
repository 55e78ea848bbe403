import t from 'tap'
import { entry, wired } from '../../drivers/recipe.js'
import { ConfigError } from '../../runtime/core/errors.js'
import { integer, name, object, withDefault } from '../../runtime/core/schema.js'
import { makeBench } from './bench.js'

const lamp = entry({
  kind: 'light',
  summary: 'a lamp',
  schema: object({ line: name, leadMs: withDefault(integer({ min: 0, max: 10 }), 3) }),
  resources: ({ line }) => wired(line, null),
  build: (_, { line }, host) => {
    host.outputLine(line)
    throw new Error('not reached with a line that is not there')
  },
})

const problemOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'none'
}

t.test('what a device takes for itself is known before it is built', async t => {
  const { resources } = lamp.check('front', { line: 'light-1' }, 'box.devices[0].options')
  t.same(resources, { lines: ['light-1'], i2c: [], pwm: [], streams: [] })
})

t.test('options are checked by the schema of the recipe', async t => {
  t.match(
    problemOf(() => lamp.check('front', { line: 'light-1', leadMs: 11 }, 'options')),
    'options.leadMs: must be between 0 and 10, is 11',
  )
})

t.test('what the board does not have is told with the option that names it', async t => {
  const { host, clock } = makeBench()
  const checked = lamp.check('front', { line: 'light-99' }, 'box.devices[0].options')
  t.match(
    problemOf(() => checked.build(host, clock)),
    /^box\.devices\[0\]\.options\.line: the board has no output line "light-99"/,
  )
})
