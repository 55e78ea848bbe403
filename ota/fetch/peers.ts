/**
 * The boxes of a venue help each other: each tells what it has, gives pieces of it, and one fetches for all. Without the
 * others, or without a way to hear them, a box fetches by itself.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Service } from '../../runtime/core/lifecycle.js'
import { repeat } from '../../runtime/core/repeat.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { Log } from '../../runtime/ports/log.js'
import type { PeerBoard, PeerLink } from '../../runtime/ports/peer-link.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'
import { Allowance } from './allowance.js'
import { type ElectionState, elect, newElection } from './election.js'
import { LEASE_MS, Neighbourhood } from './neighbourhood.js'
import type { Neighbours, PeerOffer } from './neighbours.js'
import { type PeerWord, WORD_OBJECTS_MAX, wordBytes } from './peer-word.js'
import type { Shelf, ShelvedObject } from './shelf.js'

export interface PeersPorts {
  readonly clock: Clock
  readonly log: Log
  readonly keys: Keys
  readonly board: PeerBoard
  readonly link: PeerLink
  readonly shelf: Shelf
}

export interface PeersOptions {
  readonly box: string
  readonly mayUseUplink: () => boolean
  /** What is given to others; null is no limit. */
  readonly uploadBytesPerSecond: () => number | null
}

/** What is known of an object while this box wants it. */
interface Wish {
  election: ElectionState
  readonly sinceMs: number
  gainedMs: number
}

const TICK_MS = 500
const SAY_MS = 5_000
/** Between two words: what the others do not know yet is fetched again if this box dies. */
const SAY_MS_MIN = 200
/** A board that has never opened is not waited for longer. */
const FIRST_OPEN_MS = 5_000
/** Then a box that has lost the others fetches by itself, at the latest after twice as long: not all at one moment. */
const ALONE_MS = 60_000
const SOURCES_MAX = 64
/** As a word has room for. */
const ADDRESSES_MAX = 4

export class Peers implements Service, Neighbours {
  readonly name = 'peers'
  readonly #ports: PeersPorts
  readonly #options: PeersOptions
  readonly #neighbourhood = new Neighbourhood()
  readonly #upload: Allowance
  readonly #wishes = new Map<string, Wish>()
  readonly #sources = new Map<string, PieceSource>()
  #sequence = 0
  #saidMs = Number.NEGATIVE_INFINITY
  #hasNews = true
  #cancelSay: Cancel | null = null
  readonly #heard = new Signal<void>()
  #wasOpen = false
  #closedSinceMs = 0
  #cancels: Cancel[] = []
  #givenByteCount = 0
  /** As last told; no network at all is told, too. */
  #hasAddress = true

  constructor(ports: PeersPorts, options: PeersOptions) {
    this.#ports = ports
    this.#options = options
    this.#upload = new Allowance(ports.clock, options.uploadBytesPerSecond)
  }

  /** Bytes given to other boxes since the start. */
  get givenByteCount(): number {
    return this.#givenByteCount
  }

