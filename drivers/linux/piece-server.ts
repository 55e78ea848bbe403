/** Gives pieces to other boxes, and nothing else: no listing, no other file, within limits on everything. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { GivePiece } from '../../runtime/ports/peer-link.js'
import { hasCode } from './errno.js'
import { isBeside } from './lan.js'

export interface PieceServerOptions {
  /** `0.0.0.0` for all interfaces. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

const PATH = /^\/ota\/pieces\/([0-9a-f]{64})\/(0|[1-9]\d{0,4})$/
/** A venue of fifty boxes, of which each keeps two. */
const CONNECTIONS_MAX = 128
const CONNECTIONS_OF_ONE_MAX = 8
/** Each holds one piece in memory. */
const ANSWERS_MAX = 8
const ANSWERS_OF_ONE_MAX = 4
/** For the head of a request, and for who takes its bytes slowly: 4.4 kB a second is the least. */
const HEAD_MS = 5_000
const ANSWER_MS = 60_000
const IDLE_MS = 10_000
const REQUESTS_OF_CONNECTION_MAX = 1_000

export class PieceServer {
  readonly #give: GivePiece
  readonly #options: PieceServerOptions
  readonly #answers = new Map<string, number>()
  readonly #connections = new Map<string, number>()
  #server: Server | null = null

  constructor(give: GivePiece, options: PieceServerOptions) {
    this.#give = give
    this.#options = options
  }

  /** @returns the port. @throws BoxError `port.taken`, `link.down` */
  async open(): Promise<number> {
    const server = createServer(
      {
        keepAliveTimeout: IDLE_MS,
        headersTimeout: HEAD_MS,
        requestTimeout: HEAD_MS,
        connectionsCheckingInterval: 1_000,
        maxHeaderSize: 4096,
      },
      (request, response) => void this.#answer(request, response),
    )
    server.maxConnections = CONNECTIONS_MAX
    server.maxRequestsPerSocket = REQUESTS_OF_CONNECTION_MAX
    server.on('connection', socket => {
      const from = socket.remoteAddress ?? ''
      const count = (this.#connections.get(from) ?? 0) + 1
      this.#connections.set(from, count)
      socket.on('close', () => lower(this.#connections, from))
      if (count > CONNECTIONS_OF_ONE_MAX || !(isLoopback(from) || isBeside(from))) socket.destroy()
    })
    this.#server = server
    const { host, port } = this.#options
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, resolve)
      })
    } catch (cause) {
      const code = hasCode(cause, 'EADDRINUSE') ? 'port.taken' : 'link.down'
      throw new BoxError(code, `pieces cannot be given: ${messageOf(cause)}`, { cause })
    }
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null) return
    await new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const from = request.socket.remoteAddress ?? ''
    // Whoever is cut off in the middle of an answer is not our failure.
    response.on('error', () => {})
    request.resume()
    const [, sha256, index] = PATH.exec(request.url ?? '') ?? []
    if (request.method !== 'GET') return refuse(response, 405)
    if (sha256 === undefined || index === undefined) return refuse(response, 404)
    if (this.#isBusy(from)) return refuse(response, 503)
    this.#answers.set(from, (this.#answers.get(from) ?? 0) + 1)
    try {
      await this.#send(response, await this.#give(sha256, Number(index)))
    } catch (error) {
      // A disk that fails: another box may have the piece. A defect is told to the process, which ends.
      if (!(error instanceof BoxError)) throw error
      refuse(response, 500)
    } finally {
      lower(this.#answers, from)
    }
  }

  #isBusy(from: string): boolean {
    let all = 0
    for (const count of this.#answers.values()) all += count
    return all >= ANSWERS_MAX || (this.#answers.get(from) ?? 0) >= ANSWERS_OF_ONE_MAX
  }

  /** Resolves when the piece has left, or its reader has. */
  async #send(response: ServerResponse, bytes: Uint8Array | null): Promise<void> {
    if (bytes === null) return refuse(response, 404)
    const late = setTimeout(() => response.destroy(), ANSWER_MS)
    await new Promise<void>(resolve => {
      response.on('close', resolve)
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': `${bytes.length}`,
      })
      response.end(bytes)
    })
    clearTimeout(late)
  }
}

/** Programs of this machine; whoever is not on the LAN either gets nothing: a venue may give public addresses. */
const isLoopback = (from: string): boolean => /^(::ffff:)?127\.|^::1$/.test(from)

function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(status, { 'content-length': '0' }).end()
}

function lower(counts: Map<string, number>, of: string): void {
  const count = (counts.get(of) ?? 1) - 1
  if (count <= 0) counts.delete(of)
  else counts.set(of, count)
}
