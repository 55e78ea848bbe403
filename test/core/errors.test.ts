import fc from 'fast-check'
import t from 'tap'
import {
  assert,
  BoxError,
  ConfigError,
  DeviceError,
  errorCodes,
  messageOf,
  problemLine,
} from '../../runtime/core/errors.js'

t.test('error codes are dotted, unique and in alphabetical order of their rooms', async t => {
  t.equal(new Set(errorCodes).size, errorCodes.length)
  t.ok(errorCodes.every(code => /^[a-z]+\.[a-z-]+$/.test(code)))
  const rooms = errorCodes.map(code => code.split('.')[0] ?? '')
  t.same(rooms, [...rooms].sort())
})

t.test('an error carries its code, its kind and its cause', async t => {
  const cause = new Error('EIO')
  const error = new DeviceError('device.io', 'no answer', { cause })
  t.ok(error instanceof BoxError && error instanceof Error)
  t.match(error, { name: 'DeviceError', code: 'device.io', message: 'no answer' })
  t.equal(error.cause, cause)
  t.equal(new BoxError('link.down', 'x').name, 'BoxError')
})

t.test('a config error shows place, path and rule of each problem', async t => {
  const error = new ConfigError(
    [
      { path: 'box.devices[2]', message: 'is missing', place: { line: 7, column: 3 } },
      { path: 'box.tour', message: 'must be a text', place: null },
    ],
    'show.invalid',
  )
  t.equal(error.message, '7:3 box.devices[2]: is missing\nbox.tour: must be a text')
  t.match(error, { name: 'ConfigError', code: 'show.invalid' })
  t.equal(problemLine({ path: 'a', message: 'b', place: null }), 'a: b')
})

t.test('a config error shows 50 problems and keeps all', async t => {
  const problems = Array.from({ length: 80 }, (_, at) => ({
    path: `p${at}`,
    message: 'm',
    place: null,
  }))
  const error = new ConfigError(problems)
  t.equal(error.message.split('\n').length, 50)
  t.equal(error.problems.length, 80)
  t.equal(error.code, 'config.invalid')
})

t.test('a config error without a problem is a bug', async t => {
  t.throws(() => new ConfigError([]), /assertion failed/)
})

t.test('a failed assertion is no BoxError: it stops the process', async t => {
  const thrown = ((): unknown => {
    try {
      assert(false, 'two is two')
    } catch (error) {
      return error
    }
    return null
  })()
  t.ok(thrown instanceof Error && !(thrown instanceof BoxError))
  t.match(thrown, { message: 'assertion failed: two is two' })
  assert(true, 'nothing happens')
})

t.test('a message shows the whole chain of causes in one line', async t => {
  const inner = new Error('inner')
  t.equal(messageOf(new Error('outer', { cause: inner })), 'outer (inner)')
  t.equal(messageOf(new Error('outer', { cause: 'text' })), 'outer (text)')
  t.equal(messageOf('text'), 'text')
  t.equal(messageOf(null), 'null')
})

t.test('what a message says already is not said again', async t => {
  const cause = new Error("ENOENT: no such file or directory, open 'x'")
  const error = new Error(`x cannot be read: ${cause.message}`, { cause })
  t.equal(messageOf(error), error.message)
})

t.test('causes that go round in a circle end', async t => {
  const a = new Error('a')
  const b = new Error('b', { cause: a })
  a.cause = b
  t.match(messageOf(a), /^a \(b \(a /)
  t.ok(messageOf(a).length < 1000)
})

t.test('whatever is thrown has a message', async t => {
  const anything = fc.anything({
    withBigInt: true,
    withNullPrototype: true,
    withObjectString: true,
  })
  t.doesNotThrow(() =>
    fc.assert(fc.property(anything, thrown => typeof messageOf(thrown) === 'string')),
  )
  for (const thrown of [Object.create(null), Symbol('s'), { toString: () => ({}) }])
    t.type(messageOf(thrown), 'string')
})
