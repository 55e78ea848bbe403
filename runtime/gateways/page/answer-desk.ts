import { forgetOldest } from '../../core/oldest.js'
import { after } from '../../core/time.js'
import type { Clock } from '../../ports/clock.js'
import { Refusal } from './refusal.js'

const ANSWER_MS_MAX = 5_000
const PENDING_MAX = 64
const KEPT_MAX = 256

interface Slip<Answer> {
  /** What was asked for: the same id for something else is a mistake of the sender's. */
  readonly asked: string
  readonly answer: Promise<Answer>
}

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void
  readonly reject: (refusal: Refusal) => void
}

/**
 * Hands what somebody asks to the box and waits for its answer. The same id again is the same request: it gets the same
 * answer and is not handed over twice.
 */
export class AnswerDesk<Answer extends { readonly id: string }> {
  readonly #clock: Clock
  readonly #what: string
  readonly #isFinal: (answer: Answer) => boolean
  readonly #waiting = new Map<string, Waiting<Answer>>()
  readonly #slips = new Map<string, Slip<Answer>>()

  /**
   * @param what is asked here, for messages: `command`
   * @param isFinal whether the same request later would be answered the same; one that is not final is handed over anew
   */
  constructor(clock: Clock, what: string, isFinal: (answer: Answer) => boolean = () => true) {
    this.#clock = clock
    this.#what = what
    this.#isFinal = isFinal
  }

  hear(answer: Answer): void {
    this.#waiting.get(answer.id)?.resolve(answer)
  }

  close(): void {
    for (const { reject } of [...this.#waiting.values()])
      reject(new Refusal(503, 'service.timeout', 'the box is stopping'))
    this.#slips.clear()
  }

  /**
   * @param hand gives it to whoever answers; not called for what was handed over before
   * @throws Refusal when too many wait, the id was used for something else, or nobody answers within 5 s
   */
  async ask<Asked extends { readonly id: string }>(
    asked: Asked,
    hand: (asked: Asked) => void,
  ): Promise<Answer> {
    const { id } = asked
    const text = JSON.stringify(Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1)))
    const known = this.#slips.get(id)
    if (known && known.asked !== text)
      throw new Refusal(409, 'command.invalid', `id ${id} was used for another ${this.#what}`)
    if (known) return known.answer
    if (this.#waiting.size >= PENDING_MAX)
      throw new Refusal(503, 'request.limit', `${PENDING_MAX} ${this.#what}s are waiting already`)
    const answer = this.#answerTo(id)
    this.#keep(id, { asked: text, answer })
    hand(asked)
    return answer
  }

  /** An answer that does not come is not kept: the sender may ask again, and the box knows the id. */
  #answerTo(id: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), ANSWER_MS_MAX), () =>
        this.#waiting
          .get(id)
          ?.reject(new Refusal(504, 'service.timeout', `no answer within ${ANSWER_MS_MAX} ms`)),
      )
      const settle = (): void => {
        cancel()
        this.#waiting.delete(id)
      }
      this.#waiting.set(id, {
        resolve: answer => {
          settle()
          if (!this.#isFinal(answer)) this.#slips.delete(id)
          resolve(answer)
        },
        reject: refusal => {
          settle()
          this.#slips.delete(id)
          reject(refusal)
        },
      })
    })
  }

  #keep(id: string, slip: Slip<Answer>): void {
    this.#slips.set(id, slip)
    forgetOldest(this.#slips, KEPT_MAX)
  }
}
