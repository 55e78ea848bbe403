/** Serials: short, typed by hand, and a mistake in typing is found. */
import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { randomFrom } from '../../../runtime/core/random.js'
import {
  newBook,
  serialOf,
  serialPrefix,
  typedSerial,
} from '../../../runtime/services/printing/serials.js'

const keys = new SimulatedKeys(randomFrom(1))
const prefix = serialPrefix(keys, { tour: 'tour-7', box: 'box-12' }, 'K7')
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

t.test('a serial has six characters of the box, a counter and a check character', async t => {
  t.match(serialOf(prefix, 1), /^[0-9A-HJKMNP-TV-Z]{6}-0001-[0-9A-HJKMNP-TV-Z]$/)
  t.match(serialOf(prefix, 32 ** 4), /-10000-.$/, 'and grows when the counter does')
})

t.test('no two counts, boxes or books have one serial', async t => {
  const seen = new Set<string>()
  const boxes = ['box-1', 'box-2'].flatMap(box =>
    ['AA', 'AB'].map(book => serialPrefix(keys, { tour: 'tour', box }, book)),
  )
  for (const one of boxes)
    for (let count = 1; count <= 2000; count++) seen.add(serialOf(one, count))
  t.equal(seen.size, boxes.length * 2000)
})

t.test('a box has the same prefix at each start, and another one with another book', async t => {
  t.equal(serialPrefix(keys, { tour: 'tour-7', box: 'box-12' }, 'K7'), prefix)
  t.not(serialPrefix(keys, { tour: 'tour-7', box: 'box-12' }, 'K8'), prefix)
  t.not(newBook(keys), newBook(keys))
})

t.test('what a person types is read as the serial that was meant', async t => {
  const serial = serialOf('10ABCD', 33)
  for (const typed of [serial, serial.toLowerCase(), serial.replaceAll('-', ' '), ` ${serial} `])
    t.equal(typedSerial(typed), serial)
  t.equal(typedSerial(serial.replaceAll('1', 'l').replaceAll('0', 'o')), serial, 'look-alikes')
})

t.test('every wrong character and every two swapped ones are found', async t => {
  const serial = serialOf(prefix, 4711).replaceAll('-', '')
  for (let at = 0; at < serial.length; at++) {
    for (const digit of DIGITS.replace(serial[at] ?? '', ''))
      t.equal(typedSerial(serial.slice(0, at) + digit + serial.slice(at + 1)), null)
    for (let other = at + 1; other < serial.length; other++) {
      const swapped = [...serial]
      swapped[at] = serial[other] ?? ''
      swapped[other] = serial[at] ?? ''
      if (swapped.join('') !== serial) t.equal(typedSerial(swapped.join('')), null)
    }
  }
})

t.test('what is no serial of a box is none', async t => {
  for (const typed of ['', 'A-1', 'CLAIM-0042', 'K7QX2M-0001-*', 'X'.repeat(99), '🎫'])
    t.equal(typedSerial(typed), null, typed)
})
