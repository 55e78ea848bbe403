import { BoxError } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { HttpRequest, Network } from '../../runtime/ports/network.js'

/** How the far side behaves. */
export interface SimulatedLink {
  readonly isUp: boolean
  /** Until the answer; longer than the request's limit is a time-out. */
  readonly delayMs: number
  readonly status: number
}

const REQUESTS_MAX = 10_000

/** Requests that go nowhere and are remembered; the link is as good or bad as the test says, per host or for all. */
export class SimulatedNetwork implements Network {
  link: SimulatedLink = { isUp: true, delayMs: 0, status: 200 }
  readonly #clock: Clock
  readonly #links = new Map<string, SimulatedLink>()
  readonly #requests: HttpRequest[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Every request made, in order, those that failed included. */
  get requests(): readonly HttpRequest[] {
    return this.#requests
  }

  /** @param host as in the address, with its port: `lamp.local:8080`; null forgets what was said of it */
  setLink(host: string, link: SimulatedLink | null): void {
    if (link === null) this.#links.delete(host)
    else this.#links.set(host, link)
  }

  request(request: HttpRequest): Promise<number> {
    if (this.#requests.push(request) > REQUESTS_MAX) this.#requests.shift()
    const host = URL.canParse(request.url) ? new URL(request.url).host : null
    if (host === null || !/^https?:/.test(request.url))
      return Promise.reject(new BoxError('link.down', `"${request.url}" is not an address`))
    const link = this.#links.get(host) ?? this.link
    const isLate = link.delayMs > request.timeoutMs
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        if (!link.isUp) reject(new BoxError('link.down', `${host} cannot be reached`))
        else if (isLate)
          reject(new BoxError('link.timeout', `no answer within ${request.timeoutMs} ms`))
        else resolve(link.status)
      }
      const waitMs = Math.min(link.delayMs, request.timeoutMs)
      if (waitMs === 0) queueMicrotask(answer)
      else this.#clock.runAt(after(this.#clock.monotonicMs(), waitMs), answer)
    })
  }
}
