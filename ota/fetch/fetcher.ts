/** Fetches an object in pieces, from whoever has them, and goes on where any interruption left it. */

import { randomFrom } from '../../runtime/core/random.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'
import { Allowance } from './allowance.js'
import { FetchJob } from './fetch-job.js'
import type { FetchCall } from './fetch-progress.js'
import { type FetchedObject, VerifiedReading } from './fetched-object.js'
import type { Neighbours } from './neighbours.js'
import type { TransferObject } from './piece-list.js'
import type { Shelf } from './shelf.js'
import { type Deed, deafMs, judged, newStanding, type Standing } from './standing.js'

export interface FetcherPorts {
  readonly clock: Clock
  readonly log: Log
  readonly shelf: Shelf
  /** The hub, mirrors, a stick: asked each time a fetch looks for somebody, so that a stick may come and go. */
  readonly sources: () => readonly PieceSource[]
  /** Null: a box alone. */
  readonly neighbours: Neighbours | null
}

export interface FetcherOptions {
  /** Of the pauses and the order of pieces. */
  readonly seed: number
  /** Over the uplink; null is no limit. */
  readonly bytesPerSecond: () => number | null
  /** False on a metered link, a low battery, or whatever else the caller knows. */
  readonly mayUseUplink: () => boolean
  /** After so long without a piece a fetch fails; what it has stays. */
  readonly giveUpMs: number
}

export class Fetcher {
  readonly #ports: FetcherPorts
  readonly #options: FetcherOptions
  readonly #random: () => number
  readonly #uplink: Allowance
  readonly #free: Allowance
  readonly #standings = new Map<string, Standing>()

  constructor(ports: FetcherPorts, options: FetcherOptions) {
    this.#ports = ports
    this.#options = options
    this.#random = randomFrom(options.seed)
    this.#uplink = new Allowance(ports.clock, options.bytesPerSecond)
    this.#free = new Allowance(ports.clock, () => null)
  }

  /**
   * Resolves when every piece is there, proven, and stays over a power cut. Whatever it throws, what has come stays, and
   * the next call goes on from there.
   * @throws BoxError `fetch.unavailable` when nobody has given a piece for long, `fetch.absent` when all who can be reached
   * say that they have not got it, `fetch.cancelled`, `fetch.invalid`, `storage.full`, `storage.io`
   */
  async fetch(object: TransferObject, call: FetchCall): Promise<FetchedObject> {
    const shelved = await this.#ports.shelf.open(object)
    const { clock, log, sources, neighbours } = this.#ports
    const job = new FetchJob(
      {
        clock,
        log,
        shelved,
        sources,
        neighbours,
        random: this.#random,
        allowanceOf: kind => (kind === 'uplink' ? this.#uplink : this.#free),
        standingOf: source => this.#standingOf(object, source),
        judge: (source, deed) => this.#judge(object, source, deed),
        isWholeOnly: source =>
          this.#remember(keyOf(object, source), {
            ...this.#standingOf(object, source),
            isWholeOnly: true,
          }),
      },
      { mayUseUplink: this.#options.mayUseUplink, giveUpMs: this.#options.giveUpMs, ...call },
    )
    await job.run()
    return new VerifiedReading(shelved)
  }

  #standingOf(object: TransferObject, source: PieceSource): Standing {
    return this.#standings.get(keyOf(object, source)) ?? newStanding
  }

  #judge(object: TransferObject, source: PieceSource, deed: Deed): void {
    const { clock, log, neighbours } = this.#ports
    const standing = judged(this.#standingOf(object, source), deed, {
      kind: source.kind,
      nowMs: clock.monotonicMs(),
      chance: this.#random(),
    })
    this.#remember(keyOf(object, source), standing)
    if (deed === 'lied') log.warn('fetch.lie', { source: source.name, lies: standing.lies })
    if (source.kind === 'peer' && deed !== 'gave') neighbours?.avoid(source.name, deafMs(standing))
  }

  #remember(key: string, standing: Standing): void {
    this.#standings.delete(key)
    this.#standings.set(key, standing)
    for (const oldest of this.#standings.keys()) {
      if (this.#standings.size <= STANDINGS_MAX) break
      this.#standings.delete(oldest)
    }
  }
}

/** A mirror with a rotten copy of one object may have a sound one of the next. A box that lies does so on purpose. */
const keyOf = ({ sha256 }: TransferObject, { kind, name }: PieceSource): string =>
  kind === 'peer' ? name : `${sha256} ${name}`

/** A venue has tens of boxes. */
const STANDINGS_MAX = 256
