/** What the updater tells of itself: part of the table in `topics.ts`. */
import {
  boolean,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  pattern,
  string,
} from './schema.js'
import { moment, whole } from './shapes.js'
import { topic } from './topic-shape.js'

const digest = pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
const version = string({ max: 64 })
const release = object({ digest, version })

const progress = nullable(
  object({
    doneBytes: whole,
    allBytes: whole,
    /** Where they came from. */
    uplinkBytes: whole,
    peerBytes: whole,
    stickBytes: whole,
  }),
)
const unmet = list(
  object({
    step: oneOf('take', 'fetch', 'switch', 'trial'),
    name: string({ max: 64 }),
    words: string({ max: 1024 }),
  }),
  { max: 64 },
)
const refused = list(object({ digest, version, why: string({ max: 512 }) }), { max: 80 })

const system = object({
  /**
   * `unknown`: nothing of use is in it, or nobody knows what. `written`: verified, and not tried yet. `good`: has passed, or
   * was on the card from the beginning; then nobody knows its version.
   */
  kind: oneOf('unknown', 'writing', 'written', 'trial', 'good', 'failed'),
  version: nullable(version),
  digest: nullable(digest),
})

/** Of the two operating systems below; all but the first field are empty where this box updates none. */
const otaSystems = object({
  /** Why this box does not update its operating system; null: it does. */
  lacking: nullable(string({ max: 1024 })),
  /** As for releases; `writing`: to the partitions that do not run. */
  phase: oneOf('idle', 'fetching', 'writing', 'waiting', 'switching', 'trial'),
  running: nullable(oneOf('a', 'b')),
  systems: nullable(object({ a: system, b: system })),
  /** What is ordered and does not run. */
  candidate: nullable(release),
  progress,
  unmet,
  floor: nullable(version),
  refused,
  trouble: nullable(string({ max: 1024 })),
})

const slot = object({
  /**
   * `empty`: nothing of use. `writing`: by an update or as a copy. `ready`: written, and not tried yet. `trial`. `good`: has
   * passed. `failed`: did not pass, or was damaged.
   */
  kind: oneOf('empty', 'writing', 'ready', 'trial', 'good', 'failed'),
  version: nullable(version),
  /** It holds what runs, from the other slot: against rot, and no release to go back to. */
  isCopy: boolean,
  /** Since all of it was last read from the card; null: not since the start, or there is nothing to read. */
  readMinutes: nullable(whole),
  /** What was found damaged then; null: nothing. */
  damage: nullable(string({ max: 1024 })),
  /** All of it, for people. */
  words: string({ max: 1024 }),
})

export const otaState = object({
  /**
   * `idle`: what runs is what is ordered, or nothing is. `fetching`, `writing`: on its way into the other slot. `waiting`:
   * something is in the way, see `unmet`. `agreed`: switches at one moment with the other boxes. `switching`. `trial`: a
   * new release has to prove itself.
   */
  phase: oneOf('idle', 'fetching', 'writing', 'waiting', 'agreed', 'switching', 'trial'),
  /** Null on a box that was not installed by an update. */
  running: nullable(release),
  slot: nullable(oneOf('a', 'b')),
  /** Null on a box without slots, and while nobody knows. */
  slots: nullable(object({ a: slot, b: slot })),
  /** What a rollback would lead to; null: nothing. */
  previous: nullable(release),
  /** What is ordered and does not run. */
  candidate: nullable(release),
  /** What is ordered, whether it runs or not, as far as is known; null: nothing, or nobody knows. */
  ordered: nullable(release),
  /** Of the step under way; null when there is none. */
  progress,
  /** What keeps the candidate from running, first things first. */
  unmet,
  /** The last look at the repository; null before the first one since the start. */
  checked: nullable(object({ wallMs: moment, isFresh: boolean, words: string({ max: 1024 }) })),
  /** Nothing below this version is taken. */
  floor: nullable(version),
  refused,
  /** Show time of the switch that was agreed on with the others. */
  switchShowMs: nullable(number({ min: -8.64e15, max: 8.64e15 })),
  holds: list(
    object({
      id: string({ max: 16 }),
      owner: string({ max: 64 }),
      reason: string({ max: 256 }),
      leftMinutes: integer({ min: 0, max: 1e6 }),
    }),
    { max: 64 },
  ),
  /** What went wrong last, for people; null while all is well. */
  trouble: nullable(string({ max: 1024 })),
  /** Null while nobody knows. */
  os: nullable(otaSystems),
})

export const otaTopics = {
  'ota/state': topic({
    kind: 'state',
    qos: 0,
    path: 'ota',
    summary: 'Which release runs, which one is ordered, and what stands in the way.',
    payload: otaState,
  }),
} as const
