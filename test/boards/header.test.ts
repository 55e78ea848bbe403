import t from 'tap'
import { bootPull, headerPinAt, headerPinOf, headerRows } from '../../boards/header.js'

/** Physical pin of every BCM number from 0 to 27, as printed on every pin-out card. */
const PIN_OF_BCM = [
  27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18,
  22, 37, 13,
]

t.test('every BCM number sits on the pin that the pin-out card says', async t => {
  t.same(
    PIN_OF_BCM.map((_, bcm) => headerPinOf(bcm)),
    PIN_OF_BCM,
  )
})

t.test('the other pins are the supplies and grounds of the pin-out card', async t => {
  const pinsOf = (kind: string): number[] =>
    Array.from({ length: 40 }, (_, index) => index + 1).filter(pin => headerPinAt(pin) === kind)
  t.same(pinsOf('3V3'), [1, 17])
  t.same(pinsOf('5V'), [2, 4])
  t.same(pinsOf('GND'), [6, 9, 14, 20, 25, 30, 34, 39])
})

t.test('the header has twenty rows of two', async t => {
  t.equal(headerRows.length, 20)
})

t.test('a line that is not on the header is a bug, not an answer', async t => {
  t.throws(() => headerPinOf(28), { message: 'assertion failed: GPIO28 is on the header' })
  t.throws(() => headerPinAt(0), { message: 'assertion failed: the header has a pin 0' })
  t.throws(() => headerPinAt(41), { message: 'assertion failed: the header has a pin 41' })
})

t.test('lines 0 to 8 are pulled up from reset on, 9 to 27 down', async t => {
  const up = PIN_OF_BCM.map((_, bcm) => bcm).filter(bcm => bootPull(bcm) === 'up')
  t.same(up, [0, 1, 2, 3, 4, 5, 6, 7, 8])
})
