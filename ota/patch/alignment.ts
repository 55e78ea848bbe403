/**
 * Which stretches of new bytes are old ones, a few of them changed, and which are new: the cheapest such reading of all, by
 * an estimate of what each choice costs in the compressed streams. Bsdiff (Percival, "Naive Differences of Executable
 * Code", 2003) takes the first match that is long enough; here matches compete, byte by byte, along the old bytes that
 * they would go on reading (Viterbi's algorithm over diagonals), so that text is not torn and code keeps its changed
 * addresses.
 */
import { LongestMatch } from './longest-match.js'
import { RecentMatch } from './recent-match.js'

/**
 * So many new bytes are like those from `oldAt` on, some of them changed; or new: `oldAt` is -1. Behind the old bytes lie
 * the new ones themselves, as far as the files that are complete.
 */
export interface Segment {
  readonly oldAt: number
  readonly byteCount: number
}

/** Estimates in bits. */
export interface Costs {
  /** A byte that is sent as it is. */
  readonly literal: number
  /** An old byte that is changed. */
  readonly changed: number
  /** An old byte that stays. */
  readonly kept: number
  /** Beginning to read old bytes somewhere, and again for each doubling of how far away that is. */
  readonly jump: number
  readonly jumpDoubling: number
}

export const TEXT_COSTS: Costs = {
  literal: 1.8,
  changed: 12,
  kept: 0.02,
  jump: 38,
  jumpDoubling: 1.2,
}
export const CODE_COSTS: Costs = {
  literal: 5.5,
  changed: 9,
  kept: 0.04,
  jump: 24,
  jumpDoubling: 0.9,
}

/** To leave old bytes for new ones costs little: the jump back is what is dear. In bits. */
const LEAVE = 2
const LITERAL = -0x8000_0000
const DIAGONALS_MAX = 12
/** Shorter matches are not worth a jump. */
const MATCH_BYTES_MIN = 8
/** While the best reading goes on unchanged for so long, no other is looked for. */
const QUIET_BYTES = 24
/** New files up to this size serve those after them. */
const SIBLING_BYTES_MAX = 8 * 1024 * 1024

/** A file among the new bytes: where it ends, and what its bytes cost. */
export interface AlignedFile {
  readonly end: number
  readonly costs: Costs
}

/** @param files in the order of their bytes, the last ends with them */
export function align(old: Uint8Array, next: Uint8Array, files: readonly AlignedFile[]): Segment[] {
  return new Alignment(old, next).run(files)
}

/** How a reading came to be: the stretch that began at `start` on a diagonal, and what was before it. */
class Paths {
  #parents = new Int32Array(1024)
  #starts = new Int32Array(1024)
  #diagonals = new Int32Array(1024)
  #count = 0

  add(parent: number, start: number, diagonal: number): number {
    if (this.#count === this.#parents.length) {
      this.#parents = doubled(this.#parents)
      this.#starts = doubled(this.#starts)
      this.#diagonals = doubled(this.#diagonals)
    }
    this.#parents[this.#count] = parent
    this.#starts[this.#count] = start
    this.#diagonals[this.#count] = diagonal
    return this.#count++
  }

  segments(last: number, end: number): Segment[] {
    const segments: Segment[] = []
    for (let node = last, until = end; node >= 0; node = this.#parents[node] ?? -1) {
      const start = this.#starts[node] ?? 0
      const diagonal = this.#diagonals[node] ?? LITERAL
      if (until > start)
        segments.push({
          oldAt: diagonal === LITERAL ? -1 : start + diagonal,
          byteCount: until - start,
        })
      until = start
    }
    return segments.reverse()
  }
}

const doubled = (numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}

/** A diagonal is the place in the old bytes less that in the new ones. Index 0 is that of new bytes, on none. */
class Alignment {
  /** The old bytes and the new ones behind them. */
  readonly #all: Uint8Array
  readonly #next: Uint8Array
  readonly #oldByteCount: number
  /** How far in `#all` can be read from. */
  #end: number
  readonly #matches: LongestMatch
  readonly #siblings: RecentMatch
  readonly #paths = new Paths()
  readonly #cost = new Float64Array(DIAGONALS_MAX + 1)
  readonly #diagonal = new Int32Array(DIAGONALS_MAX + 1)
  readonly #start = new Int32Array(DIAGONALS_MAX + 1)
  readonly #parent = new Int32Array(DIAGONALS_MAX + 1)
  #count = 1
  /** The stretch before the new bytes: only made a path of when something follows them. */
  readonly #before = { diagonal: LITERAL, start: 0, parent: -1 }
  #recent = [0, 0, 0, 0]

  constructor(old: Uint8Array, next: Uint8Array) {
    this.#all = new Uint8Array(old.length + next.length)
    this.#all.set(old)
    this.#all.set(next, old.length)
    this.#next = next
    this.#oldByteCount = old.length
    this.#end = old.length
    this.#matches = new LongestMatch(old)
    this.#siblings = new RecentMatch(next)
    this.#diagonal[0] = LITERAL
    this.#parent[0] = -1
  }

  run(files: readonly AlignedFile[]): Segment[] {
    let start = 0
    for (const { end, costs } of files) {
      this.#end = this.#oldByteCount + start
      this.#alignFile(start, end, costs)
      if (end - start <= SIBLING_BYTES_MAX) this.#siblings.add(start, end)
      start = end
    }
    return this.#paths.segments(this.#pathOf(this.#best()), this.#next.length)
  }

