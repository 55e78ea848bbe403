/** The real johnny-five on the simulated board. Its components use Node's timers, so these tests wait for events. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { simulated } from '../../../boards/simulated.js'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import {
  type Component,
  loadJohnnyFive,
  type SketchBoard,
} from '../../../drivers/linux/johnny-five.js'
import { WordRegisterChip } from '../../../drivers/simulated/chips.js'
import { SimulatedHost, wellBehaved } from '../../../drivers/simulated/host.js'
import type { Pca9685Chip } from '../../../drivers/simulated/pca9685-chip.js'
import { plugVenueDimmer } from '../../../drivers/simulated/venue.js'
import { VenueIO, venueIoDefaults } from '../../../drivers/venue-io.js'
import type { Clock } from '../../../runtime/ports/clock.js'

const DEADLINE_MS = 10_000
const DAY_MS = 86_400_000

const five = loadJohnnyFive()

interface Sketch {
  readonly host: SimulatedHost
  readonly clock: Clock
  readonly dimmer: Pca9685Chip | null
  readonly board: SketchBoard
}

async function sketch(t: Test): Promise<Sketch> {
  const clock = new LinuxClock(ownAnchor())
  const host = new SimulatedHost(simulated, clock, wellBehaved)
  const dimmer = plugVenueDimmer(host, simulated, clock)
  const io = new VenueIO(five, host, clock, { ...venueIoDefaults, board: simulated })
  t.teardown(() => io.close())
  const board = new five.Board({ io, repl: false, debug: false, sigint: false })
  await event(board, 'ready')
  return { host, clock, dimmer, board }
}

function event(source: Component, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no ${name}`)), DEADLINE_MS)
    source.on(name, value => {
      clearTimeout(deadline)
      resolve(value)
    })
  })
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < DEADLINE_MS / 5 && !isTrue(); tries++)
    await new Promise(resolve => setTimeout(resolve, 5))
  if (!isTrue()) throw new Error('not within the deadline')
}

interface Outcome {
  readonly hasEnded: boolean
  readonly duty: number
  readonly longestStallMs: number
}

/** What became of fades in a process of its own, which is given up after half a minute. */
async function fadeInChild(
  ...words: readonly string[]
): Promise<{ readonly outcomes: readonly Outcome[]; readonly refusal: string | null }> {
  const source = new URL('../../fixtures/stepped-fade.ts', import.meta.url)
  const script = fileURLToPath(source).replace(/\.ts$/, extname(import.meta.url))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...process.execArgv, script, ...words],
    { timeout: 30_000, killSignal: 'SIGKILL' },
  )
  return JSON.parse(stdout)
}

t.test('Led switches a line and dims a PWM output', async t => {
  const { host, board } = await sketch(t)
  const lamp = new five.Led({ pin: 'light-1', board })
  lamp.on()
  await until(() => host.physical('light-1'))
  lamp.off()
  t.equal(host.physical('light-1'), false)
  const dimmed = new five.Led({ pin: 'pwm-1', board })
  dimmed.brightness(51)
  await until(() => host.pwm('pwm-1').duty === 0.2)
  dimmed.on()
  t.equal(host.pwm('pwm-1').duty, 1)
  t.throws(() => lamp.brightness(51), /not a valid PWM pin/)
})

t.test('a relay that is normally closed closes by letting its coil go', async t => {
  const { host, board } = await sketch(t)
  const relay = new five.Relay({ pin: 'relay-1', type: 'NC', board })
  relay.open()
  await until(() => host.physical('relay-1'))
  relay.close()
  await until(() => !host.physical('relay-1'))
  t.equal(relay.isClosed, true)
})

t.test('Button hears down, press, hold and up, with and without the pull-up asked for', async t => {
  for (const wiring of [{}, { isPullup: true }]) {
    const { host, board } = await sketch(t)
    const button = new five.Button({ pin: 'go-button', holdtime: 50, board, ...wiring })
    const heard: string[] = []
    for (const name of ['down', 'press', 'hold', 'up', 'release'])
      button.on(name, () => void heard.push(name))
    host.drive('go-button', false)
    await until(() => heard.includes('hold'))
    host.drive('go-button', true)
    await until(() => heard.includes('release'))
    t.same(
      heard.filter((name, at) => heard.indexOf(name) === at),
      ['down', 'press', 'hold', 'up', 'release'],
    )
  }
})

t.test('Expander drives a PCA9685 on the I2C bus', async t => {
  const { host, board, dimmer } = await sketch(t)
  await host.outputLine('dimmer-enable').open(true)
  const expander = new five.Expander({ controller: 'PCA9685', address: 0x40, board })
  const virtual = new five.Board.Virtual({ io: expander })
  const led = new five.Led({ pin: 3, board: virtual })
  led.on()
  await until(() => dimmer?.duty(3) === 1)
  led.brightness(51)
  await until(() => Math.abs((dimmer?.duty(3) ?? 0) - 0.2) < 0.001)
  led.off()
  await until(() => dimmer?.duty(3) === 0)
})

t.test('Sensor is refused on a line and reads an ADS1115 on the I2C bus', async t => {
  const { host, board } = await sketch(t)
  t.throws(() => new five.Sensor({ pin: 'beam', board }), /ADS1115/)
  const converter = new WordRegisterChip()
  host.bus('header').plug(0x48, converter)
  converter.words[0] = 0x418a
  const expander = new five.Expander({ controller: 'ADS1115', address: 0x48, board })
  const virtual = new five.Board.Virtual({ io: expander })
  const sensor = new five.Sensor({ pin: 'A0', board: virtual })
  t.teardown(() => sensor.disable())
  await until(() => sensor.value === 0x418a)
  t.equal(sensor.value, 0x418a)
})

t.test('a chip that is not there is an error event of the board', async t => {
  const { board } = await sketch(t)
  const fault = event(board, 'error')
  new five.Expander({ controller: 'PCA9685', address: 0x41, board })
  t.match(await fault, { code: 'device.absent' })
})

t.test('a fade goes on when the clock is set ahead or back by a day', async t => {
  const { outcomes } = await fadeInChild('steady', String(DAY_MS), String(-DAY_MS))
  t.match(outcomes, [
    { hasEnded: true, duty: 1 },
    { hasEnded: true, duty: 0 },
  ])
  for (const { longestStallMs } of outcomes)
    t.ok(longestStallMs < 2_000, `stalled ${longestStallMs} ms`)
})

t.test('as johnny-five ships it the fade stands still: the scenario bites', async t => {
  const { outcomes, refusal } = await fadeInChild('raw', String(-DAY_MS))
  t.match(outcomes, [{ hasEnded: false }])
  t.match(refusal, /take it from loadJohnnyFive/, 'and the guard says that it came too late')
})

t.test('the example sketch does what its words say', async t => {
  if (!existsSync('dist/drivers/venue-io.js')) throw new Error('it runs what `npm run build` made')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['docs/examples/johnny-five/sketch.mjs'],
    { timeout: DEADLINE_MS },
  )
  const said = stdout.split('\n')
  const places = [
    '  relay-1 is active',
    '  relay-1 is inactive',
    '  channel 3 is on 50 % of the time',
    'the button is pressed: the lamp fades up in half a second',
    'the lamp is at 100 %',
    '  dimmer-enable is inactive',
  ].map(line => said.indexOf(line))
  t.notOk(places.includes(-1), stdout)
  t.same(
    places,
    places.toSorted((a, b) => a - b),
    'in this order',
  )
})
