/** A run of pieces of one object, asked of one source. */
export interface PieceAsk {
  /** Of the object: 64 lower-case hexadecimal digits. */
  readonly sha256: string
  /** As it is signed: `objects/<sha256>.patch`. */
  readonly target: string
  /** Of the whole object. */
  readonly byteCount: number
  readonly pieceByteCount: number
  /** The first byte wanted, at the beginning of a piece. */
  readonly from: number
  /** The byte after the last one wanted. */
  readonly to: number
}

/** Where the bytes are paid: over the venue's uplink, on its LAN, or from a stick that somebody brought. */
export type SourceKind = 'uplink' | 'peer' | 'folder'

/**
 * Takes bytes in order, and says whether more are wanted. A source that knows no ranges begins at 0 instead of `from`, and
 * may go on after `to`. The source waits for the answer, and calls nobody after its transfer has ended.
 */
export type TakeBytes = (at: number, bytes: Uint8Array) => Promise<boolean>

/** Something that says it has pieces. Whatever it says and gives is believed only after it was hashed. */
export interface PieceSource {
  /** For people, without passwords: `https://hub.example/tour`, `box-3`. Two sources never share one. */
  readonly name: string
  readonly kind: SourceKind
  ask(ask: PieceAsk, take: TakeBytes): PieceTransfer
}

export interface PieceTransfer {
  /**
   * Resolves when the source has no more to give or no more is wanted. Rejects with BoxError `link.down`,
   * `fetch.absent` (it has not got it), `fetch.busy` (it has, and gives no more at this moment), `fetch.refused` (an answer
   * that cannot be used); or with what `take` threw.
   */
  readonly done: Promise<void>
  /** Ends it soon; `done` then resolves. */
  cancel(): void
}
