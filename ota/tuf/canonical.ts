/**
 * JSON in the one form that is signed: OLPC's canonical JSON (TUF 1.0, section 4.1). Names in the order of their code
 * points, whole numbers only, no white space, and of all characters only `"` and `\` escaped.
 */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/** No metadata is nested deeper; what is deeper would overflow the stack. */
const DEPTH_MAX = 32

/** @throws RangeError for what has no canonical form: fractions, numbers beyond 2^53, half characters, nested too deep */
export function canonicalJson(value: Json): Uint8Array {
  const parts: string[] = []
  write(value, parts, DEPTH_MAX)
  return new TextEncoder().encode(parts.join(''))
}

function write(value: Json, parts: string[], depthLeft: number): void {
  if (depthLeft === 0) throw new RangeError(`is nested deeper than ${DEPTH_MAX}`)
  if (typeof value === 'string') parts.push(quoted(value))
  else if (typeof value === 'number') parts.push(wholeNumber(value))
  else if (value === null || typeof value === 'boolean') parts.push(`${value}`)
  else if (isList(value)) writeList(value, parts, depthLeft - 1)
  else writeTable(value, parts, depthLeft - 1)
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

function writeList(list: readonly Json[], parts: string[], depthLeft: number): void {
  parts.push('[')
  for (const [index, item] of list.entries()) {
    if (index > 0) parts.push(',')
    write(item, parts, depthLeft)
  }
  parts.push(']')
}

function writeTable(
  table: Readonly<Record<string, Json>>,
  parts: string[],
  depthLeft: number,
): void {
  parts.push('{')
  const entries = Object.entries(table).sort(([one], [other]) => compareCodePoints(one, other))
  for (const [index, [name, value]] of entries.entries()) {
    if (index > 0) parts.push(',')
    parts.push(quoted(name), ':')
    write(value, parts, depthLeft)
  }
  parts.push('}')
}

function quoted(text: string): string {
  // UTF-8 has no form for it: it would be signed as U+FFFD is, and one could be put in the place of the other.
  if (/\p{Surrogate}/u.test(text)) throw new RangeError('has half of a character')
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError('has a number that is not whole')
  // Without it, -0 would be "-0" elsewhere.
  return value === 0 ? '0' : `${value}`
}

/** Not the order of `<`, which takes the halves of a surrogate pair for letters before U+E000. */
function compareCodePoints(one: string, other: string): number {
  const lengthMin = Math.min(one.length, other.length)
  for (let at = 0; at < lengthMin; at++) {
    if (one.charCodeAt(at) !== other.charCodeAt(at))
      return rank(one.charCodeAt(at)) - rank(other.charCodeAt(at))
  }
  return one.length - other.length
}

/** Surrogates after all other UTF-16 units, which is where their code points are. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
