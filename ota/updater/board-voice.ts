/** What the boxes of a venue say of themselves on the way to a switch, over a board that they share. */
import {
  boolean,
  check,
  integer,
  literal,
  name,
  nullable,
  number,
  object,
  oneOf,
  optional,
  pattern,
  string,
  unknown,
} from '../../runtime/core/schema.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { PeerBoard } from '../../runtime/ports/peer-link.js'
import type { FleetView } from './criteria.js'
import { type HeardOsWord, type OsVoice, type OsWord, readOsWord } from './os-word.js'
import type { VenueVoice } from './parts.js'
import type { HeardWord, VenueWord } from './venue-switch.js'

const SAY_MS = 1_000
/** The box is asked for its show time before each word: without one nothing is said. */
const SPEECHLESS_MS = 3_000
/** A box that has said nothing for so long is no part of the fleet any more. */
const FORGET_MS = 60_000
const BOXES_MAX = 256

const word = object({
  format: literal(1),
  /** Counts up, so that a word that a broker only kept is not taken for a sign of life. */
  sequence: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  box: name,
  digest: nullable(pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')),
  stage: oneOf('idle', 'preparing', 'prepared', 'agreed', 'trial', 'passed', 'good', 'failed'),
  at: nullable(number({ min: -8.64e15, max: 8.64e15 })),
  obstacle: nullable(string({ max: 512 })),
  isWell: boolean,
  showMs: number({ min: -8.64e15, max: 8.64e15 }),
  /** Of the operating systems; read apart, so that what nobody understands of it spoils nothing. */
  os: optional(unknown),
  // A box with a newer release may say more.
}).loose()

interface Heard {
  readonly word: VenueWord
  readonly system: OsWord | null
  readonly systemMs: MonotonicMs
  /** As `#openMs` was then. */
  readonly systemOpenMs: number
  readonly isWell: boolean
  readonly sequence: number
  readonly atMs: MonotonicMs
  /** Said since this box listens, and not only kept by the broker. */
  readonly isAlive: boolean
}

export class BoardVoice implements VenueVoice {
  readonly #clock: Clock
  readonly #board: PeerBoard
  readonly #box: string
  readonly #isWell: () => boolean
  readonly #heard = new Map<string, Heard>()
  #sequence: number
  #said = ''
  #saidMs = Number.NEGATIVE_INFINITY
  #system: OsWord | null = null
  /** Of the last word that was handed to the board. */
  #systemText = ''
  #systemSinceMs = 0
  #spokeMs = Number.NEGATIVE_INFINITY
  /** For how long the board was open, all in all, and when it was seen so last; null: it was not. */
  #openMs = 0
  #seenOpenMs: MonotonicMs | null = null
  #cancel: Cancel = () => {}

  /** @param options.isWell whether this box could spare itself for a moment */
  constructor(
    clock: Clock,
    board: PeerBoard,
    options: { readonly box: string; readonly isWell: () => boolean },
  ) {
    this.#clock = clock
    this.#board = board
    this.#box = options.box
    this.#isWell = options.isWell
    // After a restart the others must not take the new words for old ones.
    this.#sequence = Math.max(0, Math.floor(clock.wallTimeMs()))
  }

  start(): void {
    this.#cancel = this.#board.onWord((box, bytes) => this.#hear(box, bytes))
  }

  stop(): void {
    this.#cancel()
  }

  isOpen(): boolean {
    return this.#board.isOpen()
  }

  heard(): ReadonlyMap<string, HeardWord> {
    const nowMs = this.#clock.monotonicMs()
    const heard = new Map<string, HeardWord>()
    for (const [box, { word: said, atMs, isAlive }] of this.#heard)
      if (isAlive) heard.set(box, { word: said, ageMs: nowMs - atMs })
    return heard
  }

  /** What the other boxes have done with a release. */
  fleet(digest: string | null): FleetView {
    const nowMs = this.#clock.monotonicMs()
    const others = [...this.#heard].filter(([, one]) => isPresent(one, nowMs))
    const failed = others.filter(
      ([, { word: said }]) => said.stage === 'failed' && said.digest === digest,
    )
    return {
      heard: others.length,
      healthy: others.filter(([, { isWell }]) => isWell).length,
      failed: failed.map(([box]) => box).sort(),
    }
  }

  /** What the boxes tell each other of their operating systems goes with the same words. */
  get systems(): OsVoice {
    return {
      isOpen: () => this.isOpen(),
      say: said => {
        this.#countOpen()
        this.#system = said
      },
      saidForMs: () => this.#systemSaidForMs(),
      heard: () => this.#heardOfSystems(),
      fleet: (digest, awayMs) => this.#fleetOfSystems(digest, awayMs),
    }
  }

  #systemSaidForMs(): number | null {
    const nowMs = this.#clock.monotonicMs()
    const isSaid = JSON.stringify(this.#system) === this.#systemText
    return isSaid && nowMs - this.#spokeMs < SPEECHLESS_MS ? nowMs - this.#systemSinceMs : null
  }

  #heardOfSystems(): ReadonlyMap<string, HeardOsWord> {
    const nowMs = this.#clock.monotonicMs()
    const openMs = this.#countOpen()
    return new Map(
      [...this.#heard].map(([box, { system, systemMs, systemOpenMs }]) => [
        box,
        { word: system, ageMs: nowMs - systemMs, silentMs: openMs - systemOpenMs },
      ]),
    )
  }

  /** To be called often. Who is silent while nobody can be heard has not been away for as long. */
  #countOpen(): number {
    const nowMs = this.#clock.monotonicMs()
    if (this.#seenOpenMs !== null) this.#openMs += nowMs - this.#seenOpenMs
    this.#seenOpenMs = this.#board.isOpen() ? nowMs : null
    return this.#openMs
  }

  /** One that has failed does so until it says otherwise, also when somebody has switched it off. */
  #fleetOfSystems(digest: string | null, awayMs: number): FleetView {
    const nowMs = this.#clock.monotonicMs()
    const isGone = ({ system, isAlive, atMs }: Heard): boolean =>
      isAlive && system?.stage === 'goes' && nowMs - atMs >= awayMs
    const all = [...this.#heard]
    const failed = all.filter(([, one]) => {
      if (digest === null || one.system === null) return false
      return one.system.refused.includes(digest) || (isGone(one) && one.system.digest === digest)
    })
    return {
      heard: all.filter(([, one]) => isPresent(one, nowMs) || isGone(one)).length,
      healthy: all.filter(([, one]) => isPresent(one, nowMs) && one.isWell).length,
      failed: failed.map(([box]) => box).sort(),
    }
  }

  /** At once when it is news, else once a second. */
  say(said: VenueWord): void {
    const obstacle = said.obstacle?.slice(0, 512) ?? null
    const { showMs, ...lasting } = said
    const os = this.#system
    const text = JSON.stringify({ ...lasting, obstacle, isWell: this.#isWell(), os })
    const nowMs = this.#clock.monotonicMs()
    this.#spokeMs = nowMs
    const systemText = JSON.stringify(os)
    if (systemText !== this.#systemText) this.#systemSinceMs = nowMs
    this.#systemText = systemText
    if (text === this.#said && nowMs - this.#saidMs < SAY_MS) return
    this.#said = text
    this.#saidMs = nowMs
    const full = { format: 1, sequence: this.#sequence++, showMs, ...JSON.parse(text) }
    this.#board.say(new TextEncoder().encode(JSON.stringify(full)))
  }

  #hear(box: string, bytes: Uint8Array | null): void {
    const read = bytes === null ? null : readWord(bytes)
    if (read === null || read.box !== box || box === this.#box) return
    const known = this.#heard.get(box)
    if (known === undefined && this.#heard.size >= BOXES_MAX) return
    const { sequence, isWell, digest, stage, at, obstacle, showMs } = read
    const said: VenueWord = { box, digest, stage, at, obstacle, showMs }
    if (known !== undefined && sequence === known.sequence) return
    const atMs = this.#clock.monotonicMs()
    const isAlive = known !== undefined
    const fresh = { system: readOsWord(read.os), systemMs: atMs, systemOpenMs: this.#countOpen() }
    // Right after its reboot it does not know yet whether that was a trial.
    const isPending = fresh.system === null && known?.system?.stage === 'goes'
    const { system, systemMs, systemOpenMs } = isPending ? known : fresh
    const lasting = { system, systemMs, systemOpenMs }
    this.#heard.set(box, { word: said, ...lasting, isWell, sequence, atMs, isAlive })
  }
}

const isPresent = ({ isAlive, atMs }: Heard, nowMs: number): boolean =>
  isAlive && nowMs - atMs < FORGET_MS

function readWord(bytes: Uint8Array): ReturnType<typeof word.parse> | null {
  try {
    return check(word, JSON.parse(new TextDecoder().decode(bytes)), 'word')
  } catch {
    // What another box says is not worth an error: it is as if it said nothing.
    return null
  }
}
