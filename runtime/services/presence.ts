import type { Bus } from '../core/bus.js'
import type { Service } from '../core/lifecycle.js'
import type { Messages, Payload } from '../topics.js'

/**
 * Tells the venue that the box is there and what it is: last of all to start, so that `ready` is true, and first of
 * all to stop.
 */
export class Presence implements Service {
  readonly name = 'presence'
  readonly #bus: Bus<Messages>
  readonly #about: Payload<'box/info'>
  #isReady = false

  constructor(bus: Bus<Messages>, about: Payload<'box/info'>) {
    this.#bus = bus
    this.#about = about
  }

  async start(): Promise<void> {
    this.#isReady = true
    this.#bus.publish('box/info', this.#about)
    this.#bus.publish('box/availability', { state: 'ready', boot: this.#about.boot })
  }

  async stop(): Promise<void> {
    if (!this.#isReady) return
    this.#isReady = false
    this.#bus.publish('box/availability', { state: 'sleeping', boot: this.#about.boot })
  }
}
