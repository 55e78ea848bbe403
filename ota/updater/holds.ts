/**
 * Holds: "not now", said by a person or a program, with a name, a reason and an end. Every hold ends by itself; a
 * forgotten one keeps no box from its updates for ever.
 */
import { BoxError } from '../../runtime/core/errors.js'
import { HOLD_MINUTES_MAX } from '../../runtime/core/ota-control.js'
import {
  check,
  integer,
  list,
  literal,
  nullable,
  number,
  type Of,
  object,
  string,
  withDefault,
} from '../../runtime/core/schema.js'
import { after } from '../../runtime/core/time.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { Files } from '../../runtime/ports/files.js'

const FILE = 'holds.json'
export const HOLDS_MAX = 32
const MS_PER_MINUTE = 60_000
/** So much may be counted twice after a power cut. */
const WRITE_EVERY_MS = 5 * MS_PER_MINUTE

const hold = object({
  /** Unique on this box: `h1`, `h2`. */
  id: string({ min: 2, max: 16 }),
  owner: string({ min: 1, max: 64 }),
  reason: string({ min: 1, max: 256 }),
  /** Null: the date was not known, so running time alone counts. */
  madeWallMs: nullable(number({ min: -8.64e15, max: 8.64e15 })),
  minutes: integer({ min: 1, max: HOLD_MINUTES_MAX }),
  /** Of running time, when this was written; null in what an older release wrote: all of it. */
  leftMs: withDefault(nullable(number({ min: 0, max: HOLD_MINUTES_MAX * 60_000 })), null),
})
const holdsFile = object({
  format: literal(1),
  next: integer({ min: 1, max: 1e9 }),
  holds: list(hold, { max: HOLDS_MAX }),
})

export type Hold = Readonly<Of<typeof hold>>

export interface CurrentHold extends Hold {
  /** Until it ends, rounded up. */
  readonly leftMinutes: number
}

export interface HoldWanted {
  readonly owner: string
  readonly reason: string
  readonly minutes: number
}

export class Holds {
  readonly #clock: Clock
  readonly #files: Files
  #next = 1
  #writtenMs = 0
  #retryMs = 0
  /** With the moment on which this process has known of it for as long as it lasts. */
  #holds: readonly { readonly hold: Hold; readonly untilMs: MonotonicMs }[] = []

  constructor(clock: Clock, files: Files) {
    this.#clock = clock
    this.#files = files
  }

  /** @throws BoxError `storage.rotten` when the file is none of ours; no hold is known then */
  async load(): Promise<void> {
    const bytes = await this.#files.read(FILE)
    if (bytes === null) return
    const { next, holds } = readHolds(bytes)
    this.#next = next
    this.#holds = holds.map(one => ({ hold: one, untilMs: this.#endOf(one) }))
    this.#writtenMs = this.#clock.monotonicMs()
  }

  /**
   * To be called again and again: what has ended is forgotten, what has run is remembered, and a hold that was made before
   * the box knew the date ends by it from now on. A card that takes nothing is tried again a minute later.
   * @throws BoxError `storage.full`, `storage.io`
   */
  async keep(isUtcKnown: boolean): Promise<void> {
    if (this.#clock.monotonicMs() < this.#retryMs) return
    const kept = this.#kept()
    const isEnded = kept.length < this.#holds.length
    const isDated = isUtcKnown && kept.some(({ madeWallMs }) => madeWallMs === null)
    const isDue = this.#clock.monotonicMs() - this.#writtenMs >= WRITE_EVERY_MS
    if (!isEnded && !isDated && !(isDue && kept.length > 0)) return
    this.#retryMs = this.#clock.monotonicMs() + MS_PER_MINUTE
    await this.#replace(isDated ? kept.map(one => this.#dated(one)) : kept, this.#next)
    this.#retryMs = 0
  }

  #dated(one: Hold): Hold {
    if (one.madeWallMs !== null) return one
    const ranMs = one.minutes * MS_PER_MINUTE - this.#leftMs(one)
    return { ...one, madeWallMs: this.#clock.wallTimeMs() - ranMs }
  }

  /** Of running time. */
  #leftMs({ id, minutes }: Hold): number {
    const untilMs = this.#holds.find(({ hold: one }) => one.id === id)?.untilMs
    const wholeMs = minutes * MS_PER_MINUTE
    if (untilMs === undefined) return wholeMs
    return Math.max(0, Math.min(wholeMs, untilMs - this.#clock.monotonicMs()))
  }

  /**
   * Those that have not ended. A hold ends by the date, or when the box has run for as long as it lasts: where the date
   * is not known, it lasts a little longer, and never for ever.
   */
  current(): readonly CurrentHold[] {
    const [nowMs, wallMs] = [this.#clock.monotonicMs(), this.#clock.wallTimeMs()]
    return this.#holds
      .map(({ hold: one, untilMs }) => ({
        one,
        leftMs: Math.min(untilMs - nowMs, endMs(one) - wallMs),
      }))
      .filter(({ leftMs }) => leftMs > 0)
      .map(({ one, leftMs }) => ({ ...one, leftMinutes: Math.ceil(leftMs / MS_PER_MINUTE) }))
  }

  /** On disk when it resolves. @throws BoxError `ota.refused` when there are too many */
  async add(wanted: HoldWanted, isUtcKnown: boolean): Promise<Hold> {
    const current = this.#kept()
    if (current.length >= HOLDS_MAX)
      throw new BoxError('ota.refused', `there are ${HOLDS_MAX} holds: release some first`)
    const made = check(
      hold,
      { ...wanted, id: `h${this.#next}`, madeWallMs: isUtcKnown ? this.#clock.wallTimeMs() : null },
      'hold',
    )
    await this.#replace([...current, made], this.#next + 1)
    return made
  }

  /** @returns the hold that was ended; null when there is none of that name */
  async release(id: string): Promise<Hold | null> {
    const current = this.#kept()
    const ended = current.find(one => one.id === id) ?? null
    if (ended !== null)
      await this.#replace(
        current.filter(one => one.id !== id),
        this.#next,
      )
    return ended
  }

  #kept(): readonly Hold[] {
    const ids = new Set(this.current().map(({ id }) => id))
    return this.#holds.map(({ hold: one }) => one).filter(({ id }) => ids.has(id))
  }

  async #replace(holds: readonly Hold[], next: number): Promise<void> {
    const written = holds.map(one => ({ ...one, leftMs: Math.round(this.#leftMs(one)) }))
    const text = JSON.stringify({ format: 1, next, holds: written })
    await this.#files.replace(FILE, new TextEncoder().encode(text))
    this.#next = next
    this.#writtenMs = this.#clock.monotonicMs()
    const known = new Map(this.#holds.map(({ hold: one, untilMs }) => [one.id, untilMs]))
    this.#holds = holds.map(one => ({ hold: one, untilMs: known.get(one.id) ?? this.#endOf(one) }))
  }

  #endOf({ minutes, leftMs }: Hold): MonotonicMs {
    return after(this.#clock.monotonicMs(), leftMs ?? minutes * MS_PER_MINUTE)
  }
}

const endMs = ({ madeWallMs, minutes }: Hold): number =>
  madeWallMs === null ? Number.POSITIVE_INFINITY : madeWallMs + minutes * MS_PER_MINUTE

function readHolds(bytes: Uint8Array): Of<typeof holdsFile> {
  try {
    return check(holdsFile, JSON.parse(new TextDecoder().decode(bytes)), 'holds')
  } catch (cause) {
    throw new BoxError('storage.rotten', `${FILE} cannot be read`, { cause })
  }
}