  async start(): Promise<void> {
    const { clock, board, keys } = this.#ports
    this.#closedSinceMs = clock.monotonicMs()
    // Not that of a word which a broker has kept of this box: that would count as heard already.
    const [a = 0, b = 0, c = 0, d = 0] = keys.randomBytes(4)
    this.#sequence = (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) * 2 ** 16
    await this.#serve()
    this.#cancels = [
      board.onWord((box, word) => {
        this.#neighbourhood.hear(box, word, clock.monotonicMs())
        this.#heard.emit()
      }),
      board.onChange(isOpen => this.#onBoard(isOpen)),
      repeat(clock, TICK_MS, async () => this.#tick()),
    ]
    await board.start()
  }

  /** A box that cannot give to others takes from them all the same, and they do not wait for it. */
  async #serve(): Promise<void> {
    const { link, log } = this.#ports
    try {
      await link.serve((sha256, index) => this.#give(sha256, index))
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      log.error('peers.serve-failed', { error })
    }
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#cancelSay?.()
    await this.#ports.board.stop()
    await this.#ports.link.close()
  }

  begin(sha256: string): void {
    const nowMs = this.#ports.clock.monotonicMs()
    this.#wishes.set(sha256, { election: newElection, sinceMs: nowMs, gainedMs: nowMs })
    this.#hasNews = true
  }

  end(sha256: string): void {
    this.#wishes.delete(sha256)
    this.#hasNews = true
  }

  gained(sha256: string): void {
    const wish = this.#wishes.get(sha256)
    const { clock } = this.#ports
    if (wish) wish.gainedMs = clock.monotonicMs()
    if (wish && wish.election.claim > 0) this.#neighbourhood.forgive(this.#options.box)
    this.#hasNews = true
    this.#cancelSay ??= clock.runAt(after(clock.monotonicMs(), SAY_MS_MIN), () => {
      this.#cancelSay = null
      this.#say()
    })
  }

  onNews(listener: () => void): Cancel {
    return this.#heard.listen(listener)
  }

  avoid(name: string, durationMs: number): void {
    const nowMs = this.#ports.clock.monotonicMs()
    if (durationMs > 0) this.#neighbourhood.avoid(name, nowMs + durationMs, nowMs)
  }

  offers(sha256: string): readonly PeerOffer[] {
    const { clock, shelf } = this.#ports
    const pieceCount = shelf.find(sha256)?.list.count
    if (pieceCount === undefined) return []
    const holders = this.#neighbourhood.holders(sha256, pieceCount, clock.monotonicMs())
    return holders.flatMap(({ box, addresses, have }) => {
      const source = this.#sourceAt(box, addresses)
      return source === null ? [] : [{ source, has: (index: number) => have.has(index) }]
    })
  }

  isOursToFetch(sha256: string): boolean {
    const wish = this.#wishes.get(sha256)
    if (!wish) return false
    if (this.#ports.board.isOpen()) return wish.election.claim > 0
    const nowMs = this.#ports.clock.monotonicMs()
    if (!this.#wasOpen) return nowMs - Math.max(wish.sinceMs, this.#closedSinceMs) >= FIRST_OPEN_MS
    const closedMs = nowMs - this.#closedSinceMs
    // Until the others believe that this box is gone, its claim holds.
    if (wish.election.claim > 0 && closedMs < LEASE_MS) return true
    return closedMs >= ALONE_MS * (1 + this.#shareOf(sha256))
  }

  #onBoard(isOpen: boolean): void {
    this.#wasOpen ||= isOpen
    this.#closedSinceMs = this.#ports.clock.monotonicMs()
    this.#hasNews = true
    this.#saidMs = Number.NEGATIVE_INFINITY
  }

  #tick(): void {
    if (!this.#ports.board.isOpen()) return
    const nowMs = this.#ports.clock.monotonicMs()
    for (const [sha256, wish] of this.#wishes) this.#elect(sha256, wish)
    if (this.#hasNews || nowMs - this.#saidMs >= SAY_MS) this.#say()
  }

  #say(): void {
    if (!this.#ports.board.isOpen()) return
    this.#hasNews = false
    this.#saidMs = this.#ports.clock.monotonicMs()
    this.#ports.board.say(wordBytes(this.#word()))
  }

  #elect(sha256: string, wish: Wish): void {
    const { clock, log } = this.#ports
    const { box, mayUseUplink } = this.#options
    const nowMs = clock.monotonicMs()
    const rankOf = (name: string): string => this.#rankOf(sha256, name)
    const before = wish.election
    const own = {
      box,
      rank: rankOf(box),
      isWanting: true,
      mayUseUplink: mayUseUplink(),
      gainedMs: wish.gainedMs,
    }
    this.#neighbourhood.noteIfStalled({ ...own, claim: before.claim }, sha256, nowMs)
    const isReachable = (name: string, addresses: readonly string[]): boolean =>
      this.#sourceAt(name, addresses) !== null
    const others = this.#neighbourhood.candidates(sha256, { own: box, rankOf, isReachable, nowMs })
    wish.election = elect(before, { nowMs, own, others })
    if (wish.election.claim === before.claim) return
    wish.gainedMs = nowMs
    this.#hasNews = true
    log.info(wish.election.claim > 0 ? 'fetch.claimed' : 'fetch.yielded', { sha256 })
  }

  #addresses(): readonly string[] {
    const addresses = this.#ports.link.addresses().slice(0, ADDRESSES_MAX)
    if (this.#hasAddress && addresses.length === 0) this.#ports.log.info('peers.no-address')
    this.#hasAddress = addresses.length > 0
    return addresses
  }

  #word(): PeerWord {
    return {
      format: 1,
      sequence: ++this.#sequence,
      addresses: [...this.#addresses()],
      objects: this.#ports.shelf
        .all()
        .slice(0, WORD_OBJECTS_MAX)
        .map(shelved => this.#told(shelved)),
    }
  }

  #told({ list, have }: ShelvedObject): PeerWord['objects'][number] {
    const { sha256 } = list.object
    const wish = this.#wishes.get(sha256)
    return {
      sha256,
      pieceCount: list.count,
      pieces: have.toText(),
      isWanted: wish !== undefined,
      mayUseUplink: this.#options.mayUseUplink(),
      claim: wish?.election.claim ?? 0,
    }
  }

  async #give(sha256: string, index: number): Promise<Uint8Array | null> {
    const shelved = this.#ports.shelf.find(sha256)
    if (!shelved?.have.has(index)) return null
    await this.#upload.take(shelved.list.byteCountOf(index))
    const bytes = await shelved.piece(index)
    this.#givenByteCount += bytes?.length ?? 0
    return bytes
  }

  #sourceAt(box: string, addresses: readonly string[]): PieceSource | null {
    const key = `${box} ${addresses.join(' ')}`
    const known = this.#sources.get(key)
    if (known) return known
    // Boxes that change their addresses all the time are not remembered for ever.
    if (this.#sources.size >= SOURCES_MAX) this.#sources.clear()
    const source = this.#ports.link.sourceAt(box, addresses)
    // An address that leads nowhere may do so later: when this box has got one of that network itself.
    if (source !== null) this.#sources.set(key, source)
    return source
  }

  #rankOf(sha256: string, box: string): string {
    return this.#ports.keys.sha256Hex(new TextEncoder().encode(`${sha256} ${box}`))
  }

  /** 0 to 1, another one for each box. */
  #shareOf(sha256: string): number {
    return Number.parseInt(this.#rankOf(sha256, this.#options.box).slice(0, 6), 16) / 2 ** 24
  }
}
