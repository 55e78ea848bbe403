/**
 * A venue with boxes that fetch: a hub behind an uplink, a LAN between the boxes, a broker for their words. As slow, lossy
 * and parted as a test says, the same for the same seed.
 */
import { BoxError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { GivePiece, PeerBoard, PeerLink } from '../../runtime/ports/peer-link.js'
import type { PieceAsk, PieceSource, TakeBytes } from '../../runtime/ports/piece-source.js'

export interface VenueConditions {
  /** Of the whole venue, shared by who uses it at a moment. */
  readonly uplinkBytesPerSecond: number
  readonly lanBytesPerSecond: number
  readonly lanMs: number
  /** Of words, of which the broker loses some, and of chunks, which then end their connection. */
  readonly loss: number
}

const CHUNK_BYTES = 64 * 1024
const WAY_MS = 40

export class SimulatedVenueOfPieces {
  conditions: VenueConditions
  isBrokerUp = true
  isUplinkUp = true
  uplinkByteCount = 0
  lanByteCount = 0
  readonly #clock: Clock
  readonly #random: () => number
  readonly #objects = new Map<string, Uint8Array>()
  readonly #servers = new Map<string, GivePiece>()
  readonly #boards = new Map<string, SimulatedPeerBoard>()
  readonly #retained = new Map<string, Uint8Array>()
  /** Who is alone with his kind: of another island nobody hears or gets anything, the broker is on island 0. */
  readonly #islands = new Map<string, number>()
  readonly #hanging = new Set<string>()
  readonly #unaddressed = new Set<string>()
  /** Of the uplink: when it will have carried what it was given. */
  #busyUntilMs = 0

  constructor(clock: Clock, random: () => number, conditions: VenueConditions) {
    this.#clock = clock
    this.#random = random
    this.conditions = conditions
  }

  /** @param sha256 of the object that the hub has now */
  publish(sha256: string, bytes: Uint8Array): void {
    this.#objects.set(sha256, bytes)
  }

  setIsland(box: string, island: number): void {
    this.#islands.set(box, island)
    this.refresh()
  }

  setBroker(isUp: boolean): void {
    this.isBrokerUp = isUp
    this.refresh()
  }

  /** Everybody finds out whether the broker can be reached. */
  refresh(): void {
    for (const board of this.#boards.values()) board.setOpen(this.#reachesBroker(board.box))
  }

  /** The hub answers this box no more, without a word. */
  hangUplinkOf(box: string): void {
    this.#hanging.add(box)
  }

  /** Its interfaces have no address yet, so no other box is beside it; it reaches the broker all the same, which is its own. */
  setAddressed(box: string, has: boolean): void {
    if (has) this.#unaddressed.delete(box)
    else this.#unaddressed.add(box)
  }

  /** The power of a box goes: nothing of it answers, and its will is done. */
  kill(box: string): void {
    this.#servers.delete(box)
    this.#boards.delete(box)
    this.tell(box, null)
  }

  hub(box: string, name = 'hub'): PieceSource {
    return {
      name,
      kind: 'uplink',
      ask: (ask, take) => this.#stream(take, ask.from, () => this.#hubBytes(box, ask)),
    }
  }

  board(box: string): PeerBoard {
    const board = new SimulatedPeerBoard(this, box)
    this.#boards.set(box, board)
    return board
  }

  link(box: string): PeerLink {
    return {
      serve: async give => {
        this.#servers.set(box, give)
      },
      addresses: () => (this.#unaddressed.has(box) ? [] : [`http://10.0.0.1:8000`]),
      close: async () => {
        this.#servers.delete(box)
      },
      sourceAt: (other, addresses) =>
        addresses.length === 0 || this.#unaddressed.has(box)
          ? null
          : {
              name: other,
              kind: 'peer',
              ask: (ask, take) =>
                this.#stream(take, ask.from, () => this.#peerBytes(box, other, ask)),
            },
    }
  }

  openBoard(board: SimulatedPeerBoard): void {
    if (this.#boards.get(board.box) !== board) return
    board.setOpen(this.#reachesBroker(board.box))
  }

  /** What the broker keeps, to one who has just come. */
  tellAll(board: SimulatedPeerBoard): void {
    for (const [box, word] of this.#retained) if (box !== board.box) board.hear(box, word)
  }

  tell(from: string, word: Uint8Array | null): void {
    if (word !== null && this.#random() < this.conditions.loss) return
    if (word === null) this.#retained.delete(from)
    else this.#retained.set(from, word)
    this.#later(this.conditions.lanMs, () => {
      for (const board of this.#boards.values()) if (board.box !== from) board.hear(from, word)
    })
  }

  #reachesBroker(box: string): boolean {
    return this.isBrokerUp && this.#islandOf(box) === 0
  }

  #islandOf(box: string): number {
    return this.#islands.get(box) ?? 0
  }

  async *#hubBytes(box: string, ask: PieceAsk): AsyncGenerator<Uint8Array> {
    await this.#wait(WAY_MS)
    for (let at = ask.from; at < ask.to; at += CHUNK_BYTES) {
      const bytes = this.#objects.get(ask.sha256)
      if (!bytes) throw new BoxError('fetch.absent', 'the hub has not got it')
      if (!this.isUplinkUp || this.#islandOf(box) < 0)
        throw new BoxError('link.down', 'the uplink is down')
      if (this.#hanging.has(box)) await new Promise(() => {})
      const chunk = bytes.slice(at, Math.min(at + CHUNK_BYTES, ask.to))
      const nowMs = this.#clock.monotonicMs()
      const takesMs = (chunk.length * 1000) / this.conditions.uplinkBytesPerSecond
      this.#busyUntilMs = Math.max(nowMs, this.#busyUntilMs) + takesMs
      await this.#wait(this.#busyUntilMs - nowMs)
      this.#lose()
      this.uplinkByteCount += chunk.length
      yield chunk
    }
  }

  async *#peerBytes(from: string, to: string, ask: PieceAsk): AsyncGenerator<Uint8Array> {
    for (let at = ask.from; at < ask.to; at += ask.pieceByteCount) {
      await this.#wait(this.conditions.lanMs)
      const give = this.#servers.get(to)
      if (!give || this.#islandOf(from) !== this.#islandOf(to))
        throw new BoxError('link.down', `${to} cannot be reached`)
      const bytes = await give(ask.sha256, at / ask.pieceByteCount)
      if (!bytes) throw new BoxError('fetch.absent', `${to} has not got it`)
      await this.#wait((bytes.length * 1000) / this.conditions.lanBytesPerSecond)
      this.#lose()
      this.lanByteCount += bytes.length
      yield bytes
    }
  }

  #lose(): void {
    if (this.#random() < this.conditions.loss) throw new BoxError('link.down', 'a reset')
  }

  #stream(
    take: TakeBytes,
    from: number,
    begin: () => AsyncGenerator<Uint8Array>,
  ): ReturnType<PieceSource['ask']> {
    const state = { isCancelled: false }
    const carry = async (): Promise<void> => {
      let at = from
      for await (const bytes of begin()) {
        if (state.isCancelled || !(await take(at, bytes))) return
        at += bytes.length
      }
    }
    return {
      done: carry(),
      cancel: () => {
        state.isCancelled = true
      },
    }
  }

  #wait(durationMs: number): Promise<void> {
    return new Promise(resolve => this.#later(durationMs, resolve))
  }

  #later(durationMs: number, task: () => void): void {
    this.#clock.runAt(after(this.#clock.monotonicMs(), durationMs), task)
  }
}

class SimulatedPeerBoard implements PeerBoard {
  readonly box: string
  readonly #venue: SimulatedVenueOfPieces
  readonly #words = new Signal<{ readonly box: string; readonly word: Uint8Array | null }>()
  readonly #changes = new Signal<boolean>()
  #isOpen = false

  constructor(venue: SimulatedVenueOfPieces, box: string) {
    this.#venue = venue
    this.box = box
  }

  async start(): Promise<void> {
    this.#venue.openBoard(this)
  }

  async stop(): Promise<void> {
    this.#venue.tell(this.box, null)
    this.setOpen(false)
  }

  isOpen(): boolean {
    return this.#isOpen
  }

  say(word: Uint8Array): void {
    if (this.#isOpen) this.#venue.tell(this.box, Uint8Array.from(word))
  }

  onWord(listener: (box: string, word: Uint8Array | null) => void): Cancel {
    return this.#words.listen(({ box, word }) => listener(box, word))
  }

  onChange(listener: (isOpen: boolean) => void): Cancel {
    return this.#changes.listen(listener)
  }

  setOpen(isOpen: boolean): void {
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    this.#changes.emit(isOpen)
    if (isOpen) this.#venue.tellAll(this)
    // Its will.
    else this.#venue.tell(this.box, null)
  }

  hear(box: string, word: Uint8Array | null): void {
    if (this.#isOpen) this.#words.emit({ box, word })
  }
}
