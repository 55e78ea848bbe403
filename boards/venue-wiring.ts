/**
 * How a venue box is wired to the 40-pin header: the same on every board, so that a box can be swapped for another.
 *
 * The pins are chosen for what happens before the runtime is there. From reset on the SoC pulls GPIO 0 to 8 up and
 * 9 to 27 down, so outputs that are active high sit on 9 to 27 and stay off, and the one that is active low (a dimmer
 * chip's output-enable) sits on 4 and stays off too: a box that boots, hangs or is being flashed is dark.
 * Left free on purpose: 0 and 1 (board ID), 2 and 3 (I2C), 9 to 11 (SPI), 12 and 13 (PWM), 14 and 15 (UART).
 * `dtparam=spi=on` takes 7 and 8 as well: do not switch SPI on without moving `panic-button` and `footswitch`.
 */
import { assert } from '../runtime/core/errors.js'
import type { Board, BoardLine } from './board.js'
import { bootPull, headerPinOf } from './header.js'

/** Off until the runtime drives it. */
function output(name: string, bcm: number, activeLevel: 'high' | 'low' = 'high'): BoardLine {
  assert(bootPull(bcm) === (activeLevel === 'high' ? 'down' : 'up'), `${name} is off while booting`)
  return {
    name,
    headerPin: headerPinOf(bcm),
    chip: null,
    offset: bcm,
    direction: 'out',
    activeLevel,
    bias: 'as-is',
    safeState: 'inactive',
  }
}

/** A contact to ground: a cut wire reads as not pressed. */
const contact = (name: string, bcm: number): BoardLine => ({
  name,
  headerPin: headerPinOf(bcm),
  chip: null,
  offset: bcm,
  direction: 'in',
  activeLevel: 'low',
  bias: 'pull-up',
  safeState: 'inactive',
})

export const venueLines: readonly BoardLine[] = [
  output('light-1', 17),
  output('light-2', 27),
  output('light-3', 22),
  output('light-4', 23),
  output('light-5', 24),
  output('light-6', 25),
  output('relay-1', 26),
  output('relay-2', 16),
  output('focus', 20),
  output('shutter', 21),
  output('dimmer-enable', 4, 'low'),
  contact('go-button', 5),
  contact('back-button', 6),
  contact('panic-button', 7),
  contact('footswitch', 8),
  contact('beam', 18),
  contact('sync', 19),
]

/** PCA9685 dimmers, battery gauge and clock chip share it. */
export const headerBus: Board['i2cBuses'][number] = {
  name: 'header',
  bus: 1,
  dataPin: headerPinOf(2),
  clockPin: headerPinOf(3),
  frequencyHz: 100_000,
}

/** The receipt printer on the header's UART. */
export const printerPort = (path: string): Board['serialPorts'][number] => ({
  name: 'printer',
  path,
  transmitPin: headerPinOf(14),
  receivePin: headerPinOf(15),
  baudRate: 19_200,
})

/**
 * The two PWM channels on the header. They need `dtoverlay=pwm-2chan,pin=12,func=4,pin2=13,func2=4` in config.txt, and
 * on a board with an analogue jack no sound from it: both come from one PWM block.
 */
export const venuePwm = (chip: string): Board['pwmOutputs'] => [
  { name: 'pwm-1', headerPin: headerPinOf(12), chip, channel: 0 },
  { name: 'pwm-2', headerPin: headerPinOf(13), chip, channel: 1 },
]

/**
 * Broadcom's power-management block counts 20 bits of 1/65536 s, so it bites within 16 s. Never ask for more: kernels up
 * to 2026 hand the counter only the low bits of a longer time, and a minute becomes twelve seconds.
 */
export const broadcomWatchdog: Board['watchdog'] = { path: '/dev/watchdog', timeoutSecondsMax: 15 }
