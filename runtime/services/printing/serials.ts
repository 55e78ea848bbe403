/**
 * Serials of tickets: short, typed by hand at a counter, read over a radio. `K7QX2M-0001-F`: six characters of the box,
 * four or more of the counter, one that finds mistakes. Crockford's base 32 has no letters that look like digits.
 */
import { crockfordDigits as digits } from '../../core/ulid.js'
import type { Keys } from '../../ports/keys.js'

const BOX_CHARACTERS = 4
const BOOK_CHARACTERS = 2
const COUNT_CHARACTERS_MIN = 4
/** x^5 + x^2 + 1, which generates all of GF(32). */
const POLYNOMIAL = 0b100101

/** What a box's serials begin with. @param book tells the counters of one box apart, should it lose one with its disk */
export function serialPrefix(keys: Keys, box: { tour: string; box: string }, book: string): string {
  const bytes = new TextEncoder().encode(`${box.tour}/${box.box}`)
  const value = Number.parseInt(keys.sha256Hex(bytes).slice(0, 10), 16)
  return text(value, BOX_CHARACTERS).slice(-BOX_CHARACTERS) + book
}

/** Drawn once, when the counter begins. */
export const newBook = (keys: Keys): string =>
  [...keys.randomBytes(BOOK_CHARACTERS)].map(byte => digits[byte & 31]).join('')

/** @param count a whole number from 1; never used twice under one prefix */
export function serialOf(prefix: string, count: number): string {
  const body = text(count, COUNT_CHARACTERS_MIN)
  return `${prefix}-${body}-${checkCharacter(prefix + body)}`
}

/**
 * A serial as somebody typed it, in the form in which it is kept; null when it is none of a box's. What looks alike is
 * forgiven, a wrong or swapped character is found.
 */
export function typedSerial(typed: string): string | null {
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  const prefixEnd = BOX_CHARACTERS + BOOK_CHARACTERS
  if (plain.length < prefixEnd + COUNT_CHARACTERS_MIN + 1 || plain.length > 32) return null
  if (checkCharacter(plain.slice(0, -1)) !== plain.at(-1)) return null
  return `${plain.slice(0, prefixEnd)}-${plain.slice(prefixEnd, -1)}-${plain.at(-1)}`
}

/** The value of the characters as a polynomial over GF(32). One that is wrong, or two that are swapped, give another. */
function checkCharacter(characters: string): string | undefined {
  let value = 0
  for (const character of characters) {
    const digit = digits.indexOf(character)
    if (digit < 0) return undefined
    value = times2(value) ^ digit
  }
  // Once more, so that the check character swapped with its neighbour is found, too.
  return digits[times2(value)]
}

const times2 = (value: number): number => (value & 16 ? (value << 1) ^ POLYNOMIAL : value << 1)

function text(value: number, length: number): string {
  let rest = value
  let characters = ''
  while (rest > 0 || characters.length < length) {
    characters = `${digits[rest % 32]}${characters}`
    rest = Math.floor(rest / 32)
  }
  return characters
}
