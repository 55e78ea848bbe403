/** One box that fetches from sources as a test makes them, in simulated time. */
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedVenueOfPieces } from '../../../drivers/simulated/piece-network.js'
import { SimulatedPieceDisk } from '../../../drivers/simulated/piece-store.js'
import type { FetchProgress } from '../../../ota/fetch/fetch-progress.js'
import type { FetchedObject } from '../../../ota/fetch/fetched-object.js'
import { Fetcher, type FetcherOptions } from '../../../ota/fetch/fetcher.js'
import { Shelf } from '../../../ota/fetch/shelf.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
import type { PieceSource } from '../../../runtime/ports/piece-source.js'
import type { TestObject } from './objects.js'
import { fastVenue } from './simulated-venue.js'

export interface Outcome {
  readonly fetched: FetchedObject | null
  readonly error: unknown
  readonly progress: FetchProgress | null
}

export class Setting {
  readonly clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  readonly log = new SimulatedLog()
  readonly disk: SimulatedPieceDisk
  readonly venue: SimulatedVenueOfPieces
  readonly of: TestObject
  sources: readonly PieceSource[]
  /** Whether what one fetch learns of sources is known to the next. */
  isOneFetcher = false
  /** For sources that are other objects each time. */
  remake: (() => readonly PieceSource[]) | null = null
  readonly #fetchers = new Map<Shelf, Fetcher>()
  options: FetcherOptions = {
    seed: 1,
    bytesPerSecond: () => null,
    mayUseUplink: () => true,
    giveUpMs: 60_000,
  }

  constructor(of: TestObject, seed = 1) {
    const random = randomFrom(seed)
    this.of = of
    this.disk = new SimulatedPieceDisk(random)
    this.venue = new SimulatedVenueOfPieces(this.clock, random, fastVenue)
    this.venue.publish(of.object.sha256, of.bytes)
    this.sources = [this.venue.hub('box')]
  }

  shelf(callsUntilPowerCut = Number.POSITIVE_INFINITY): Shelf {
    return new Shelf(this.disk.boot({ callsUntilPowerCut }), new SimulatedKeys(randomFrom(1)))
  }

  /** Null when it has not ended in so long. */
  async fetch(
    shelf: Shelf,
    secondsMax = 600,
    isCancelled: () => boolean = () => false,
    of: TestObject = this.of,
  ): Promise<Outcome | null> {
    const { clock, log } = this
    const sources = (): readonly PieceSource[] => this.remake?.() ?? this.sources
    let progress: FetchProgress | null = null
    const told = (last: FetchProgress): void => {
      progress = last
    }
    const call = { progress: told, isCancelled }
    const outcome: { ended: Outcome | null } = { ended: null }
    const ports = { clock, log, shelf, sources, neighbours: null }
    const fetcher = this.#fetchers.get(shelf) ?? new Fetcher(ports, this.options)
    if (this.isOneFetcher) this.#fetchers.set(shelf, fetcher)
    fetcher.fetch(of.object, call).then(
      fetched => {
        outcome.ended = { fetched, error: null, progress }
      },
      (error: unknown) => {
        outcome.ended = { fetched: null, error, progress }
      },
    )
    for (let second = 0; second < secondsMax && outcome.ended === null; second++)
      await clock.advance(1_000)
    return outcome.ended
  }
}

export async function isRight(
  fetched: FetchedObject | null | undefined,
  of: TestObject,
): Promise<boolean> {
  const bytes = new Uint8Array(of.bytes.length + 1)
  const byteCount = (await fetched?.read(0, bytes)) ?? 0
  return Buffer.compare(bytes.subarray(0, byteCount), of.bytes) === 0
}

export const codeOf = (outcome: Outcome | null): string | null =>
  outcome?.error instanceof BoxError ? outcome.error.code : null

/** A source that brings what a function says of each byte of the object, in one go. */
export const sourceOf = (
  name: string,
  kind: PieceSource['kind'],
  give: (at: number, to: number) => { at: number; bytes: Uint8Array },
): PieceSource & { asked: number; byteCount: number } => {
  const source = {
    name,
    kind,
    asked: 0,
    byteCount: 0,
    ask: ({ from, to }: { from: number; to: number }, take: Parameters<PieceSource['ask']>[1]) => {
      source.asked++
      const given = give(from, to)
      source.byteCount += given.bytes.length
      const carry = async (): Promise<void> => {
        for (let at = 0; at < given.bytes.length; at += 50_000)
          if (!(await take(given.at + at, given.bytes.slice(at, at + 50_000)))) return
      }
      return { done: carry(), cancel: () => {} }
    },
  }
  return source
}
