/** A johnny-five sketch on the lines and the bus of a real kernel, by both of its interfaces to lines. */
import t from 'tap'
import { lab } from '../../boards/lab.js'
import { LinuxHost } from '../../drivers/linux/host.js'
import { type Component, loadJohnnyFive } from '../../drivers/linux/johnny-five.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { VenueIO, venueIoDefaults } from '../../drivers/venue-io.js'
import { clock, isHigh, offsetOf, patientBuses, pause, pull, until } from './far-side.js'

const HEADER_BUS = 1
/** johnny-five knows an address only once in a process. */
const dimmerAddresses = { chardev: 0x40, sysfs: 0x41 } as const
/** 128 of 255 in the chip's 4095 steps, as johnny-five rounds it. */
const HALF = 2055
/** LED3_ON_L, the first of four registers of channel 3: NXP PCA9685, section 7.3.3. */
const CHANNEL_3 = 0x12

const five = loadJohnnyFive()

const first = (source: Component, name: string): Promise<unknown> =>
  new Promise(resolve => source.on(name, resolve))

for (const gpio of ['chardev', 'sysfs'] as const)
  t.test(`a sketch switches, clicks, hears and dims by ${gpio}`, async t => {
    const log = new SimulatedLog()
    const buses = patientBuses(clock, log)
    const host = new LinuxHost(clock, log, buses, { board: lab, gpio, heartbeatMs: 60_000 })
    t.teardown(() => host.stop())
    await host.start()
    const io = new VenueIO(five, host, clock, { ...venueIoDefaults, board: lab })
    t.teardown(() => io.close())
    const board = new five.Board({ io, repl: false, debug: false, sigint: false })
    await first(board, 'ready')
    const light = offsetOf(lab, 'light-1')
    const relayLine = offsetOf(lab, 'relay-1')
    const goButton = offsetOf(lab, 'go-button')

    const lamp = new five.Led({ pin: 'light-1', board })
    lamp.on()
    await until(() => isHigh(light))
    t.ok(isHigh(light), 'the lamp is on')
    lamp.off()
    await until(() => !isHigh(light))
    t.notOk(isHigh(light), 'the lamp is off')

    const relay = new five.Relay({ pin: 'relay-1', type: 'NC', board })
    relay.open()
    await until(() => isHigh(relayLine))
    t.ok(isHigh(relayLine), 'a normally closed relay opens by its coil')

    const button = new five.Button({ pin: 'go-button', board })
    const pressed = first(button, 'press')
    pull(goButton, true)
    await pause(50)
    pull(goButton, false)
    await pressed
    t.pass('the button is heard')
    pull(goButton, true)

    const expander = new five.Expander({
      controller: 'PCA9685',
      address: dimmerAddresses[gpio],
      board,
    })
    const channel = new five.Led({ pin: 3, board: new five.Board.Virtual({ io: expander }) })
    channel.brightness(128)
    const chip = buses.device(HEADER_BUS, dimmerAddresses[gpio])
    const offAt = async (): Promise<number> => {
      const [low = 0, high = 0] = await chip.readRegister(CHANNEL_3 + 2, 2)
      return low | (high << 8)
    }
    for (let tries = 0; tries < 200 && (await offAt()) === 0; tries++) await pause(5)
    t.equal(await offAt(), HALF, 'the dimmer is at half')

    await io.close()
    t.notOk(isHigh(relayLine), 'and in the end every line is safe')
  })
