/**
 * The 40-pin header, which is the same on every board that has one.
 * Source: Raspberry Pi documentation, "GPIO and the 40-pin header".
 */
import { assert } from '../runtime/core/errors.js'

/** What a pin carries: a supply, ground, or the line of the SoC with this BCM number. */
export type HeaderPin = '3V3' | '5V' | 'GND' | number

/** One row per pair of pins, from the end with pin 1 on: the odd pin, then the even one beside it. */
export const headerRows: readonly (readonly [odd: HeaderPin, even: HeaderPin])[] = [
  ['3V3', '5V'],
  [2, '5V'],
  [3, 'GND'],
  [4, 14],
  ['GND', 15],
  [17, 18],
  [27, 'GND'],
  [22, 23],
  ['3V3', 24],
  [10, 'GND'],
  [9, 25],
  [11, 8],
  ['GND', 7],
  [0, 1],
  [5, 'GND'],
  [6, 12],
  [13, 'GND'],
  [19, 16],
  [26, 20],
  ['GND', 21],
]

const pins: readonly HeaderPin[] = headerRows.flat()

/** The physical pin, 1 to 40, of a BCM number from 0 to 27. */
export function headerPinOf(bcm: number): number {
  const index = pins.indexOf(bcm)
  assert(index >= 0, `GPIO${bcm} is on the header`)
  return index + 1
}

/** What the physical pin, 1 to 40, carries. */
export function headerPinAt(pin: number): HeaderPin {
  const found = pins[pin - 1]
  assert(found !== undefined, `the header has a pin ${pin}`)
  return found
}

/**
 * Which way the SoC pulls a line from reset until somebody asks for it: GPIO 0 to 8 up, 9 to 27 down.
 * An output that must stay off while the box boots has to agree with it.
 */
export const bootPull = (bcm: number): 'up' | 'down' => (bcm <= 8 ? 'up' : 'down')
