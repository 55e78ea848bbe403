import type { Bus } from '../../core/bus.js'
import { commandIn } from '../../core/command-shape.js'
import { ulid } from '../../core/ulid.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Messages } from '../../topics.js'
import { AnswerDesk } from './answer-desk.js'
import type { CommandAnswer } from './api.js'
import { checked } from './refusal.js'

/** Hands commands from the page to the show and waits for their answers. */
export class CommandDesk {
  readonly #clock: Clock
  readonly #keys: Keys
  readonly #bus: Bus<Messages>
  readonly #answers: AnswerDesk<CommandAnswer>
  #cancel: Cancel = () => {}

  constructor(clock: Clock, keys: Keys, bus: Bus<Messages>) {
    this.#clock = clock
    this.#keys = keys
    this.#bus = bus
    this.#answers = new AnswerDesk(clock, 'command')
  }

  open(): void {
    this.#cancel = this.#bus.subscribe('command/answered', ({ origin: _, ...answer }) =>
      this.#answers.hear(answer),
    )
  }

  close(): void {
    this.#cancel()
    this.#answers.close()
  }

  /**
   * @param origin who asks, for the show's record
   * @throws Refusal when the body is not a command, too many wait, the id was used for something else, or nobody answers within 5 s
   */
  async ask(body: unknown, origin: string): Promise<CommandAnswer> {
    const asking = checked(commandIn, body, 'command', 'command.invalid')
    const id = asking.id ?? ulid(this.#clock.wallTimeMs(), this.#keys.randomBytes(10))
    return this.#answers.ask({ ...asking, id }, command =>
      this.#bus.publish('command/received', { ...command, origin }),
    )
  }
}
