import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { assert, BoxError, messageOf } from '../../runtime/core/errors.js'
import type { HttpRequest, Network } from '../../runtime/ports/network.js'

const BODY_BYTES_MAX = 1024 * 1024
const UNDER_WAY_MAX = 32

/** Requests over HTTP and HTTPS. A redirect is not followed: its status is the answer, so no request goes elsewhere. */
export class LinuxNetwork implements Network {
  #underWay = 0

  async request(request: HttpRequest): Promise<number> {
    assert(request.timeoutMs >= 100 && request.timeoutMs <= 30_000, 'a request has a time limit')
    const url = addressOf(request.url)
    if (this.#underWay >= UNDER_WAY_MAX)
      throw new BoxError('link.down', `${UNDER_WAY_MAX} requests are under way already`)
    this.#underWay++
    try {
      return await statusOf(request, url)
    } finally {
      this.#underWay--
    }
  }
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new BoxError('link.down', `"${text.slice(0, 100)}" is not an http or https address`)
}

function statusOf(request: HttpRequest, url: URL): Promise<number> {
  const limit = AbortSignal.timeout(request.timeoutMs)
  return new Promise((resolve, reject) => {
    const outgoing = send(request, url, limit)
    outgoing.on('response', answer => void drain(answer, outgoing).then(resolve, failed))
    outgoing.on('error', failed)
    outgoing.end(request.body ?? undefined)

    function failed(cause: unknown): void {
      const isLate = limit.aborted
      const what = isLate ? `no answer within ${request.timeoutMs} ms` : messageOf(cause)
      // Without the query and the credentials: they may hold a token, and messages are logged.
      const message = `${request.method} ${url.origin}${url.pathname}: ${what}`
      reject(new BoxError(isLate ? 'link.timeout' : 'link.down', message, { cause }))
    }
  })
}

function send(request: HttpRequest, url: URL, signal: AbortSignal): ClientRequest {
  const headers: Record<string, string> = { 'user-agent': 'roadcase', connection: 'close' }
  if (request.contentType !== null) headers['content-type'] = request.contentType
  if (request.body !== null) headers['content-length'] = `${Buffer.byteLength(request.body)}`
  const options = { method: request.method, headers, signal, agent: false } as const
  return url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
}

/** The status, once the body has been read and dropped; what comes after the first MiB is not waited for. */
function drain(answer: IncomingMessage, outgoing: ClientRequest): Promise<number> {
  const status = answer.statusCode ?? 0
  let byteCount = 0
  return new Promise((resolve, reject) => {
    answer.on('data', (part: Uint8Array) => {
      byteCount += part.length
      if (byteCount <= BODY_BYTES_MAX) return
      resolve(status)
      outgoing.destroy()
    })
    answer.on('end', () => resolve(status))
    answer.on('error', reject)
  })
}
