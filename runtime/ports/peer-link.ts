import type { Cancel } from './clock.js'
import type { PieceSource } from './piece-source.js'

/** What the boxes of a venue tell each other: one word a box, which whoever comes later is told too. */
export interface PeerBoard {
  /** Does not wait for the others; tries for ever to reach them, also with a login that cannot be read yet. */
  start(): Promise<void>
  /** Takes the word of this box away. */
  stop(): Promise<void>
  /** Whether words come and go at this moment. */
  isOpen(): boolean
  /** Replaces the word of this box. When the box dies it is taken away. At most 64 KiB. */
  say(word: Uint8Array): void
  /** Null: the box is gone. What this box says itself is not told. */
  onWord(listener: (box: string, word: Uint8Array | null) => void): Cancel
  /** The others can be heard again, or no longer. */
  onChange(listener: (isOpen: boolean) => void): Cancel
}

/** The bytes of one piece of one object; null where this box has not got it, or does not give it now. */
export type GivePiece = (sha256: string, index: number) => Promise<Uint8Array | null>

/** The way of pieces from box to box. */
export interface PeerLink {
  /**
   * Gives pieces to who asks, within the limits of this link, until `close`.
   * @throws BoxError `port.taken`, `link.down`
   */
  serve(give: GivePiece): Promise<void>
  /** At which others find it at this moment, at most four; none while it does not serve, or has no network. */
  addresses(): readonly string[]
  close(): Promise<void>
  /**
   * @param box what the other box is called, for people
   * @param addresses as the other box told them
   * @returns null when none of them is one that this box goes to
   */
  sourceAt(box: string, addresses: readonly string[]): PieceSource | null
}
