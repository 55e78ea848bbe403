import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { assert, BoxError, messageOf } from '../../runtime/core/errors.js'
import type { ReleaseSource } from '../../runtime/ports/release-source.js'

export interface HttpSourceOptions {
  /** Without an answer, or without another byte of it, for so long: 100..60000. */
  readonly silenceMsMax: number
  /** From the request to the last byte: a source that drips must not hold the box for ever. */
  readonly wholeMsMax: number
}

/** Storage services say 403 of a file that is not there to whoever may not list the folder. */
const MISSING = new Set([403, 404, 410])

/** A repository on a web server. A redirect is refused: what is asked for lies where it is asked for. */
export class HttpSource implements ReleaseSource {
  readonly #base: URL
  readonly #options: HttpSourceOptions

  /** @param base http or https. @throws BoxError `link.down` for another address */
  constructor(base: string, options: HttpSourceOptions) {
    assert(options.silenceMsMax >= 100 && options.wholeMsMax >= options.silenceMsMax, 'time limits')
    this.#base = addressOf(base)
    this.#options = options
  }

  fetch(path: string, byteCountMax: number): Promise<Uint8Array | null> {
    const url = new URL(this.#base)
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`
    return bytesOf(url, byteCountMax, this.#options)
  }
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new BoxError('link.down', `"${text.slice(0, 100)}" is not an http or https address`)
}

function bytesOf(
  url: URL,
  byteCountMax: number,
  { silenceMsMax, wholeMsMax }: HttpSourceOptions,
): Promise<Uint8Array | null> {
  const limit = AbortSignal.timeout(wholeMsMax)
  return new Promise((resolve, reject) => {
    const outgoing = send(url, limit)
    let isSilent = false
    outgoing.setTimeout(silenceMsMax, () => {
      isSilent = true
      outgoing.destroy()
    })
    outgoing.on('response', answer => void body(answer, byteCountMax).then(settled, failed))
    outgoing.on('error', failed)
    outgoing.end()

    function settled(bytes: Uint8Array | null): void {
      resolve(bytes)
      outgoing.destroy()
    }

    function failed(cause: unknown): void {
      outgoing.destroy()
      reject(failure(url, isSilent || limit.aborted, cause))
    }
  })
}

/** Without the query and the credentials: they may hold a token, and messages are logged. */
function failure(url: URL, isLate: boolean, cause: unknown): BoxError {
  const where = `${url.origin}${url.pathname}`
  if (isLate) return new BoxError('link.timeout', `${where} did not answer in time`, { cause })
  if (cause instanceof BoxError)
    return new BoxError(cause.code, `${where} ${messageOf(cause)}`, { cause })
  return new BoxError('link.down', `${where} cannot be reached: ${messageOf(cause)}`, { cause })
}

function send(url: URL, signal: AbortSignal): ClientRequest {
  const headers = {
    'user-agent': 'roadcase',
    // What is packed on the way would have to be unpacked without a limit.
    'accept-encoding': 'identity',
    connection: 'close',
  }
  const options = { headers, signal, agent: false } as const
  return url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
}

async function body(answer: IncomingMessage, byteCountMax: number): Promise<Uint8Array | null> {
  const status = answer.statusCode ?? 0
  if (MISSING.has(status)) return null
  if (status !== 200) throw new BoxError('link.down', `answered with status ${status}`)
  if (Number(answer.headers['content-length'] ?? 0) > byteCountMax)
    throw new BoxError('trust.limit', `has more than ${byteCountMax} bytes`)
  const parts: Uint8Array[] = []
  let byteCount = 0
  for await (const part of answer) {
    if (!(part instanceof Uint8Array)) continue
    byteCount += part.length
    if (byteCount > byteCountMax)
      throw new BoxError('trust.limit', `has more than ${byteCountMax} bytes`)
    parts.push(part)
  }
  return Uint8Array.from(Buffer.concat(parts))
}
