import type { Bus } from '../../core/bus.js'
import { printDecisionIn, printIn } from '../../core/printing-topics.js'
import { ulid } from '../../core/ulid.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Messages } from '../../topics.js'
import { AnswerDesk } from './answer-desk.js'
import type { PrintAnswer } from './api.js'
import { checked } from './refusal.js'

/** Hands requests for tickets, and decisions about them, to the spool and waits for its answers. */
export class PrintDesk {
  readonly #clock: Clock
  readonly #keys: Keys
  readonly #bus: Bus<Messages>
  readonly #answers: AnswerDesk<PrintAnswer>
  #cancel: Cancel = () => {}

  constructor(clock: Clock, keys: Keys, bus: Bus<Messages>) {
    this.#clock = clock
    this.#keys = keys
    this.#bus = bus
    // The spool knows what it has accepted; what it refused it may accept later, once there is room or power.
    this.#answers = new AnswerDesk(clock, 'request to print', ({ isAccepted }) => isAccepted)
  }

  open(): void {
    this.#cancel = this.#bus.subscribe('print/answered', ({ origin: _, ...answer }) =>
      this.#answers.hear(answer),
    )
  }

  close(): void {
    this.#cancel()
    this.#answers.close()
  }

  /**
   * @param origin who asks, for the spool's record
   * @throws Refusal as `CommandDesk.ask`
   */
  async print(body: unknown, origin: string): Promise<PrintAnswer> {
    const asking = checked(printIn, body, 'print')
    return this.#answers.ask({ ...asking, id: asking.id ?? this.#newId() }, request =>
      this.#bus.publish('print/requested', { ...request, origin }),
    )
  }

  /** @throws Refusal as `CommandDesk.ask` */
  async decide(body: unknown, origin: string): Promise<PrintAnswer> {
    const asking = checked(printDecisionIn, body, 'decision')
    return this.#answers.ask({ ...asking, id: asking.id ?? this.#newId() }, decision =>
      this.#bus.publish('print/decided', { ...decision, origin }),
    )
  }

  #newId(): string {
    return ulid(this.#clock.wallTimeMs(), this.#keys.randomBytes(10))
  }
}
