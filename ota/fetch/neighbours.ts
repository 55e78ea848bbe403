import type { Cancel } from '../../runtime/ports/clock.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'

/** A box on the LAN that says it has some of an object. */
export interface PeerOffer {
  readonly source: PieceSource
  readonly has: (index: number) => boolean
}

/** What the other boxes of the venue are for a fetch. */
export interface Neighbours {
  /** From now on this box wants it. */
  begin(sha256: string): void
  /** It has it, or wants it no longer. */
  end(sha256: string): void
  offers(sha256: string): readonly PeerOffer[]
  /** False while another box of the venue fetches it for all. */
  isOursToFetch(sha256: string): boolean
  /** Others may have more by now. */
  onNews(listener: () => void): Cancel
  /** A piece more is there to give. */
  gained(sha256: string): void
  /** What it says is not believed for so long. @param name of its source */
  avoid(name: string, durationMs: number): void
}
