import type { Bus } from '../../core/bus.js'
import { commandIn } from '../../core/command-shape.js'
import type { Of } from '../../core/schema.js'
import { after } from '../../core/time.js'
import { ulid } from '../../core/ulid.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Messages } from '../../topics.js'
import type { CommandAnswer } from './api.js'
import { checked, Refusal } from './refusal.js'

const ANSWER_MS_MAX = 5_000
const PENDING_MAX = 64
const KEPT_MAX = 256

interface Ticket {
  /** The command as it was asked for: the same id for something else is a mistake of the sender's. */
  readonly asked: string
  readonly answer: Promise<CommandAnswer>
}

interface Waiting {
  readonly resolve: (answer: CommandAnswer) => void
  readonly reject: (refusal: Refusal) => void
}

/**
 * Hands commands from the page to the show and waits for their answers. The same id again is the same request:
 * it gets the same answer and is not handed over twice.
 */
export class CommandDesk {
  readonly #clock: Clock
  readonly #keys: Keys
  readonly #bus: Bus<Messages>
  readonly #waiting = new Map<string, Waiting>()
  readonly #tickets = new Map<string, Ticket>()
  #cancel: Cancel = () => {}

  constructor(clock: Clock, keys: Keys, bus: Bus<Messages>) {
    this.#clock = clock
    this.#keys = keys
    this.#bus = bus
  }

  open(): void {
    this.#cancel = this.#bus.subscribe('command/answered', ({ origin: _, ...answer }) =>
      this.#waiting.get(answer.id)?.resolve(answer),
    )
  }

  close(): void {
    this.#cancel()
    for (const { reject } of [...this.#waiting.values()])
      reject(new Refusal(503, 'service.timeout', 'the box is stopping'))
    this.#tickets.clear()
  }

  /**
   * @param origin who asks, for the show's record
   * @throws Refusal when the body is not a command, too many wait, the id was used for something else, or nobody answers within 5 s
   */
  async ask(body: unknown, origin: string): Promise<CommandAnswer> {
    const asking = checked(commandIn, body, 'command', 'command.invalid')
    const command = { ...asking, id: asking.id ?? this.#newId() }
    const asked = JSON.stringify(Object.entries(command).sort(([a], [b]) => (a < b ? -1 : 1)))
    const known = this.#tickets.get(command.id)
    if (known && known.asked !== asked)
      throw new Refusal(409, 'command.invalid', `id ${command.id} was used for another command`)
    return known ? known.answer : this.#issue(command, asked, origin)
  }

  #newId(): string {
    return ulid(this.#clock.wallTimeMs(), this.#keys.randomBytes(10))
  }

  #issue(
    command: Of<typeof commandIn> & { id: string },
    asked: string,
    origin: string,
  ): Promise<CommandAnswer> {
    if (this.#waiting.size >= PENDING_MAX)
      throw new Refusal(503, 'request.limit', `${PENDING_MAX} commands are waiting already`)
    const answer = this.#answerTo(command.id)
    this.#keep(command.id, { asked, answer })
    this.#bus.publish('command/received', { ...command, origin })
    return answer
  }

  /** An answer that does not come is not kept: the sender may ask again, and the show knows the id. */
  #answerTo(id: string): Promise<CommandAnswer> {
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
          resolve(answer)
        },
        reject: refusal => {
          settle()
          this.#tickets.delete(id)
          reject(refusal)
        },
      })
    })
  }

  #keep(id: string, ticket: Ticket): void {
    const [oldest] = this.#tickets.keys()
    if (this.#tickets.size >= KEPT_MAX && oldest !== undefined) this.#tickets.delete(oldest)
    this.#tickets.set(id, ticket)
  }
}
