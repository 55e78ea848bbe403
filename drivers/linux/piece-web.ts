/**
 * Pieces from any web server that has the repository: a hub, a mirror, a store of files. It asks for a range, takes the
 * whole object from a server that knows none, and refuses whatever is not exactly one of the two.
 */
import type { IncomingMessage } from 'node:http'
import { BoxError } from '../../runtime/core/errors.js'
import type {
  PieceAsk,
  PieceSource,
  PieceTransfer,
  SourceKind,
  TakeBytes,
} from '../../runtime/ports/piece-source.js'
import { byteCountOf, WebAgents, WebGet } from './web-get.js'

/** A CDN sends elsewhere once, a store of files perhaps once more. */
const REDIRECTS_MAX = 3
/** An answer that broke after fewer is left to whoever asked: it waits before it asks again. */
const RESUMED_BYTES_MIN = 16 * 1024
const REDIRECTS = [301, 302, 303, 307, 308]
const GONE = [404, 410]
const BUSY = [408, 429]
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/

export class WebPieceSource implements PieceSource {
  readonly name: string
  readonly kind: SourceKind
  readonly #base: URL
  readonly #agents = new WebAgents()

  /**
   * @param base of the repository: `https://hub.example/tour`; what lies below is `targets/…`
   * @param kind `uplink`, or `folder` for a server that stands in the venue and costs nothing
   */
  constructor(base: string, kind: SourceKind = 'uplink') {
    const url = URL.canParse(base) ? new URL(base) : null
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
      throw new BoxError('link.down', `"${base.slice(0, 100)}" is not an http or https address`)
    this.#base = new URL(url)
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/'
    this.name = `${url.origin}${url.pathname.replace(/\/$/, '')}`
    this.kind = kind
  }

  ask(ask: PieceAsk, take: TakeBytes): PieceTransfer {
    const get = new WebGet(this.#agents)
    const done = this.#fetch(get, ask, take)
    return { done, cancel: () => get.cancel() }
  }

  /** Goes on where the link broke, or the server had enough, as long as each answer brings something. */
  async #fetch(get: WebGet, ask: PieceAsk, take: TakeBytes): Promise<void> {
    let [from, isMore] = [ask.from, true]
    const takeOne: TakeBytes = async (at, bytes) => {
      isMore = await take(at, bytes)
      if (at === from) from += bytes.length
      return isMore
    }
    while (isMore && from < ask.to) {
      const before = from
      try {
        await this.#fetchOnce(get, { ...ask, from }, takeOne)
      } catch (error) {
        const isBroken = error instanceof BoxError && error.code === 'link.down'
        if (!isBroken || from - before < RESUMED_BYTES_MIN) throw error
      }
      if (from - before < RESUMED_BYTES_MIN) return
    }
  }

  async #fetchOnce(get: WebGet, ask: PieceAsk, take: TakeBytes): Promise<void> {
    const headers = { range: `bytes=${ask.from}-${ask.to - 1}` }
    let url = new URL(`targets/${hashedTarget(ask)}`, this.#base)
    url.search = this.#base.search
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
      const answer = await get.begin(url, headers)
      if (answer === null) return
      const next = redirectOf(answer.response, url)
      if (next === null) {
        const { at, byteCount } = partOf(answer.response, ask)
        await get.read(answer, byteCount, (place, bytes) => take(at + place, bytes))
        return
      }
      get.leave(answer)
      url = next
    }
    throw refused(`more than ${REDIRECTS_MAX} redirects`)
  }
}

/** With consistent snapshots a target lies under its hash (TUF specification 1.0, section 6.2). */
export function hashedTarget({ target, sha256 }: Pick<PieceAsk, 'target' | 'sha256'>): string {
  const slash = target.lastIndexOf('/') + 1
  return `${target.slice(0, slash)}${sha256}.${target.slice(slash)}`
}

/** Null when it is none. */
function redirectOf(response: IncomingMessage, from: URL): URL | null {
  if (!REDIRECTS.includes(response.statusCode ?? 0)) return null
  const { location = '' } = response.headers
  const url = URL.canParse(location, from.href) ? new URL(location, from) : null
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (!url || !isWeb) throw refused('a redirect to nowhere')
  if (from.protocol === 'https:' && url.protocol === 'http:')
    throw refused('a redirect away from https')
  return url
}

/** Which bytes of the object the answer brings. */
function partOf(response: IncomingMessage, ask: PieceAsk): { at: number; byteCount: number } {
  const { statusCode = 0, headers } = response
  if (GONE.includes(statusCode))
    throw new BoxError('fetch.absent', `${ask.target}: status ${statusCode}`)
  if (statusCode >= 500 || BUSY.includes(statusCode))
    throw new BoxError('link.down', `${ask.target}: status ${statusCode}`)
  const { 'content-encoding': encoding = 'identity' } = headers
  if (encoding !== 'identity') throw refused(`${ask.target}: the bytes are encoded as ${encoding}`)
  const said = byteCountOf(response)
  if (statusCode === 200) {
    if (said !== null && said !== ask.byteCount)
      throw refused(`${ask.target}: ${said} bytes instead of ${ask.byteCount}`)
    return { at: 0, byteCount: ask.byteCount }
  }
  if (statusCode !== 206) throw refused(`${ask.target}: status ${statusCode}`)
  const [from, byteCount] = rangeOf(headers['content-range'] ?? '', ask)
  if (said !== null && said !== byteCount)
    throw refused(`${ask.target}: a range of ${byteCount} bytes in ${said}`)
  return { at: from, byteCount }
}

/** Less than was asked is allowed (RFC 9110, section 15.3.7), anything else is not. */
function rangeOf(text: string, ask: PieceAsk): [from: number, byteCount: number] {
  const [, first, last, total] = CONTENT_RANGE.exec(text) ?? []
  const [from, end] = [Number(first), Number(last)]
  const isRight = from === ask.from && end >= from && end < ask.to
  const isWhole = total === '*' || Number(total) === ask.byteCount
  if (!isRight || !isWhole) throw refused(`${ask.target}: range "${text.slice(0, 60)}"`)
  return [from, end - from + 1]
}

const refused = (message: string): BoxError => new BoxError('fetch.refused', message)
