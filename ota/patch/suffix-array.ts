/**
 * Every suffix of some bytes in order, so that the longest place that reads like some other bytes is found in a few
 * steps. Sorted by induction (SA-IS: Nong, Zhang, Chan, "Two Efficient Algorithms for Linear Time Suffix Array
 * Construction", 2009), in time that grows with the bytes: 100 MB take about a minute and 1.5 GB.
 */

/** 32-bit places, and some room for counting. */
export const SUFFIX_BYTES_MAX = 1024 ** 3

/** @param bytes at most SUFFIX_BYTES_MAX; @returns where each suffix begins, the smallest suffix first */
export function suffixArrayOf(bytes: Uint8Array): Int32Array {
  return sorted(bytes, 255)
}

/** What the induction needs of one level: its letters, which suffixes are smaller than their next, where letters go. */
interface Level {
  readonly letters: Uint8Array | Int32Array
  /** 1: smaller than the suffix that begins one later (type S of the paper). */
  readonly rises: Uint8Array
  readonly fallingFrom: Int32Array
  readonly risingFrom: Int32Array
}

function sorted(letters: Uint8Array | Int32Array, letterMax: number): Int32Array {
  const { length } = letters
  if (length < 2) return new Int32Array(length)
  const level = levelOf(letters, letterMax)
  const { rank, lowest } = lowestOf(level.rises)
  const suffixes = new Int32Array(length)
  induce(level, lowest, suffixes)
  if (lowest.length === 0) return suffixes
  const inOrder = new Int32Array(lowest.length)
  let count = 0
  for (let at = 0; at < length; at++) {
    const place = suffixes[at] ?? 0
    if ((rank[place] ?? 0) >= 0) inOrder[count++] = place
  }
  const { names, nameMax } = namesOf(level, { rank, lowest, inOrder })
  const order = sorted(names, nameMax)
  for (let at = 0; at < order.length; at++) inOrder[at] = lowest[order[at] ?? 0] ?? 0
  induce(level, inOrder, suffixes)
  return suffixes
}

function levelOf(letters: Uint8Array | Int32Array, letterMax: number): Level {
  const { length } = letters
  const rises = new Uint8Array(length)
  for (let at = length - 2; at >= 0; at--) {
    const [letter, next] = [letters[at] ?? 0, letters[at + 1] ?? 0]
    rises[at] = letter === next ? (rises[at + 1] ?? 0) : letter < next ? 1 : 0
  }
  return { letters, rises, ...placesOf(letters, rises, letterMax) }
}

/** Where the falling and the rising suffixes of each letter begin. */
function placesOf(
  letters: Uint8Array | Int32Array,
  rises: Uint8Array,
  letterMax: number,
): Pick<Level, 'fallingFrom' | 'risingFrom'> {
  const fallingFrom = new Int32Array(letterMax + 2)
  const risingFrom = new Int32Array(letterMax + 2)
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? 0
    if (rises[at] === 0) risingFrom[letter] = (risingFrom[letter] ?? 0) + 1
    else fallingFrom[letter + 1] = (fallingFrom[letter + 1] ?? 0) + 1
  }
  for (let letter = 0; letter <= letterMax; letter++) {
    risingFrom[letter] = (risingFrom[letter] ?? 0) + (fallingFrom[letter] ?? 0)
    fallingFrom[letter + 1] = (fallingFrom[letter + 1] ?? 0) + (risingFrom[letter] ?? 0)
  }
  return { fallingFrom, risingFrom }
}

/** The suffixes that are smaller than both of their neighbours, and which of them each place is; -1: none. */
function lowestOf(rises: Uint8Array): { rank: Int32Array; lowest: Int32Array } {
  const rank = new Int32Array(rises.length).fill(-1)
  let count = 0
  for (let at = 1; at < rises.length; at++)
    if (rises[at - 1] === 0 && rises[at] === 1) rank[at] = count++
  const lowest = new Int32Array(count)
  for (let at = 1; at < rises.length; at++) {
    const index = rank[at] ?? -1
    if (index >= 0) lowest[index] = at
  }
  return { rank, lowest }
}

/** From the order of the lowest suffixes follows that of the falling ones, and from it that of the rising ones. */
function induce(level: Level, lowest: Int32Array, suffixes: Int32Array): void {
  const { letters, fallingFrom, risingFrom } = level
  const { length } = letters
  suffixes.fill(-1)
  const next = risingFrom.slice()
  for (let at = 0; at < lowest.length; at++) {
    const place = lowest[at] ?? 0
    const letter = letters[place] ?? 0
    const slot = next[letter] ?? 0
    next[letter] = slot + 1
    suffixes[slot] = place
  }
  next.set(fallingFrom)
  const last = letters[length - 1] ?? 0
  const first = next[last] ?? 0
  next[last] = first + 1
  suffixes[first] = length - 1
  induceFalling(level, suffixes, next)
  next.set(fallingFrom)
  induceRising(level, suffixes, next)
}

function induceFalling(level: Level, suffixes: Int32Array, next: Int32Array): void {
  const { letters, rises } = level
  for (let at = 0; at < letters.length; at++) {
    const before = (suffixes[at] ?? 0) - 1
    if (before < 0 || rises[before] === 1) continue
    const letter = letters[before] ?? 0
    const slot = next[letter] ?? 0
    next[letter] = slot + 1
    suffixes[slot] = before
  }
}

function induceRising(level: Level, suffixes: Int32Array, next: Int32Array): void {
  const { letters, rises } = level
  for (let at = letters.length - 1; at >= 0; at--) {
    const before = (suffixes[at] ?? 0) - 1
    if (before < 0 || rises[before] === 0) continue
    const letter = (letters[before] ?? 0) + 1
    const slot = (next[letter] ?? 0) - 1
    next[letter] = slot
    suffixes[slot] = before
  }
}

/** One number for each stretch between lowest suffixes, the same for the same stretch, in the stretches' order. */
function namesOf(
  level: Level,
  places: { rank: Int32Array; lowest: Int32Array; inOrder: Int32Array },
): { names: Int32Array; nameMax: number } {
  const { rank, lowest, inOrder } = places
  const names = new Int32Array(inOrder.length)
  let name = 0
  for (let at = 1; at < inOrder.length; at++) {
    const [one, other] = [inOrder[at - 1] ?? 0, inOrder[at] ?? 0]
    const oneEnd = lowest[(rank[one] ?? 0) + 1] ?? level.letters.length
    const otherEnd = lowest[(rank[other] ?? 0) + 1] ?? level.letters.length
    if (oneEnd - one !== otherEnd - other || !isSame(level.letters, one, other, oneEnd - one))
      name++
    names[rank[other] ?? 0] = name
  }
  return { names, nameMax: name }
}

/** Whether two stretches, and the letter behind each, are the same. Nothing is behind the end. */
function isSame(
  letters: Uint8Array | Int32Array,
  one: number,
  other: number,
  length: number,
): boolean {
  if (Math.max(one, other) + length >= letters.length) return false
  for (let at = 0; at <= length; at++) if (letters[one + at] !== letters[other + at]) return false
  return true
}
