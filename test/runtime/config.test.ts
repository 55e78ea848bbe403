import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { simulated } from '../../boards/simulated.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedHost } from '../../drivers/simulated/host.js'
import { type BoxConfig, readBoxConfig } from '../../runtime/config.js'
import { readDocument } from '../../runtime/core/document.js'
import { ConfigError } from '../../runtime/core/errors.js'
import { type Fitted, fitDevices } from '../../runtime/fitting.js'

const example = readFileSync('docs/examples/first-night/box.json', 'utf8')

function read(text: string): BoxConfig {
  const { value, locate } = readDocument(text, 'box', 'config.invalid')
  return readBoxConfig(value, locate)
}

function fit(config: BoxConfig): readonly Fitted[] {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  return fitDevices(config, new SimulatedHost(simulated, clock), clock)
}

/** The lines of the error that reading and fitting throw; none when they do not. */
function problems(change: (config: Record<string, unknown>) => void): readonly string[] {
  const config = JSON.parse(example)
  change(config)
  try {
    fit(read(JSON.stringify(config)))
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
}

t.test('the example is read and fits the simulated board', async t => {
  const fitted = fit(read(example))
  t.same(
    fitted.map(({ device, kind }) => `${device.name} ${kind}`),
    [
      'front-left light',
      'front-right light',
      'sign light',
      'wash light',
      'camera capture',
      'go input',
      'back input',
      'panic input',
      'desk printer',
      'gauge gauge',
    ],
  )
})

t.test('a mistake is told with its place, its value and what is allowed', async t => {
  const wrong = example.replace('"pulseMs": 120', '"pulseMs": 9000').replace('"tour"', '"tuor"')
  t.throws(() => read(wrong), { message: /3:3 box\.tuor: .*did you mean "tour"/ })
  const found = problems(config => {
    config['heartbeatMs'] = 1
  })
  t.match(found, [/box\.heartbeatMs: must be between 500 and 60000, is 1$/])
})

t.test("a driver's options are checked by the driver's own schema", async t => {
  const found = problems(config => {
    const devices = config['devices'] as { options: Record<string, unknown> }[]
    Object.assign(devices[4]?.options ?? {}, { pulseMs: 9000 })
  })
  t.same(found, ['box.devices[4].options.pulseMs: must be between 10 and 5000, is 9000'])
})

t.test('what no schema sees is found: names, lines and addresses used twice', async t => {
  const found = problems(config => {
    const devices = config['devices'] as object[]
    devices.push(
      { name: 'sign', driver: 'gpio-light', options: { line: 'light-1' } },
      { name: 'wash-2', driver: 'pca9685-light', options: { bus: 'header', address: 64 } },
      { name: 'lost', driver: 'gpio-light', options: { line: 'lihgt-3' } },
      { name: 'odd', driver: 'gpio-lihgt', options: {} },
    )
    config['power'] = { packs: [{ name: 'pack', gauge: 'guage', milliampHours: 3000 }] }
    config['printing'] = { rollMetres: { dsk: 60 } }
    config['chords'] = [{ name: 'both', inputs: ['go', 'bakc'] }]
  }).join('\n')
  t.match(found, 'box.devices[10].name: the name "sign" is already used by "sign"')
  t.match(found, 'the line "light-1" is already used by "front-left"')
  t.match(found, 'the address 64 (0x40) on "header" is already used by "wash"')
  t.match(found, /box\.devices\[12\]\.options\.line: .*did you mean "light-3"/)
  t.match(found, /box\.devices\[13\]\.driver: .*did you mean "gpio-light"/)
  t.match(found, /box\.power\.packs\[0\]\.gauge: .*did you mean "gauge"/)
  t.match(found, /box\.printing\.rollMetres\.dsk: .*did you mean "desk"/)
  t.match(found, 'box.chords[0].inputs[1]: there is no input "bakc" (did you mean "back"?)')
})

t.test('what could not work once the box runs is refused before it starts', async t => {
  const tls = { certificate: '/etc/ssl/box.pem', key: '../box.key', clientAuthority: 'tls/ca.pem' }
  const external = { kind: 'external', url: 'mqtt://127.0.0.1', passwordFile: 'password' }
  const cases: readonly (readonly [Record<string, unknown>, readonly RegExp[]])[] = [
    [
      { broker: { kind: 'embedded', tls } },
      [
        / box\.broker\.tls\.certificate: must be a file in the folder of box\.json/,
        / box\.broker\.tls\.key: must be a file in the folder of box\.json/,
      ],
    ],
    [
      { broker: external },
      [
        / box\.broker\.username: is missing: passwordFile needs it \(MQTT 3\.1\.1, section 3\.1\.2\.9\)$/,
      ],
    ],
    [
      { homeAssistant: { isEnabled: true, prefix: 'home/#' } },
      [/ box\.homeAssistant\.prefix: must be a topic of letters/],
    ],
    [{ chords: [{ name: 'both' }] }, [/ box\.chords\[0\]\.inputs: is missing/]],
  ]
  for (const [changes, expected] of cases)
    t.match(
      problems(config => Object.assign(config, changes)),
      expected,
    )
})

t.test('a file for a newer runtime is refused as such', async t => {
  t.throws(() => read(example.replace('"schemaVersion": 1', '"schemaVersion": 2')), {
    code: 'config.invalid',
    message: /2:3 box\.schemaVersion: .*newer runtime/,
  })
})

t.test('three hundred ways to spoil the file each end in a config error or a config', async t => {
  let refused = 0
  const spoiled = fc.tuple(
    fc.nat(example.length - 1),
    fc.nat(40),
    fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('[', '{', '"', '&a ', '*a', '\u0000')),
  )
  fc.assert(
    fc.property(spoiled, ([at, cut, put]) => {
      const text = example.slice(0, at) + put + example.slice(at + cut)
      try {
        fit(read(text))
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        refused++
        return error.problems.length > 0 && error.problems.every(({ message }) => message !== '')
      }
      return true
    }),
    { numRuns: 300, seed: Number(process.env['SEED'] ?? 1) },
  )
  t.ok(refused > 200, `${refused} of 300 were refused`)
})

t.test('no box of the broker is called "all", whom everybody obeys', async t => {
  const withBoxes = (boxes: readonly string[]) => {
    const files = { certificate: 'own.crt', key: 'own.key', clientAuthority: 'tour.crt' }
    const broker = { kind: 'embedded', tls: { ...files, boxes } }
    return readBoxConfig({ schemaVersion: 1, tour: 'spring', box: 'foyer', broker })
  }
  t.match(withBoxes(['bar']).broker, { tls: { boxes: ['bar'] } })
  t.throws(() => withBoxes(['bar', 'all']), {
    code: 'config.invalid',
    message: 'box.broker.tls.boxes[1]: must not be "all": no box is',
  })
})
