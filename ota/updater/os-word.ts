/** What a box of a venue says to the others of its operating systems: a part of its word on the board, which older ones pass over. */
import {
  check,
  list,
  nullable,
  type Of,
  object,
  oneOf,
  pattern,
} from '../../runtime/core/schema.js'
import type { FleetView } from './criteria.js'

const digest = pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
export const TOLD_REFUSALS_MAX = 16

const word = object({
  /** Of the system that it is about to start, or tries; null: none. */
  digest: nullable(digest),
  /**
   * `claims`: it would like to reboot next. `goes`: it does, or tries what it has started; until it says something else it
   * may be away.
   */
  stage: oneOf('stays', 'claims', 'goes'),
  /** Systems that have failed on it. */
  refused: list(digest, { max: TOLD_REFUSALS_MAX }),
  // A box with a newer release may say more.
}).loose()

export type OsWord = Readonly<Pick<Of<typeof word>, 'digest' | 'stage' | 'refused'>>

export interface HeardOsWord {
  /** Null: its release says nothing of systems. */
  readonly word: OsWord | null
  /** Since it was heard last, in milliseconds. */
  readonly ageMs: number
  /** Of that, the time in which it could have been heard: the broker may be in a box that reboots. */
  readonly silentMs: number
}

export interface OsVoice {
  /** Whether the others could be heard at this moment. */
  isOpen(): boolean
  say(word: OsWord): void
  /** For how long the others could have heard the present word, in milliseconds; null: it is not said. */
  saidForMs(): number | null
  /** All that were heard since this process began, however long ago. */
  heard(): ReadonlyMap<string, HeardOsWord>
  /**
   * How the others are, and who has failed with a system.
   * @param awayMs whoever has gone to try one and was not heard for so long has not come back
   */
  fleet(digest: string | null, awayMs: number): FleetView
}

/** Null for what is no such word: the rest of what was said counts all the same. */
export function readOsWord(value: unknown): OsWord | null {
  if (value === undefined || value === null) return null
  try {
    const { digest: of, stage, refused } = check(word, value, 'word')
    return { digest: of, stage, refused }
  } catch {
    return null
  }
}
