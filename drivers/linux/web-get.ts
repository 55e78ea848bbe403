/** One GET over HTTP or HTTPS, its body taken as fast as somebody wants it and no further than was announced. */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as SecureAgent } from 'node:https'
import { BoxError, messageOf } from '../../runtime/core/errors.js'

export interface WebAnswer {
  readonly response: IncomingMessage
}

/** Places from the beginning of the body; false when no more is wanted. */
export type TakeBody = (at: number, bytes: Uint8Array) => Promise<boolean>

const KEPT = { keepAlive: true, maxFreeSockets: 4, timeout: 60_000 } as const

/** Connections that wait for the next request. They keep no process alive. */
export class WebAgents {
  readonly plain = new Agent(KEPT)
  readonly secure = new SecureAgent(KEPT)
}

/** Several may follow each other, for redirects; cancelled once, none of them goes on. Time limits are the caller's. */
export class WebGet {
  readonly #abort = new AbortController()
  readonly #agents: WebAgents

  constructor(agents: WebAgents) {
    this.#agents = agents
  }

  cancel(): void {
    this.#abort.abort()
  }

  /** Null when it was cancelled. @throws BoxError `link.down` */
  async begin(url: URL, headers: Readonly<Record<string, string>>): Promise<WebAnswer | null> {
    const isSecure = url.protocol === 'https:'
    const options = {
      headers: { 'user-agent': 'roadcase', 'accept-encoding': 'identity', ...headers },
      signal: this.#abort.signal,
      agent: isSecure ? this.#agents.secure : this.#agents.plain,
    }
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const outgoing = isSecure ? httpsRequest(url, options) : httpRequest(url, options)
        outgoing.on('response', resolve)
        outgoing.on('error', reject)
        outgoing.end()
      })
      return { response }
    } catch (cause) {
      if (this.#abort.signal.aborted) return null
      // Without the query and the credentials: they may hold a token, and messages are logged.
      throw down(`${url.origin}${url.pathname}`, cause)
    }
  }

  /** The body is not wanted. */
  leave({ response }: WebAnswer): void {
    response.on('error', () => {})
    response.destroy()
  }

  /**
   * Resolves after `byteCount` bytes, when no more is wanted, or when it was cancelled.
   * @throws BoxError `link.down` for a body that ends early, `fetch.refused` for one that does not end; what `take` throws
   */
  async read(answer: WebAnswer, byteCount: number, take: TakeBody): Promise<void> {
    const body = { at: 0 }
    try {
      const isMoreWanted = await this.#pass(answer, body, byteCount, take)
      if (isMoreWanted && body.at < byteCount)
        throw new BoxError('link.down', `${body.at} bytes of ${byteCount}, then nothing`)
    } catch (cause) {
      if (this.#abort.signal.aborted) return
      if (cause instanceof BoxError || !hasCodeOf(cause)) throw cause
      throw down('the answer', cause)
    } finally {
      // An answer that was read to its end leaves the connection to the next one.
      if (body.at < byteCount) this.leave(answer)
    }
  }

  /** False when no more is wanted. */
  async #pass(
    { response }: WebAnswer,
    body: { at: number },
    byteCount: number,
    take: TakeBody,
  ): Promise<boolean> {
    for await (const part of response) {
      const bytes: unknown = part
      if (!(bytes instanceof Uint8Array)) throw new BoxError('link.down', 'a body without bytes')
      if (body.at + bytes.length > byteCount)
        throw new BoxError('fetch.refused', `more than the ${byteCount} bytes that it promised`)
      if (this.#abort.signal.aborted || !(await take(body.at, bytes))) return false
      body.at += bytes.length
    }
    return true
  }
}

/** As the answer says; null when it does not. @throws BoxError `fetch.refused` */
export function byteCountOf(response: IncomingMessage): number | null {
  const said = response.headers['content-length']
  if (said === undefined) return null
  if (!/^\d{1,15}$/.test(said)) throw new BoxError('fetch.refused', 'a length that is none')
  return Number(said)
}

const hasCodeOf = (error: unknown): error is Error => error instanceof Error && 'code' in error

const down = (what: string, cause: unknown): BoxError =>
  new BoxError('link.down', `${what}: ${messageOf(cause)}`, { cause })
