/** A venue of boxes that fetch the same object, in simulated time. */
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import {
  SimulatedVenueOfPieces,
  type VenueConditions,
} from '../../../drivers/simulated/piece-network.js'
import { SimulatedPieceDisk } from '../../../drivers/simulated/piece-store.js'
import type { FetchProgress } from '../../../ota/fetch/fetch-progress.js'
import type { FetchedObject } from '../../../ota/fetch/fetched-object.js'
import { Fetcher } from '../../../ota/fetch/fetcher.js'
import { Peers } from '../../../ota/fetch/peers.js'
import { Shelf } from '../../../ota/fetch/shelf.js'
import { randomFrom } from '../../../runtime/core/random.js'
import type { GivePiece } from '../../../runtime/ports/peer-link.js'
import type { TestObject } from './objects.js'

export interface SimulatedBox {
  readonly name: string
  readonly disk: SimulatedPieceDisk
  log: SimulatedLog
  peers: Peers
  shelf: Shelf
  mayUseUplink: boolean
  isLiar: boolean
  /** Null until it was asked to fetch. */
  outcome: Promise<FetchedObject> | null
  /** Of the last call. */
  fetched: FetchedObject | null
  failure: unknown
  progress: FetchProgress | null
  /** It was killed, or stopped. */
  isDead: boolean
}

export const fastVenue: VenueConditions = {
  uplinkBytesPerSecond: 1024 * 1024,
  lanBytesPerSecond: 10 * 1024 * 1024,
  lanMs: 2,
  loss: 0,
}

export class SimulatedFetchers {
  readonly clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  readonly venue: SimulatedVenueOfPieces
  readonly boxes: SimulatedBox[] = []
  readonly #random: () => number
  readonly #test: TestObject

  constructor(test: TestObject, seed: number, conditions = fastVenue) {
    this.#test = test
    this.#random = randomFrom(seed)
    this.venue = new SimulatedVenueOfPieces(this.clock, this.#random, conditions)
    this.venue.publish(test.object.sha256, test.bytes)
  }

  async add(name: string, options: { isLiar?: boolean } = {}): Promise<SimulatedBox> {
    const disk = new SimulatedPieceDisk(this.#random)
    const parts = this.#parts(name, disk, () => box)
    const box: SimulatedBox = {
      name,
      disk,
      ...parts,
      mayUseUplink: true,
      isLiar: options.isLiar ?? false,
      outcome: null,
      fetched: null,
      failure: null,
      progress: null,
      isDead: false,
    }
    this.boxes.push(box)
    await box.peers.start()
    return box
  }

  /** The power of a box goes. Its disk keeps what it had synced. */
  kill(box: SimulatedBox): void {
    box.isDead = true
    box.disk.cutPower()
    this.venue.kill(box.name)
  }

  /** And comes back. */
  async revive(box: SimulatedBox): Promise<void> {
    Object.assign(
      box,
      this.#parts(box.name, box.disk, () => box),
    )
    box.isDead = false
    await box.peers.start()
  }

  fetch(box: SimulatedBox, giveUpMs = 30 * 60_000): void {
    const fetcher = new Fetcher(
      {
        clock: this.clock,
        log: box.log,
        shelf: box.shelf,
        sources: () => [this.venue.hub(box.name)],
        neighbours: box.peers,
      },
      {
        seed: Math.floor(this.#random() * 2 ** 32),
        bytesPerSecond: () => null,
        mayUseUplink: () => box.mayUseUplink,
        giveUpMs,
      },
    )
    box.fetched = null
    box.failure = null
    const outcome = fetcher.fetch(this.#test.object, {
      progress: progress => {
        box.progress = progress
      },
      isCancelled: () => box.isDead,
    })
    box.outcome = outcome
    outcome.then(
      fetched => {
        box.fetched = fetched
      },
      (error: unknown) => {
        box.failure = error
      },
    )
  }

  /** Goes on until it is so, at most so long. */
  async until(isSo: () => boolean, secondsMax = 3_600): Promise<boolean> {
    for (let second = 0; second < secondsMax && !isSo(); second++) await this.clock.advance(1_000)
    return isSo()
  }

  async untilAllHaveIt(secondsMax = 3_600): Promise<boolean> {
    const honest = this.boxes.filter(({ isLiar, isDead }) => !isLiar && !isDead)
    return this.until(() => honest.every(({ fetched }) => fetched !== null), secondsMax)
  }

  get uplinkShare(): number {
    return this.venue.uplinkByteCount / this.#test.bytes.length
  }

  #parts(
    name: string,
    disk: SimulatedPieceDisk,
    boxOf: () => SimulatedBox,
  ): Pick<SimulatedBox, 'log' | 'peers' | 'shelf'> {
    const keys = new SimulatedKeys(randomFrom(Math.floor(this.#random() * 2 ** 32)))
    const shelf = new Shelf(disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }), keys)
    const log = new SimulatedLog()
    const link = this.venue.link(name)
    const peers = new Peers(
      {
        clock: this.clock,
        log,
        keys,
        board: this.venue.board(name),
        link: { ...link, serve: give => link.serve(lying(give, boxOf)) },
        shelf,
      },
      { box: name, mayUseUplink: () => boxOf().mayUseUplink, uploadBytesPerSecond: () => null },
    )
    return { log, peers, shelf }
  }
}

/** The last byte of what a liar gives is another one. */
const lying =
  (give: GivePiece, boxOf: () => SimulatedBox): GivePiece =>
  async (sha256, index) => {
    const bytes = await give(sha256, index)
    if (bytes === null || !boxOf().isLiar) return bytes
    const changed = Uint8Array.from(bytes)
    changed[bytes.length - 1] = (changed[bytes.length - 1] ?? 0) ^ 1
    return changed
  }
