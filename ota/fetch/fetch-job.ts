/** One fetch under way: asks for pieces while any is missing, and looks after those who were asked. */
import { assert, BoxError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { PieceSource, SourceKind } from '../../runtime/ports/piece-source.js'
import type { Allowance } from './allowance.js'
import { type Choice, chooseNext, type Offer } from './choice.js'
import { ByteShares, type FetchCall } from './fetch-progress.js'
import type { Neighbours } from './neighbours.js'
import type { ShelvedObject } from './shelf.js'
import { type Deed, isUsable, type Standing } from './standing.js'
import { isOfStorage, Transfer, type TransferEnd } from './transfer.js'

export interface FetchJobPorts {
  readonly clock: Clock
  readonly log: Log
  readonly shelved: ShelvedObject
  readonly sources: () => readonly PieceSource[]
  readonly neighbours: Neighbours | null
  readonly random: () => number
  readonly allowanceOf: (kind: SourceKind) => Allowance
  readonly standingOf: (name: string) => Standing
  readonly judge: (source: PieceSource, deed: Deed) => void
  readonly isWholeOnly: (name: string) => void
}

export interface FetchJobOptions extends FetchCall {
  readonly mayUseUplink: () => boolean
  readonly giveUpMs: number
}

const TICK_MS = 250
/** Each time the disk lost pieces between writing and the last look. */
const FINISHES_MAX = 3

export class FetchJob {
  readonly #ports: FetchJobPorts
  readonly #options: FetchJobOptions
  readonly #shares = new ByteShares()
  readonly #running = new Set<Transfer>()
  #lastGainMs = 0
  /** Ends the fetch: of the disk, or a defect. */
  #failure: { readonly error: unknown } | null = null
  #lastTrouble: BoxError | null = null
  #wake: () => void = () => {}
  #isAwake = false

  constructor(ports: FetchJobPorts, options: FetchJobOptions) {
    this.#ports = ports
    this.#options = options
  }

  async run(): Promise<void> {
    const { shelved, neighbours } = this.#ports
    const { sha256 } = shelved.list.object
    neighbours?.begin(sha256)
    const cancelNews = neighbours?.onNews(() => this.#wakeUp())
    try {
      for (let finishes = 0; ; finishes++) {
        await this.#gather()
        if (await this.#finished(finishes)) return
      }
    } finally {
      for (const transfer of this.#running) transfer.cancel()
      cancelNews?.()
      neighbours?.end(sha256)
    }
  }

  async #gather(): Promise<void> {
    this.#lastGainMs = this.#ports.clock.monotonicMs()
    this.#tell()
    while (!this.#ports.shelved.have.isFull) {
      this.#check()
      this.#dropWhatMayNot()
      this.#askAll()
      await this.#next()
    }
  }

  /** False: the disk did not keep all of it, and the pieces that it lost are known now. */
  async #finished(finishes: number): Promise<boolean> {
    try {
      await this.#ports.shelved.finish()
      return true
    } catch (error) {
      const isRotten = error instanceof BoxError && error.code === 'storage.rotten'
      if (!isRotten || finishes >= FINISHES_MAX) throw error
      this.#ports.log.warn('fetch.rotten', { target: this.#ports.shelved.list.object.target })
      return false
    }
  }

  #check(): void {
    const { shelved, clock } = this.#ports
    const { target } = shelved.list.object
    if (this.#failure !== null) throw this.#failure.error
    if (this.#options.isCancelled())
      throw new BoxError('fetch.cancelled', `${target}: was called off`)
    if (clock.monotonicMs() - this.#lastGainMs < this.#options.giveUpMs) return
    throw new BoxError(
      'fetch.unavailable',
      `${target}: nobody gave a piece for ${Math.round(this.#options.giveUpMs / 1000)} s`,
      this.#lastTrouble === null ? {} : { cause: this.#lastTrouble },
    )
  }

  #mayUseUplink(): boolean {
    const { neighbours, shelved } = this.#ports
    const isOurs = neighbours?.isOursToFetch(shelved.list.object.sha256) ?? true
    return isOurs && this.#options.mayUseUplink()
  }

  #dropWhatMayNot(): void {
    if (this.#mayUseUplink()) return
    for (const transfer of this.#running)
      if (transfer.options.source.kind === 'uplink') transfer.cancel()
  }

  #askAll(): void {
    const { shelved } = this.#ports
    const { have, list } = shelved
    const offers = this.#offers()
    // Each turn asks somebody, until nobody is left who may be asked.
    for (let turns = 0; turns <= list.count; turns++) {
      const running = [...this.#running]
      const choice = chooseNext({
        pieceCount: list.count,
        isWanted: index => !have.has(index) && !running.some(transfer => transfer.claims(index)),
        offers: offers.map(offer => ({
          ...offer,
          inFlight: running.filter(({ options }) => options.source === offer.source).length,
        })),
        inFlight: running.length,
        chance: this.#ports.random(),
      })
      if (choice === null) return
      this.#begin(choice)
    }
  }

  #offers(): Offer[] {
    const { clock, shelved, sources, neighbours, standingOf } = this.#ports
    const mayUseUplink = this.#mayUseUplink()
    const own = sources()
      .filter(({ kind }) => kind !== 'uplink' || mayUseUplink)
      .map(source => ({ source, has: () => true }))
    const offers = [...own, ...(neighbours?.offers(shelved.list.object.sha256) ?? [])]
    const nowMs = clock.monotonicMs()
    return offers.flatMap(offer => {
      const standing = standingOf(offer.source.name)
      if (!isUsable(standing, nowMs)) return []
      return [{ ...offer, inFlight: 0, isWholeOnly: standing.isWholeOnly }]
    })
  }

  #begin({ offer: { source }, first, count }: Choice): void {
    const { clock, shelved, allowanceOf, neighbours } = this.#ports
    const transfer: Transfer = new Transfer(
      {
        clock,
        shelved,
        allowance: allowanceOf(source.kind),
        onBytes: byteCount => this.#shares.came(source.kind, byteCount),
        onPiece: byteCount => {
          this.#shares.used(byteCount)
          this.#lastGainMs = clock.monotonicMs()
          neighbours?.gained(shelved.list.object.sha256)
          this.#tell()
        },
        onWhole: () => this.#onWhole(source, transfer),
      },
      { source, first, count },
    )
    this.#running.add(transfer)
    transfer
      .run()
      .then(end => this.#judge(source, end))
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#running.delete(transfer)
        this.#wakeUp()
      })
  }

  #onWhole(source: PieceSource, transfer: Transfer): boolean {
    this.#ports.isWholeOnly(source.name)
    for (const other of this.#running)
      if (other !== transfer && other.options.source === source && other.isWhole) return false
    return true
  }

  #judge(source: PieceSource, end: TransferEnd): void {
    const { error, isLie, isOurs, pieces } = end
    if (isLie) this.#dropAllOf(source)
    this.#lastTrouble = error ?? this.#lastTrouble
    if (error !== null && isOurs) {
      assert(isOfStorage(error), 'only the disk fails on our side')
      this.#failure = { error }
    } else if (error !== null) this.#ports.judge(source, deedOf(error, isLie))
    else if (pieces > 0) this.#ports.judge(source, 'gave')
    // One who says that it has given all, and gave nothing, would be asked again at once.
    else if (!end.isDropped) this.#ports.judge(source, 'failed')
  }

  #dropAllOf(source: PieceSource): void {
    for (const transfer of this.#running)
      if (transfer.options.source.name === source.name) transfer.cancel()
  }

  #wakeUp(): void {
    this.#isAwake = true
    this.#wake()
  }

  /** The end of a transfer, or a moment later: others may have more by then. */
  async #next(): Promise<void> {
    const { clock } = this.#ports
    await new Promise<void>(resolve => {
      if (this.#isAwake) return resolve()
      const cancel = clock.runAt(after(clock.monotonicMs(), TICK_MS), resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#isAwake = false
  }

  #tell(): void {
    const { shelved } = this.#ports
    this.#options.progress({
      byteCount: shelved.list.object.byteCount,
      haveByteCount: shelved.haveByteCount,
      ...this.#shares.read(),
    })
  }
}

function deedOf(error: BoxError, isLie: boolean): Deed {
  if (isLie) return 'lied'
  return error.code === 'fetch.absent' ? 'absent' : 'failed'
}
