/** What is known of the other boxes of the venue, from their words. Pure but for the time that it is told. */
import { type Candidate, isStalled } from './election.js'
import { type PeerWord, readWord } from './peer-word.js'
import { PieceSet } from './piece-set.js'

interface HeardObject {
  readonly have: PieceSet
  readonly isWanted: boolean
  readonly mayUseUplink: boolean
  readonly claim: number
  readonly gainedMs: number
  /** Claims that it has begun since it last had a piece more. */
  readonly idleClaims: number
}

interface Neighbour {
  readonly box: string
  readonly sequence: number
  readonly addresses: readonly string[]
  readonly heardMs: number
  readonly objects: ReadonlyMap<string, HeardObject>
}

/** A box says something every few seconds; who has not for so long is gone. */
export const LEASE_MS = 20_000
const NEIGHBOURS_MAX = 64
/** Claims that came to nothing. A box that does it again and again does not fetch for anybody. */
const STALLS_MAX = 2
/** Whoever claims, steps back and claims again gains no time by it. */
const IDLE_CLAIMS_MAX = 2

export class Neighbourhood {
  readonly #neighbours = new Map<string, Neighbour>()
  /** Until when, on the monotonic scale. */
  readonly #avoided = new Map<string, number>()
  readonly #stalls = new Map<string, Set<string>>()
  #unreadable = 0

  /** Words that were none: for the log. */
  get unreadable(): number {
    return this.#unreadable
  }

  hear(box: string, bytes: Uint8Array | null, nowMs: number): void {
    if (bytes === null) {
      this.#neighbours.delete(box)
      return
    }
    const word = readWord(bytes)
    if (word === null) {
      this.#unreadable++
      return
    }
    const before = this.#neighbours.get(box)
    // A broker that comes back tells what it kept; that is no sign of life.
    if (before?.sequence === word.sequence) return
    if (before === undefined && this.#neighbours.size >= NEIGHBOURS_MAX) return
    this.#neighbours.set(box, heard({ box, word, before, nowMs }))
  }

  /** Nothing that it says counts until then. */
  avoid(box: string, untilMs: number): void {
    if (this.#avoided.size >= NEIGHBOURS_MAX && !this.#avoided.has(box)) return
    this.#avoided.set(box, Math.max(untilMs, this.#avoided.get(box) ?? untilMs))
  }

  /** Who has some of it, and could be asked. */
  holders(
    sha256: string,
    pieceCount: number,
    nowMs: number,
  ): { box: string; addresses: readonly string[]; have: PieceSet }[] {
    return this.#believed(nowMs).flatMap(({ box, addresses, objects }) => {
      const have = objects.get(sha256)?.have
      return have?.count === pieceCount && have.size > 0 ? [{ box, addresses, have }] : []
    })
  }

  candidates(sha256: string, rankOf: (box: string) => string, nowMs: number): readonly Candidate[] {
    const candidates = this.#believed(nowMs).flatMap(({ box, objects }): Candidate[] => {
      const object = objects.get(sha256)
      if (!object) return []
      const { isWanted, mayUseUplink, claim, gainedMs } = object
      return [{ box, rank: rankOf(box), isWanting: isWanted, mayUseUplink, claim, gainedMs }]
    })
    return candidates.filter(candidate => {
      if (isStalled(candidate, nowMs)) this.#noteStall(candidate, sha256)
      return (this.#stalls.get(candidate.box)?.size ?? 0) < STALLS_MAX || candidate.claim === 0
    })
  }

  #noteStall({ box, claim }: Candidate, sha256: string): void {
    const stalls = this.#stalls.get(box) ?? new Set<string>()
    if (stalls.size < STALLS_MAX) stalls.add(`${sha256} ${claim}`)
    this.#stalls.set(box, stalls)
  }

  #believed(nowMs: number): Neighbour[] {
    return [...this.#neighbours.values()].filter(
      ({ box, heardMs }) =>
        nowMs - heardMs <= LEASE_MS && nowMs >= (this.#avoided.get(box) ?? nowMs),
    )
  }
}

function heard(from: {
  readonly box: string
  readonly word: PeerWord
  readonly before: Neighbour | undefined
  readonly nowMs: number
}): Neighbour {
  const { box, word, before, nowMs } = from
  const objects = new Map<string, HeardObject>()
  for (const object of word.objects) {
    const of = heardOf(object, before?.objects.get(object.sha256), nowMs)
    if (of !== null) objects.set(object.sha256, of)
  }
  const { sequence, addresses } = word
  return { box, sequence, addresses, heardMs: nowMs, objects }
}

const nothingYet = { have: new PieceSet(0), claim: 0, idleClaims: 0 }

/** Null when its pieces are not a set of so many. */
function heardOf(
  object: PeerWord['objects'][number],
  before: HeardObject | undefined,
  nowMs: number,
): HeardObject | null {
  const { pieceCount, pieces, isWanted, mayUseUplink, claim } = object
  const have = PieceSet.fromText(pieces, pieceCount)
  if (have === null) return null
  const earlier = before ?? { ...nothingYet, gainedMs: nowMs }
  const isGain = have.size > earlier.have.size
  const isNewClaim = claim > earlier.claim
  const idleClaims = isGain ? 0 : earlier.idleClaims + Number(isNewClaim)
  const isAlive = isGain || (isNewClaim && idleClaims <= IDLE_CLAIMS_MAX)
  const gainedMs = isAlive ? nowMs : earlier.gainedMs
  return { have, isWanted, mayUseUplink, claim, gainedMs, idleClaims }
}
