/**
 * The form of a field: letters, classes like [A-Z0-9], \d, \w and a dot, each with ?, *, +, {4} or {2,8}. A part of what
 * regular expressions are, chosen so that no value makes the comparison slow: one pass over the value for each part.
 */
export interface FieldPattern {
  readonly source: string
  /** Of the whole value. */
  matches(value: string): boolean
}

interface Part {
  readonly isMember: (letter: string) => boolean
  readonly min: number
  readonly max: number
}

const PARTS_MAX = 64
const COUNT_MAX = 1024

/** One letter, escape or class, and how often. */
const PART =
  /(?:\\([dw\\.[\](){}?*+|^$/-])|\[(\^?)((?:\\[\\\]dw^-]|[^\\\]])+)\]|([^\\[\](){}?*+|^$]))(?:([?*+])|\{(\d{1,4})(?:(,)(\d{1,4})?)?\})?/uy

/** @returns null for what is not of this form */
export function readFieldPattern(source: string): FieldPattern | null {
  const parts: Part[] = []
  const expression = new RegExp(PART)
  while (expression.lastIndex < source.length) {
    const found = expression.exec(source)
    const part = found === null ? null : partOf(found)
    if (part === null || parts.length === PARTS_MAX) return null
    parts.push(part)
  }
  return { source, matches: value => matches(parts, [...value]) }
}

function partOf(found: RegExpExecArray): Part | null {
  const [, escaped, negation, members, letter, sign, least, comma, most] = found
  const isMember =
    members === undefined
      ? memberOf(letter ?? escaped ?? '', letter === undefined)
      : classOf(members, negation === '^')
  const counts = countsOf(sign, least, comma, most)
  return isMember === null || counts === null ? null : { isMember, ...counts }
}

function countsOf(
  sign: string | undefined,
  least: string | undefined,
  comma: string | undefined,
  most: string | undefined,
): { readonly min: number; readonly max: number } | null {
  if (sign !== undefined) return { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : COUNT_MAX }
  if (least === undefined) return { min: 1, max: 1 }
  const min = Number(least)
  const max = comma === undefined ? min : most === undefined ? COUNT_MAX : Number(most)
  return min <= max && max <= COUNT_MAX ? { min, max } : null
}

type Member = Part['isMember']

const isDigit: Member = letter => /^\d$/.test(letter)
const isWord: Member = letter => /^\w$/.test(letter)

function memberOf(letter: string, isEscaped: boolean): Member {
  if (isEscaped && letter === 'd') return isDigit
  if (isEscaped && letter === 'w') return isWord
  if (!isEscaped && letter === '.') return () => true
  return candidate => candidate === letter
}

/** @returns null for a range that runs backwards */
function classOf(members: string, isNegated: boolean): Member | null {
  const all: Member[] = []
  for (const [, first = '', last] of members.matchAll(/(\\.|[^\\])(?:-(\\.|[^\\]))?/gu)) {
    const isEscape = first.startsWith('\\')
    const from = isEscape ? first.slice(1) : first
    const to = last?.replace(/^\\/, '')
    if (to !== undefined && from > to) return null
    all.push(
      to === undefined
        ? isEscape || from !== '.'
          ? memberOf(from, isEscape)
          : candidate => candidate === from
        : candidate => candidate >= from && candidate <= to,
    )
  }
  return letter => all.some(isMember => isMember(letter)) !== isNegated
}

/** Which ends can be reached, part after part; `changes` says where reaching begins and where it ends. */
function matches(parts: readonly Part[], letters: readonly string[]): boolean {
  let isReached = letters.map(() => false)
  isReached = [true, ...isReached]
  for (const { isMember, min, max } of parts) {
    const runs = runLengths(letters, isMember)
    const changes = Array.from({ length: letters.length + 2 }, () => 0)
    for (const [at, isHere] of isReached.entries()) {
      const run = Math.min(max, runs[at] ?? 0)
      if (!isHere || run < min) continue
      changes[at + min] = (changes[at + min] ?? 0) + 1
      changes[at + run + 1] = (changes[at + run + 1] ?? 0) - 1
    }
    let ways = 0
    isReached = isReached.map((_, at) => {
      ways += changes[at] ?? 0
      return ways > 0
    })
  }
  return isReached[letters.length] === true
}

/** From each place, how many letters in a row are members. */
function runLengths(letters: readonly string[], isMember: Member): readonly number[] {
  const runs = Array.from({ length: letters.length + 1 }, () => 0)
  for (let at = letters.length - 1; at >= 0; at--)
    runs[at] = isMember(letters[at] ?? '') ? (runs[at + 1] ?? 0) + 1 : 0
  return runs
}
