/** One run of pieces from one source, with its time limits: what comes is hashed and put on the shelf, piece by piece. */
import { BoxError, type ErrorCode } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'
import type { Allowance } from './allowance.js'
import { PieceAssembly, type WholePiece } from './piece-assembly.js'
import type { ShelvedObject } from './shelf.js'

export interface TransferPorts {
  readonly clock: Clock
  readonly shelved: ShelvedObject
  /** What passes over the uplink, or from others, a second. */
  readonly allowance: Allowance
  /** Bytes that came, and the pieces of them that are on the shelf now. */
  readonly onBytes: (byteCount: number) => void
  readonly onPiece: (byteCount: number) => void
  /** The source brings the whole object. False: another transfer of it does already. */
  readonly onWhole: () => boolean
}

export interface TransferOptions {
  readonly source: PieceSource
  readonly first: number
  readonly count: number
}

/** Nobody waits longer for the next byte. */
export const IDLE_MS = 15_000
/** Nor for a whole piece: 4.4 kB a second is the least that an uplink may do. The wait for our own limits is not counted. */
export const PIECE_MS = 60_000

/** `null`: nothing went wrong. */
export interface TransferEnd {
  readonly pieces: number
  readonly isLie: boolean
  /** We did not want more of it. */
  readonly isDropped: boolean
  readonly error: BoxError | null
  /** The disk's, not the source's. */
  readonly isOurs: boolean
}

const STORAGE: readonly ErrorCode[] = ['storage.full', 'storage.io', 'storage.limit']

export class Transfer {
  readonly options: TransferOptions
  readonly #ports: TransferPorts
  readonly #assembly: PieceAssembly
  #pieces = 0
  #isLie = false
  #isDropped = false
  #isWhole = false
  #isOver = false
  /** Of the disk, or of a defect. */
  #ownFailure: unknown = null
  #spentMs = 0
  #quietSinceMs = 0
  #end: (error: unknown) => void = () => {}
  #cancelWatch: Cancel = () => {}
  #cancelSource: Cancel = () => {}

  constructor(ports: TransferPorts, options: TransferOptions) {
    this.#ports = ports
    this.options = options
    this.#assembly = new PieceAssembly(ports.shelved.list)
  }

  claims(index: number): boolean {
    const { first, count } = this.options
    return index >= first && index < first + count
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  /** @throws whatever is not a BoxError: a defect */
  async run(): Promise<TransferEnd> {
    const failure = await new Promise<unknown>(resolve => {
      this.#end = resolve
      this.#watch()
      const transfer = this.options.source.ask(this.#ask(), (at, bytes) => this.#take(at, bytes))
      this.#cancelSource = () => transfer.cancel()
      transfer.done.then(
        () => resolve(null),
        error => resolve(error),
      )
    })
    this.#isOver = true
    this.#cancelWatch()
    if (failure !== null) this.#cancelSource()
    const own = this.#ownFailure
    const error = own ?? failure
    if (error !== null && !(error instanceof BoxError)) throw error
    return {
      pieces: this.#pieces,
      isLie: this.#isLie,
      isDropped: this.#isDropped,
      error,
      isOurs: own !== null,
    }
  }

  /** No blame: what it brought so far stays. */
  cancel(): void {
    this.#isOver = true
    this.#isDropped = true
    this.#cancelSource()
    this.#end(null)
  }

  #ask(): Parameters<PieceSource['ask']>[0] {
    const { list } = this.#ports.shelved
    const { target, sha256, byteCount, pieceByteCount } = list.object
    const { first, count } = this.options
    const to = Math.min(byteCount, list.startOf(first + count))
    return { target, sha256, byteCount, pieceByteCount, from: list.startOf(first), to }
  }

  async #take(at: number, bytes: Uint8Array): Promise<boolean> {
    if (this.#isOver) return false
    this.#cancelWatch()
    this.#spentMs += this.#ports.clock.monotonicMs() - this.#quietSinceMs
    this.#ports.onBytes(bytes.length)
    try {
      await this.#ports.allowance.take(bytes.length)
      const isMore = this.#isOver ? false : await this.#keep(at, bytes)
      this.#watch()
      return isMore
    } catch (error) {
      this.#ownFailure = error
      this.#end(error)
      return false
    }
  }

  async #keep(at: number, bytes: Uint8Array): Promise<boolean> {
    if (!this.#isExpected(at)) return false
    for (const piece of this.#assembly.take(at, bytes)) if (!(await this.#put(piece))) return false
    return this.#isMoreWanted(at + bytes.length)
  }

  #isExpected(at: number): boolean {
    const { from, to } = this.#ask()
    if (this.#isWhole || (at >= from && at < to)) return true
    this.#isWhole = this.#ports.onWhole()
    this.#isDropped = !this.#isWhole
    return this.#isWhole
  }

  async #put({ index, bytes }: WholePiece): Promise<boolean> {
    const { shelved, onPiece } = this.#ports
    this.#spentMs = 0
    if (shelved.have.has(index)) return true
    this.#isLie = !(await shelved.put(index, bytes))
    if (this.#isLie) {
      this.#end(
        new BoxError('fetch.refused', `${this.options.source.name}: piece ${index} is wrong`),
      )
      return false
    }
    this.#pieces++
    onPiece(bytes.length)
    return true
  }

  #isMoreWanted(at: number): boolean {
    const { have, list } = this.#ports.shelved
    for (let index = Math.floor(at / list.object.pieceByteCount); index < list.count; index++)
      if (!have.has(index)) return true
    return false
  }

  #watch(): void {
    const { clock } = this.#ports
    const { name } = this.options.source
    if (this.#isOver) return
    this.#quietSinceMs = clock.monotonicMs()
    const leftMs = Math.max(0, PIECE_MS - this.#spentMs)
    this.#cancelWatch = clock.runAt(after(clock.monotonicMs(), Math.min(IDLE_MS, leftMs)), () => {
      this.#isOver = true
      this.#end(new BoxError('link.timeout', `${name} brings nothing, or too little`))
    })
  }
}

/** Nothing that another source would mend. */
export const isOfStorage = (error: BoxError): boolean => STORAGE.includes(error.code)
