/** When the repository is looked at, and what was found last. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { BoxView } from './criteria.js'
import type { Looked, Order, OrderLook, Orders } from './parts.js'

const MS_PER_MINUTE = 60_000
/** After a look that found nobody. */
const RETRY_MINUTES = 2
/** After the box has learned the date. */
const AGAIN_MS = 5_000

export class Looking {
  readonly #clock: Clock
  readonly #log: Log
  readonly #orders: Orders
  readonly #everyMinutes: number
  #last: OrderLook | null = null
  /** From before the start: for people to read, and for nobody to act on. */
  #recalled: OrderLook | null = null
  #lastWallMs = 0
  #lastMs = 0
  #nextMs: number
  /** Whether the box knew the date when it looked last. */
  #knewUtc = false
  #trouble: string | null = null
  #underWay: Promise<OrderLook> | null = null

  /** @param options.chance 0..1 of a minute, so that a venue does not ask all at once */
  constructor(
    { clock, log, orders }: { readonly clock: Clock; readonly log: Log; readonly orders: Orders },
    options: { readonly everyMinutes: number; readonly chance: number },
  ) {
    this.#clock = clock
    this.#log = log
    this.#orders = orders
    this.#everyMinutes = options.everyMinutes
    this.#nextMs = clock.monotonicMs() + options.chance * MS_PER_MINUTE
  }

  /** Null before the first. */
  get last(): OrderLook | null {
    return this.#last
  }

  /** Why the box itself could not look; null since it could. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** For people: with what was known before the start, until there is something newer. */
  get known(): Looked {
    if (this.#last === null) return { look: this.#recalled, wallMs: null }
    return { look: this.#last, wallMs: this.#lastWallMs }
  }

  get order(): Order | null {
    return this.#last?.order ?? null
  }

  /** What lies on the disk is known at once, and not when the first server has answered. */
  async recall(): Promise<void> {
    try {
      this.#recalled = await this.#orders.recall()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#trouble = messageOf(error)
    }
  }

  /** Also when the box has learned the date meanwhile: then what was ordered can be judged. */
  isDue(seen: BoxView | null): boolean {
    const knowsUtc = seen?.isUtcKnown ?? false
    if (knowsUtc && !this.#knewUtc && this.order?.isTimeKnown === false)
      this.#nextMs = Math.min(this.#nextMs, this.#lastMs + AGAIN_MS)
    this.#knewUtc = knowsUtc
    return this.#clock.monotonicMs() >= this.#nextMs
  }

  /** One at a time: whoever asks meanwhile hears what this one finds. @throws BoxError of the box's own disk */
  now(): Promise<OrderLook> {
    this.#underWay ??= this.#tryLook().finally(() => {
      this.#underWay = null
    })
    return this.#underWay
  }

  async #tryLook(): Promise<OrderLook> {
    try {
      const look = await this.#look()
      this.#trouble = null
      return look
    } catch (error) {
      this.#trouble = messageOf(error)
      throw error
    }
  }

  async #look(): Promise<OrderLook> {
    this.#lastMs = this.#clock.monotonicMs()
    this.#nextMs = this.#lastMs + RETRY_MINUTES * MS_PER_MINUTE
    const look = await this.#orders.look()
    if (look.words !== this.#last?.words) this.#log.info('ota.looked', { found: look.words })
    this.#last = look
    this.#lastWallMs = this.#clock.wallTimeMs()
    const minutes = look.isFresh ? this.#everyMinutes : Math.min(this.#everyMinutes, RETRY_MINUTES)
    this.#nextMs = this.#clock.monotonicMs() + minutes * MS_PER_MINUTE
    return look
  }
}
