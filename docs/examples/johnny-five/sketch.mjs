/**
 * A johnny-five sketch on the simulated venue box: a button fades a lamp up, a relay clicks, a dimmer chip follows.
 *
 *   npm run build && node docs/examples/johnny-five/sketch.mjs
 *
 * On a real box only the host changes: `new LinuxHost(...)` instead of `new SimulatedHost(...)`. The sketch and the
 * names of the lines stay. A line has one user: leave it out of box.json, or stop the box.
 */
import { simulated } from '../../../dist/boards/simulated.js'
import { LinuxClock, ownAnchor } from '../../../dist/drivers/linux/clock.js'
import { SimulatedHost } from '../../../dist/drivers/simulated/host.js'
import { plugVenueDimmer } from '../../../dist/drivers/simulated/venue.js'
import { VenueIO, venueIoDefaults } from '../../../dist/drivers/venue-io.js'
import { loadJohnnyFive } from '../../../dist/program/sketch.js'
import { after } from '../../../dist/runtime/core/time.js'

const clock = new LinuxClock(ownAnchor())
const host = new SimulatedHost(simulated, clock)
const dimmer = plugVenueDimmer(host, simulated, clock)

// The two lines that differ from any other johnny-five sketch: where johnny-five comes from, and what it talks to.
const five = loadJohnnyFive()
const io = new VenueIO(five, host, clock, { ...venueIoDefaults, board: simulated })
const board = new five.Board({ io, repl: false, debug: false, sigint: false })

const say = words => process.stdout.write(`${words}\n`)
const pause = ms => new Promise(resolve => clock.runAt(after(clock.monotonicMs(), ms), resolve))

host.onLineChange(({ name, isActive }) => say(`  ${name} is ${isActive ? 'active' : 'inactive'}`))
board.on('error', fault => say(`a component failed: ${fault.message}`))

board.on('ready', async () => {
  const lamp = new five.Led('pwm-1')
  const relay = new five.Relay({ pin: 'relay-1', type: 'NC' })
  const outputs = new five.Led('dimmer-enable')
  const expander = new five.Expander({ controller: 'PCA9685', address: 0x40 })
  const channel = new five.Led({ pin: 3, board: new five.Board.Virtual({ io: expander }) })
  const button = new five.Button('go-button')

  button.on('press', () => {
    say('the button is pressed: the lamp fades up in half a second')
    lamp.fade(255, 500, () => say(`the lamp is at ${Math.round(host.pwm('pwm-1').duty * 100)} %`))
  })

  say('a normally closed relay opens and closes')
  relay.open()
  await pause(100)
  relay.close()

  say('the dimmer chip is switched through, and its channel 3 goes to half')
  outputs.on()
  channel.brightness(128)
  await pause(100)
  say(`  channel 3 is on ${Math.round((dimmer?.duty(3) ?? 0) * 100)} % of the time`)

  say('a hand comes to the button')
  host.drive('go-button', false)
  await pause(200)
  host.drive('go-button', true)
  await pause(600)

  say('the sketch ends, and leaves every line in its safe state')
  await io.close()
})
