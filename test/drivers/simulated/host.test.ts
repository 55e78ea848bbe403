import t from 'tap'
import { ConfigError } from '../../../runtime/core/errors.js'
import { makeBench } from '../bench.js'

t.test('every change of every wire is heard, with its moment', async t => {
  const { host, clock } = makeBench()
  const heard: string[] = []
  const cancel = host.onLineChange(({ name, isHigh, isActive, at }) => {
    heard.push(`${at} ${name} ${isHigh} ${isActive}`)
  })
  await clock.advance(5)
  host.drive('go-button', false)
  host.drive('go-button', false)
  const line = host.outputLine('dimmer-enable')
  await line.open(true)
  cancel()
  await line.close()
  t.same(heard, ['5 go-button false true', '5 dimmer-enable false true'])
})

t.test('two handles of one name share the wire', async t => {
  const { host } = makeBench()
  await host.outputLine('light-1').open(true)
  await t.rejects(host.outputLine('light-1').open(true), { code: 'device.busy' })
  t.equal(host.wire('light-1'), host.wire('light-1'))
})

t.test('a name the board does not have is refused, whatever it should be', async t => {
  const { host } = makeBench()
  for (const [ask, words] of [
    [() => host.outputLine('light-9'), /no output line "light-9".*"light-/],
    [() => host.inputLine('light-1', { debounceMs: 0 }), /no input line "light-1"/],
    [() => host.pwmOutput('pwm-9'), /no PWM output "pwm-9"/],
    [() => host.i2cDevice('heather', 0x40), /no I2C bus "heather".*"header"/],
    [() => host.byteStream('plotter'), /no serial port "plotter"/],
    [() => host.drive('light-1', true), /no input line/],
  ] as const) {
    t.throws(ask, ConfigError)
    t.throws(ask, { message: words })
  }
})
