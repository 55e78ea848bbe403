/** Whole states between boxes: asked with a number that is drawn anew, answered with the same, both under the venue's seal. */
import { BoxError, messageOf } from '../../core/errors.js'
import { hexOf } from '../../core/hex.js'
import { object } from '../../core/schema.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { VenueLink } from '../../ports/venue-link.js'
import type { Member } from './members.js'
import { encode, jsonOf, type WholeAnswer, wholeAnswer, wholeQuestion } from './messages.js'
import type { Seal } from './seal.js'

const NUMBER_BYTES = 16
const answerShape = object({ number: wholeQuestion.shape.number, whole: wholeAnswer })

export interface WholeStatesOptions {
  readonly box: string
  readonly own: () => WholeAnswer | null
  readonly adopt: (answer: WholeAnswer) => void
}

export class WholeStates {
  readonly #log: Log
  readonly #keys: Keys
  readonly #link: VenueLink
  readonly #seal: Seal
  readonly #options: WholeStatesOptions
  #isFetching = false

  constructor(log: Log, keys: Keys, link: VenueLink, seal: Seal, options: WholeStatesOptions) {
    this.#log = log
    this.#keys = keys
    this.#link = link
    this.#seal = seal
    this.#options = options
  }

  /** Null for who may not ask, and while there is nothing to tell. */
  answer(question: Uint8Array): Uint8Array | null {
    const opened = this.#seal.open(question)
    if (opened.kind !== 'opened') return null
    const asked = wholeQuestion.safeParse(jsonOf(opened.body))
    const whole = asked.success ? this.#options.own() : null
    return asked.success && whole !== null
      ? this.#seal.seal(encode({ number: asked.data.number, whole }))
      : null
  }

  /** One at a time: whoever still needs one asks again. Never rejects. */
  async fetch({ box, session, address }: Member): Promise<void> {
    if (this.#isFetching) return
    this.#isFetching = true
    const number = hexOf(this.#keys.randomBytes(NUMBER_BYTES))
    try {
      const question = this.#seal.seal(encode({ box: this.#options.box, number }))
      const opened = this.#seal.open(await this.#link.request(address, question))
      const isIts = opened.kind === 'opened' && opened.session === session
      const read = isIts ? answerShape.safeParse(jsonOf(opened.body)) : null
      if (!read?.success || read.data.number !== number || read.data.whole.box !== box)
        this.#log.warn('venue.state-refused', { box })
      else this.#options.adopt(read.data.whole)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('venue.state-not-fetched', { box, error: messageOf(error) })
    } finally {
      this.#isFetching = false
    }
  }
}
