/** Pieces from box to box over HTTP: a server of its own that gives nothing but proven pieces, and a client for the others'. */
import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { BoxError } from '../../runtime/core/errors.js'
import type { GivePiece, PeerLink } from '../../runtime/ports/peer-link.js'
import type {
  PieceAsk,
  PieceSource,
  PieceTransfer,
  TakeBytes,
} from '../../runtime/ports/piece-source.js'
import { PieceServer, type PieceServerOptions } from './piece-server.js'
import { byteCountOf, WebAgents, WebGet } from './web-get.js'

export interface LinuxPeerLinkOptions extends PieceServerOptions {
  /** Whether boxes on the same machine are gone to; for tests and laptops. */
  readonly isLoopbackAllowed: boolean
}

const ADDRESSES_MAX = 4

export class LinuxPeerLink implements PeerLink {
  readonly #options: LinuxPeerLinkOptions
  readonly #agents = new WebAgents()
  #server: PieceServer | null = null

  constructor(options: LinuxPeerLinkOptions) {
    this.#options = options
  }

  async serve(give: GivePiece): Promise<readonly string[]> {
    const server = new PieceServer(give, this.#options)
    this.#server = server
    const port = await server.open()
    const { host } = this.#options
    const hosts = host === '0.0.0.0' || host === '::' ? ownAddresses() : [host]
    return hosts.slice(0, ADDRESSES_MAX).map(at => `http://${isIPv6(at) ? `[${at}]` : at}:${port}`)
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
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

/** RFC 1918, RFC 3927, RFC 6598; RFC 4193 and RFC 4291 for IPv6. Whatever else a word names, no box goes there. */
const LAN_V4 =
  /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/
const LAN_V6 = /^f[cd][0-9a-f]{2}:/
const PORT_MIN = 1024

/** Null for an address that is not one of a box on the LAN: a name, a far host, a port of the system. */
export function addressOfPeer(text: string, isLoopbackAllowed: boolean): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '') return null
  if (url.pathname !== '/' || url.search !== '' || Number(url.port) < PORT_MIN) return null
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isLoopbackAllowed && host === '127.0.0.1') return url
  const isLan = (isIPv4(host) && LAN_V4.test(host)) || (isIPv6(host) && LAN_V6.test(host))
  return isLan ? url : null
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap(addresses =>
    (addresses ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  )

class PeerPieceSource implements PieceSource {
  readonly name: string
  readonly kind = 'peer'
  readonly #bases: readonly URL[]
  readonly #agents: WebAgents
  /** The one that answered last: a box with cable and Wi-Fi has several. */
  #base = 0

  constructor(name: string, bases: readonly URL[], agents: WebAgents) {
    this.name = name
    this.#bases = bases
    this.#agents = agents
  }

  ask(ask: PieceAsk, take: TakeBytes): PieceTransfer {
    const get = new WebGet(this.#agents)
    const done = this.#fetch(get, ask, take)
    return { done, cancel: () => get.cancel() }
  }

  async #fetch(get: WebGet, ask: PieceAsk, take: TakeBytes): Promise<void> {
    let isMore = true
    for (let at = ask.from; at < ask.to && isMore; at += ask.pieceByteCount) {
      const end = Math.min(at + ask.pieceByteCount, ask.to)
      isMore = await this.#piece({ get, ask, at, byteCount: end - at }, take)
    }
  }

  async #piece(
    { get, ask, at, byteCount }: { get: WebGet; ask: PieceAsk; at: number; byteCount: number },
    take: TakeBytes,
  ): Promise<boolean> {
    const index = at / ask.pieceByteCount
    const url = new URL(`/ota/pieces/${ask.sha256}/${index}`, this.#bases[this.#base])
    const answer = await get.begin(url, {}).catch((error: unknown) => {
      this.#base = (this.#base + 1) % this.#bases.length
      throw error
    })
    if (answer === null) return false
    const { statusCode = 0 } = answer.response
    if (statusCode !== 200 || byteCountOf(answer.response) !== byteCount) {
      get.leave(answer)
      if (statusCode === 404) throw new BoxError('fetch.absent', `${this.name}: no piece ${index}`)
      if (statusCode === 503) throw new BoxError('link.down', `${this.name} is busy`)
      throw new BoxError('fetch.refused', `${this.name}: piece ${index}, status ${statusCode}`)
    }
    let isMore = true
    await get.read(answer, byteCount, async (within, bytes) => {
      isMore = await take(at + within, bytes)
      return isMore
    })
    return isMore
  }
}
