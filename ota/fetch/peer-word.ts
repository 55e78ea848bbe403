/** What a box tells the others of its venue: what it has, what it wants, and whether it fetches for all. */
import {
  boolean,
  check,
  integer,
  list,
  literal,
  type Of,
  object,
  pattern,
  string,
} from '../../runtime/core/schema.js'
import { TERM_MAX } from './election.js'

export const WORD_BYTES_MAX = 64 * 1024
export const WORD_OBJECTS_MAX = 8
const PIECES_MAX = 32_768

const wordSchema = object({
  format: literal(1),
  /** Counts up with every word, so that one that a broker only kept is not taken for a sign of life. */
  sequence: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  /** Where it gives pieces: `http://10.0.0.7:8437`. */
  addresses: list(string({ max: 80 }), { max: 4 }),
  objects: list(
    object({
      sha256: pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits'),
      pieceCount: integer({ min: 1, max: PIECES_MAX }),
      /** As `PieceSet.toText`. */
      pieces: string({ max: 6_000 }),
      /** It is being fetched, and not whole yet. */
      isWanted: boolean,
      mayUseUplink: boolean,
      /** 0: it does not fetch for the others. Otherwise the term of its claim: the highest is right. */
      claim: integer({ min: 0, max: TERM_MAX }),
    }),
    { max: WORD_OBJECTS_MAX },
  ),
})

export type PeerWord = Readonly<Of<typeof wordSchema>>

export const wordBytes = (word: PeerWord): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(word))

/** Null for what is none. */
export function readWord(bytes: Uint8Array): PeerWord | null {
  if (bytes.length > WORD_BYTES_MAX) return null
  try {
    return check(wordSchema, JSON.parse(new TextDecoder().decode(bytes)), 'word')
  } catch {
    // What another box says is not worth an error: it is as if it said nothing, and its reader counts it.
    return null
  }
}
