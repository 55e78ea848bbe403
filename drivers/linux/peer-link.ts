/** Pieces from box to box over HTTP: a server of its own that gives nothing but proven pieces, and a client for the others'. */
import { isIPv6 } from 'node:net'
import { BoxError } from '../../runtime/core/errors.js'
import type { GivePiece, PeerLink } from '../../runtime/ports/peer-link.js'
import type {
  PieceAsk,
  PieceSource,
  PieceTransfer,
  TakeBytes,
} from '../../runtime/ports/piece-source.js'
import { addressOfPeer, hostsOf } from './lan.js'
import { PieceServer, type PieceServerOptions } from './piece-server.js'
import { byteCountOf, WebAgents, type WebAnswer, WebGet } from './web-get.js'

export interface LinuxPeerLinkOptions extends PieceServerOptions {
  /** Whether boxes on the same machine are gone to; for tests and laptops. */
  readonly isLoopbackAllowed: boolean
}

const ADDRESSES_MAX = 4
/** For the beginning of an answer, while there is another address to try, and while there is none. */
const ADDRESS_MS = 3_000
const LONELY_MS = 12_000

/** The request that is under way for an ask. */
interface Way {
  get: WebGet
  isCancelled: boolean
}

export class LinuxPeerLink implements PeerLink {
  readonly #options: LinuxPeerLinkOptions
  readonly #agents = new WebAgents()
  #server: PieceServer | null = null
  /** Null while it does not serve. */
  #port: number | null = null

  constructor(options: LinuxPeerLinkOptions) {
    this.#options = options
  }

  async serve(give: GivePiece): Promise<void> {
    const server = new PieceServer(give, this.#options)
    this.#server = server
    this.#port = await server.open()
  }

  /** Of this moment: a box starts before its network does, and a lease of an address ends. */
  addresses(): readonly string[] {
    const port = this.#port
    if (port === null) return []
    return hostsOf(this.#options.host)
      .slice(0, ADDRESSES_MAX)
      .map(at => `http://${isIPv6(at) ? `[${at}]` : at}:${port}`)
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.#port = null
    await server?.close()
  }

  sourceAt(box: string, addresses: readonly string[]): PieceSource | null {
    const bases = addresses.slice(0, ADDRESSES_MAX).flatMap(address => {
      const base = addressOfPeer(address, this.#options.isLoopbackAllowed)
      return base === null ? [] : [base]
    })
    return bases.length === 0 ? null : new PeerPieceSource(box, bases, this.#agents)
  }
}

class PeerPieceSource implements PieceSource {
  readonly name: string
  readonly kind = 'peer'
  readonly #bases: readonly URL[]
  readonly #agents: WebAgents
  /** The one that gave something last: a box with cable and Wi-Fi has several. */
  #base = 0

  constructor(name: string, bases: readonly URL[], agents: WebAgents) {
    this.name = name
    this.#bases = bases
    this.#agents = agents
  }

  ask(ask: PieceAsk, take: TakeBytes): PieceTransfer {
    const way: Way = { get: new WebGet(this.#agents), isCancelled: false }
    return {
      done: this.#fetch(way, ask, take),
      cancel: () => {
        way.isCancelled = true
        way.get.cancel()
      },
    }
  }

  async #fetch(way: Way, ask: PieceAsk, take: TakeBytes): Promise<void> {
    let isMore = true
    for (let at = ask.from; at < ask.to && isMore; at += ask.pieceByteCount) {
      const byteCount = Math.min(at + ask.pieceByteCount, ask.to) - at
      const answer = await this.#answer(way, { ...ask, from: at, to: at + byteCount })
      if (answer === null) return
      isMore = false
      await way.get.read(answer, byteCount, async (within, bytes) => {
        isMore = await take(at + within, bytes)
        return isMore
      })
    }
  }

  /**
   * From whichever of its addresses gives the piece: one may lead nowhere, and one, such as that of the access point that
   * every box has, to another box or to this one. Null when it was cancelled.
   */
  async #answer(way: Way, ask: PieceAsk): Promise<WebAnswer | null> {
    for (let tries = 1; ; tries++) {
      const base = this.#base
      try {
        return await this.#answerAt(way, ask, base)
      } catch (error) {
        // It is the right box that says so.
        if (error instanceof BoxError && error.code === 'fetch.busy') throw error
        this.#leave(base)
        if (tries >= this.#bases.length) throw error
      }
    }
  }

  /** Unless another request has done so meanwhile. */
  #leave(base: number): void {
    if (this.#base === base) this.#base = (base + 1) % this.#bases.length
  }

  async #answerAt(way: Way, ask: PieceAsk, base: number): Promise<WebAnswer | null> {
    const index = ask.from / ask.pieceByteCount
    const url = new URL(`/ota/pieces/${ask.sha256}/${index}`, this.#bases[base])
    const get = new WebGet(this.#agents)
    way.get = get
    if (way.isCancelled) return null
    const late = setTimeout(() => get.cancel(), this.#bases.length > 1 ? ADDRESS_MS : LONELY_MS)
    const answer = await get.begin(url, {}).finally(() => clearTimeout(late))
    if (answer === null) {
      if (way.isCancelled) return null
      throw new BoxError('link.timeout', `${this.name}: nothing from ${url.host}`)
    }
    const { statusCode = 0 } = answer.response
    if (statusCode === 200 && byteCountOf(answer.response) === ask.to - ask.from) return answer
    get.leave(answer)
    if (statusCode === 404) throw new BoxError('fetch.absent', `${this.name}: no piece ${index}`)
    if (statusCode === 503) throw new BoxError('fetch.busy', `${this.name} is busy`)
    throw new BoxError('fetch.refused', `${this.name}: piece ${index}, status ${statusCode}`)
  }
}
