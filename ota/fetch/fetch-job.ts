/** One fetch under way: asks for pieces while any is missing, and looks after those who were asked. */
import { assert, BoxError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { PieceSource, SourceKind } from '../../runtime/ports/piece-source.js'
import type { Allowance } from './allowance.js'
import { type Choice, chooseNext, type Offer, UPLINK_IN_FLIGHT_MAX } from './choice.js'
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
  readonly standingOf: (source: PieceSource) => Standing
  readonly judge: (source: PieceSource, deed: Deed) => void
  readonly isWholeOnly: (source: PieceSource) => void
}

export interface FetchJobOptions extends FetchCall {
  readonly mayUseUplink: () => boolean
  readonly giveUpMs: number
}

const TICK_MS = 250
/** Who says that an object is not there is asked again twice in this time: a mirror may be a moment behind. */
const ABSENT_MS = 90_000
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
  #uplinkMax = UPLINK_IN_FLIGHT_MAX
  /** By the names of sources: who has said, and said nothing else since, that there is no such object. */
  readonly #absentAt = new Set<string>()
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
    const quietMs = clock.monotonicMs() - this.#lastGainMs
    const because = this.#lastTrouble === null ? {} : { cause: this.#lastTrouble }
    const { giveUpMs } = this.#options
    if (quietMs >= Math.min(giveUpMs, ABSENT_MS) && this.#isNowhere())
      throw new BoxError('fetch.absent', `${target}: nobody has it`, because)
    if (quietMs < giveUpMs) return
    const seconds = Math.round(giveUpMs / 1000)
    throw new BoxError(
      'fetch.unavailable',
      `${target}: nobody gave a piece for ${seconds} s`,
      because,
    )
  }

  /** All who should have it say that they have not. Whoever is out of reach has not said so. */
  #isNowhere(): boolean {
    const { sources, neighbours, shelved } = this.#ports
    if ((neighbours?.offers(shelved.list.object.sha256) ?? []).length > 0) return false
    const uplinks = sources().filter(({ kind }) => kind === 'uplink')
    const asked = uplinks.length > 0 ? uplinks : sources()
    return asked.length > 0 && asked.every(({ name }) => this.#absentAt.has(name))
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
          // By name: a source may be another object each time that it is offered.
          inFlight: running.filter(({ options }) => options.source.name === offer.source.name)
            .length,
        })),
        inFlight: running.length,
        uplinkInFlight: running.filter(({ options }) => options.source.kind === 'uplink').length,
        uplinkMax: this.#uplinkMax,
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
      const standing = standingOf(offer.source)
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
    this.#ports.isWholeOnly(source)
    for (const other of this.#running)
      if (other !== transfer && other.options.source.name === source.name && other.isWhole)
        return false
    return true
  }

  #judge(source: PieceSource, end: TransferEnd): void {
    const { error, isLie, isOurs } = end
    if (isLie) this.#dropAllOf(source)
    this.#lastTrouble = error ?? this.#lastTrouble
    if (error !== null && isOurs) {
      assert(isOfStorage(error), 'only the disk fails on our side')
      this.#failure = { error }
      return
    }
    if (error?.code === 'link.timeout' && source.kind === 'uplink') this.#uplinkMax = 1
    const deed = deedOf(end)
    if (deed === null) return
    if (deed === 'absent') this.#absentAt.add(source.name)
    else this.#absentAt.delete(source.name)
    this.#ports.judge(source, deed)
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

/** Null: nothing is to be held against it, nor for it. */
function deedOf({ error, isLie, isDropped, pieces }: TransferEnd): Deed | null {
  if (isLie) return 'lied'
  if (error?.code === 'fetch.absent') return 'absent'
  if (error?.code === 'fetch.busy') return 'busy'
  if (error !== null) return pieces > 0 ? 'broke' : 'failed'
  if (pieces > 0) return 'gave'
  // One who says that it has given all, and gave nothing, would be asked again at once.
  return isDropped ? null : 'failed'
}