  #alignFile(start: number, end: number, costs: Costs): void {
    let lookAt = start
    for (let at = start; at < end; at++) {
      const best = this.#best()
      if (at >= lookAt) lookAt = this.#look(at, best, costs)
      this.#step(at, best, costs)
    }
  }

  #best(): number {
    let best = 0
    for (let index = 1; index < this.#count; index++)
      if ((this.#cost[index] ?? 0) < (this.#cost[best] ?? 0)) best = index
    return best
  }

  /** @returns where to look next */
  #look(at: number, best: number, costs: Costs): number {
    const diagonal = this.#lastDiagonal(best)
    const quiet = diagonal === LITERAL || best === 0 ? 0 : this.#commonAt(at, diagonal, QUIET_BYTES)
    if (quiet === QUIET_BYTES) return at + this.#commonAt(at, diagonal, 1 << 20)
    const expected = diagonal === LITERAL ? at : at + diagonal
    this.#matches.find(this.#next, at, expected)
    const { at: oldAt, length } = this.#matches
    if (length >= MATCH_BYTES_MIN) this.#enter(at, oldAt - at, best, costs)
    this.#siblings.find(at)
    const sibling = this.#siblings
    if (sibling.length > 0) this.#enter(at, this.#oldByteCount + sibling.at - at, best, costs)
    for (const recent of this.#recent)
      if (this.#commonAt(at, recent, MATCH_BYTES_MIN) === MATCH_BYTES_MIN)
        this.#enter(at, recent, best, costs)
    return at + Math.max(1, Math.max(length, sibling.length) >> 1)
  }

  #commonAt(at: number, diagonal: number, max: number): number {
    const [all, next] = [this.#all, this.#next]
    if (at + diagonal < 0) return 0
    const end = Math.min(max, next.length - at, this.#end - at - diagonal)
    let length = 0
    while (length < end && all[at + diagonal + length] === next[at + length]) length++
    return length
  }

  #lastDiagonal(index: number): number {
    return index === 0 ? this.#before.diagonal : (this.#diagonal[index] ?? LITERAL)
  }

  #enter(at: number, diagonal: number, best: number, costs: Costs): void {
    const last = this.#lastDiagonal(best)
    const distance = last === LITERAL ? Math.abs(diagonal) : Math.abs(diagonal - last)
    const cost = (this.#cost[best] ?? 0) + costs.jump + costs.jumpDoubling * Math.log2(1 + distance)
    const index = this.#slotFor(diagonal, cost)
    if (index === null) return
    this.#parent[index] = this.#pathOf(best)
    this.#cost[index] = cost
    this.#diagonal[index] = diagonal
    this.#start[index] = at
  }

  /** Null when what is there is as good. */
  #slotFor(diagonal: number, cost: number): number | null {
    const own = this.#indexOf(diagonal)
    if (own === null && this.#count <= DIAGONALS_MAX) return this.#count++
    const index = own ?? this.#worst()
    return (this.#cost[index] ?? 0) > cost ? index : null
  }

  #indexOf(diagonal: number): number | null {
    for (let index = 1; index < this.#count; index++)
      if (this.#diagonal[index] === diagonal) return index
    return null
  }

  #worst(): number {
    let worst = 1
    for (let index = 2; index < this.#count; index++)
      if ((this.#cost[index] ?? 0) > (this.#cost[worst] ?? 0)) worst = index
    return worst
  }

  #pathOf(index: number): number {
    if (index !== 0)
      return this.#paths.add(
        this.#parent[index] ?? -1,
        this.#start[index] ?? 0,
        this.#diagonal[index] ?? LITERAL,
      )
    const { diagonal, start, parent } = this.#before
    const before = diagonal === LITERAL ? -1 : this.#paths.add(parent, start, diagonal)
    return this.#paths.add(before, this.#start[0] ?? 0, LITERAL)
  }

  #step(at: number, best: number, costs: Costs): void {
    const bestCost = this.#cost[best] ?? 0
    if (best !== 0 && bestCost + LEAVE < (this.#cost[0] ?? 0)) this.#leave(at, best)
    this.#cost[0] = (this.#cost[0] ?? 0) + costs.literal
    const limit = bestCost + 2 * costs.jump + 32 * costs.jumpDoubling
    for (let index = 1; index < this.#count; index++) {
      const cost =
        (this.#cost[index] ?? 0) + this.#stepCost(at, at + (this.#diagonal[index] ?? 0), costs)
      if (cost <= limit) this.#cost[index] = cost
      else this.#drop(index--)
    }
  }

  /** More than any limit where there is nothing to read. */
  #stepCost(at: number, oldAt: number, costs: Costs): number {
    if (oldAt < 0 || oldAt >= this.#end) return Number.POSITIVE_INFINITY
    return this.#all[oldAt] === this.#next[at] ? costs.kept : costs.changed
  }

  #leave(at: number, best: number): void {
    this.#before.diagonal = this.#diagonal[best] ?? LITERAL
    this.#before.start = this.#start[best] ?? 0
    this.#before.parent = this.#parent[best] ?? -1
    this.#cost[0] = (this.#cost[best] ?? 0) + LEAVE
    this.#start[0] = at
  }

  #drop(index: number): void {
    const diagonal = this.#diagonal[index] ?? 0
    if (!this.#recent.includes(diagonal)) this.#recent = [diagonal, ...this.#recent.slice(0, 3)]
    const last = --this.#count
    this.#cost[index] = this.#cost[last] ?? 0
    this.#diagonal[index] = this.#diagonal[last] ?? 0
    this.#start[index] = this.#start[last] ?? 0
    this.#parent[index] = this.#parent[last] ?? 0
  }
}
