/** Which pieces to ask next, and of whom: a stick before a box on the LAN before the uplink. Pure. */
import type { PieceSource } from '../../runtime/ports/piece-source.js'

/** A source that may be asked at this moment. */
export interface Offer {
  readonly source: PieceSource
  readonly has: (index: number) => boolean
  /** Transfers under way with it. */
  readonly inFlight: number
  readonly isWholeOnly: boolean
}

export interface Choice {
  readonly offer: Offer
  readonly first: number
  /** At least 1. */
  readonly count: number
}

export interface Want {
  readonly pieceCount: number
  /** Not there, and not asked of anybody. */
  readonly isWanted: (index: number) => boolean
  readonly offers: readonly Offer[]
  /** Transfers under way with all. */
  readonly inFlight: number
  /** Of these, over the uplink: mirrors share one. */
  readonly uplinkInFlight: number
  /** Of these there may be so many: one where the uplink is so slow that two starve each other. */
  readonly uplinkMax: number
  /** 0 to 1: boxes that ask the same peer begin at different pieces, and then have something for each other. */
  readonly chance: number
}

const IN_FLIGHT_MAX = 8
export const UPLINK_IN_FLIGHT_MAX = 2
const inFlightMax = { folder: 1, peer: 2, uplink: UPLINK_IN_FLIGHT_MAX } as const
/** Of pieces. What a lying peer can cost is what is in flight with it; what an uplink costs is its requests. */
const runMax = { folder: 32, peer: 1, uplink: 16 } as const
const order = { folder: 0, peer: 1, uplink: 2 } as const

/** Null when there is nothing to ask, or nobody who may be asked now. */
export function chooseNext(want: Want): Choice | null {
  if (want.inFlight >= IN_FLIGHT_MAX) return null
  const offers = [...want.offers].sort(byPreference)
  for (const offer of offers) {
    const most = offer.isWholeOnly ? 1 : inFlightMax[offer.source.kind]
    if (offer.inFlight >= most) continue
    if (offer.source.kind === 'uplink' && want.uplinkInFlight >= want.uplinkMax) continue
    const run = runFor(offer, want)
    if (run !== null) return { offer, ...run }
  }
  return null
}

/** Of boxes the one that is asked least; of mirrors the one that is named first. */
const byPreference = (one: Offer, other: Offer): number =>
  order[one.source.kind] - order[other.source.kind] ||
  Number(one.isWholeOnly) - Number(other.isWholeOnly) ||
  (one.source.kind === 'peer' ? one.inFlight - other.inFlight : 0)

function runFor(offer: Offer, want: Want): Pick<Choice, 'first' | 'count'> | null {
  const { kind } = offer.source
  const { pieceCount } = want
  /** What costs nothing elsewhere is not taken over the uplink. */
  const isCheaperElsewhere = (index: number): boolean =>
    kind === 'uplink' &&
    want.offers.some(({ source, has }) => source.kind !== 'uplink' && has(index))
  const fits = (index: number): boolean =>
    want.isWanted(index) && offer.has(index) && !isCheaperElsewhere(index)
  const start = kind === 'peer' ? Math.floor(want.chance * pieceCount) : 0
  for (let step = 0; step < pieceCount; step++) {
    const first = (start + step) % pieceCount
    if (!fits(first)) continue
    const most = offer.isWholeOnly ? pieceCount : runMax[kind]
    let count = 1
    while (count < most && first + count < pieceCount && fits(first + count)) count++
    return { first, count }
  }
  return null
}
