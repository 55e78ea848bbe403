/** What the guard knows: which last words it keeps, and since when the main thread of its host is silent. */
import { assert } from '../../runtime/core/errors.js'
import type { GuardOrder } from './guard-protocol.js'
import { inOrder, type LastWord, WORDS_MAX } from './last-words.js'

export class GuardWatch {
  readonly #heartbeatMs: number
  readonly #words = new Map<number, LastWord>()
  /** Null until the first beat: a host that is still starting is not silent. */
  #heardMs: number | null = null
  #isSilent = false

  /** @param options.heartbeatMs a host that is silent for longer cannot drive its outputs */
  constructor(options: { readonly heartbeatMs: number }) {
    this.#heartbeatMs = options.heartbeatMs
  }

  /** In the order in which they are to be carried out. */
  get words(): readonly LastWord[] {
    return inOrder(this.#words.values())
  }

  hear(order: GuardOrder, nowMs: number): void {
    if (order.kind === 'keep') this.#words.set(order.id, order.word)
    else if (order.kind === 'forget') this.#words.delete(order.id)
    assert(this.#words.size <= WORDS_MAX, 'the host keeps no more words than the guard')
    this.#heardMs = nowMs
    this.#isSilent = false
  }

  /** How long nobody need look; null: until something is heard. */
  waitMs(nowMs: number): number | null {
    if (this.#heardMs === null || this.#isSilent) return null
    return Math.max(0, this.#heardMs + this.#heartbeatMs - nowMs)
  }

  /** How long the host has been silent, told once when that is too long; else null. */
  takeSilence(nowMs: number): number | null {
    if (this.#heardMs === null || this.#isSilent) return null
    const silentMs = nowMs - this.#heardMs
    if (silentMs <= this.#heartbeatMs) return null
    this.#isSilent = true
    return silentMs
  }
}
