import type { Bus } from '../../core/bus.js'
import { clockSetIn } from '../../core/clock-topics.js'
import { ulid } from '../../core/ulid.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Messages, Payload } from '../../topics.js'
import { AnswerDesk } from './answer-desk.js'
import type { CommandAnswer } from './api.js'
import { checked, Refusal } from './refusal.js'

/** Tells what is known of the date, and hands on what a person says it is. */
export class WallDesk {
  readonly #clock: Clock
  readonly #keys: Keys
  readonly #bus: Bus<Messages>
  readonly #answers: AnswerDesk<CommandAnswer>
  #cancels: readonly Cancel[] = []
  #state: Payload<'clock/wall'> | null = null

  constructor(clock: Clock, keys: Keys, bus: Bus<Messages>) {
    this.#clock = clock
    this.#keys = keys
    this.#bus = bus
    // What was refused while a show was armed may be accepted after it.
    this.#answers = new AnswerDesk(clock, 'date', ({ isAccepted }) => isAccepted)
  }

  open(): void {
    this.#cancels = [
      this.#bus.subscribe('clock/set-answered', ({ origin: _, ...answer }) =>
        this.#answers.hear(answer),
      ),
      this.#bus.subscribe('clock/wall', state => {
        this.#state = state
      }),
    ]
  }

  close(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
    this.#answers.close()
  }

  /** As it was told last. @throws Refusal before the first word, within the first second */
  state(): Payload<'clock/wall'> {
    if (this.#state === null)
      throw new Refusal(503, 'service.timeout', 'nothing is known of the date yet')
    return this.#state
  }

  /**
   * @param origin who asks, for the record
   * @throws Refusal as `CommandDesk.ask`
   */
  async set(body: unknown, origin: string): Promise<CommandAnswer> {
    const asking = checked(clockSetIn, body, 'date')
    const id = asking.id ?? ulid(this.#clock.wallTimeMs(), this.#keys.randomBytes(10))
    return this.#answers.ask({ ...asking, id }, ({ wallMs }) =>
      this.#bus.publish('clock/set-requested', { id, wallMs, origin }),
    )
  }
}
