/** What is known of the other boxes of the venue, from their words. Pure but for the time that it is told. */
import { type Candidate, isStalled } from './election.js'
import { type PeerWord, readWord } from './peer-word.js'
import { PieceSet } from './piece-set.js'
import { Stalls } from './stalls.js'

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
/** Of words, a second, and after a rest: what honest boxes say is a tenth of it, and more is not looked at. */
const WORD_BYTES_A_SECOND = 512 * 1024
const WORD_BYTES_AT_ONCE = 4 * 1024 * 1024
/** Whoever claims, steps back and claims again gains no time by it. */
const IDLE_CLAIMS_MAX = 2

export class Neighbourhood {
  readonly #neighbours = new Map<string, Neighbour>()
  /** Until when, on the monotonic scale. */
  readonly #avoided = new Map<string, number>()
  readonly #stalls = new Stalls()
  #unreadable = 0
  #budget = { bytes: WORD_BYTES_AT_ONCE, atMs: 0 }

  /** Words that were none, or too many. */
  get unreadable(): number {
    return this.#unreadable
  }

  hear(box: string, bytes: Uint8Array | null, nowMs: number): void {
    if (bytes === null) {
      this.#neighbours.delete(box)
      return
    }
    const before = this.#neighbours.get(box)
    if (before === undefined && !this.#hasRoom(nowMs)) return
    const word = this.#isAffordable(bytes, nowMs) ? readWord(bytes) : null
    if (word === null) {
      this.#unreadable++
      return
    }
    // A broker that comes back tells what it kept; that is no sign of life.
    if (before?.sequence === word.sequence) return
    const neighbour = heard({ box, word, before, nowMs })
    this.#neighbours.set(box, neighbour)
    if (hasFetched(neighbour, before)) this.#stalls.forgive(box)
  }

  /** Boxes that were not heard for long give way. */
  #hasRoom(nowMs: number): boolean {
    if (this.#neighbours.size < NEIGHBOURS_MAX) return true
    for (const [box, { heardMs }] of this.#neighbours)
      if (nowMs - heardMs > LEASE_MS) this.#neighbours.delete(box)
    return this.#neighbours.size < NEIGHBOURS_MAX
  }

  #isAffordable({ length }: Uint8Array, nowMs: number): boolean {
    const { bytes, atMs } = this.#budget
    const earned = ((nowMs - atMs) * WORD_BYTES_A_SECOND) / 1000
    const left = Math.min(WORD_BYTES_AT_ONCE, bytes + earned)
    this.#budget = { bytes: left < length ? left : left - length, atMs: nowMs }
    return left >= length
  }

  /** Nothing that it says counts until then. */
  avoid(box: string, untilMs: number, nowMs: number): void {
    for (const [other, endMs] of this.#avoided) if (endMs <= nowMs) this.#avoided.delete(other)
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

  /** @param ask.isReachable whether pieces could be got from who is at these addresses: who has none fetches for himself */
  candidates(sha256: string, ask: CandidatesAsk): readonly Candidate[] {
    const { own, rankOf, isReachable, nowMs } = ask
    const candidates = this.#believed(nowMs).flatMap((neighbour): Candidate[] => {
      const { box, objects, addresses } = neighbour
      const object = objects.get(sha256)
      if (!object || !isReachable(box, addresses)) return []
      const { isWanted, mayUseUplink, claim, gainedMs } = object
      return [{ box, rank: rankOf(box), isWanting: isWanted, mayUseUplink, claim, gainedMs }]
    })
    return candidates.filter(candidate => {
      this.noteIfStalled(candidate, sha256, nowMs)
      return candidate.claim === 0 || !this.#stalls.isTiresome(candidate.box, own)
    })
  }

  /** Of another box, or of this one. */
  noteIfStalled(candidate: Candidate, sha256: string, nowMs: number): void {
    if (isStalled(candidate, nowMs)) this.#stalls.note(candidate.box, sha256, candidate.claim)
  }

  /** This box has fetched a piece for all. */
  forgive(own: string): void {
    this.#stalls.forgive(own)
  }

  #believed(nowMs: number): Neighbour[] {
    return [...this.#neighbours.values()].filter(
      ({ box, heardMs }) =>
        nowMs - heardMs <= LEASE_MS && nowMs >= (this.#avoided.get(box) ?? nowMs),
    )
  }
}

export interface CandidatesAsk {
  readonly own: string
  readonly rankOf: (box: string) => string
  readonly isReachable: (box: string, addresses: readonly string[]) => boolean
  readonly nowMs: number
}

/** Whether it has a piece more, and was the one to fetch it. */
const hasFetched = ({ objects }: Neighbour, before: Neighbour | undefined): boolean =>
  [...objects].some(([sha256, { have, claim }]) => {
    const earlier = before?.objects.get(sha256)
    return earlier !== undefined && earlier.claim > 0 && claim > 0 && have.size > earlier.have.size
  })

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
