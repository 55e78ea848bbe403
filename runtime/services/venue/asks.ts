/** Commands that another box must decide: asked again until they are answered, of whoever leads by then. */
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { VenueCommand } from './messages.js'

const ASK_EVERY_MS = 50
/** Nobody waits longer for an answer; a take-over is over long before. */
export const ASK_MS_MAX = 2_000
const ASKS_MAX = 256

export interface Answer {
  readonly isAccepted: boolean
  readonly code: string | null
  readonly message: string | null
}

export interface AsksOptions {
  /** To whoever leads; nothing happens while nobody does. */
  readonly send: (command: VenueCommand) => void
  readonly answer: (command: VenueCommand, answer: Answer) => void
  /** Whether it has been carried out here: then it was decided, and only the answer is slow. */
  readonly isDone: (id: string) => boolean
}

interface Ask {
  readonly command: VenueCommand
  readonly until: MonotonicMs
}

export class Asks {
  readonly #clock: Clock
  readonly #options: AsksOptions
  readonly #asks = new Map<string, Ask>()
  #cancel: Cancel | null = null

  constructor(clock: Clock, options: AsksOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** Panic has been carried out and is answered here: the leader is told until it knows, or for as long as anybody. */
  add(command: VenueCommand): void {
    if (this.#asks.has(command.id)) return
    if (this.#asks.size >= ASKS_MAX) {
      this.#answer(command, refused('too many commands wait for the box that leads'))
      return
    }
    const until = after(this.#clock.monotonicMs(), ASK_MS_MAX)
    this.#asks.set(command.id, { command, until })
    this.#options.send(command)
    this.#rest()
  }

  answered(id: string, answer: Answer): void {
    const ask = this.#asks.get(id)
    if (!ask) return
    this.#asks.delete(id)
    this.#answer(ask.command, answer)
  }

  /** Somebody leads now. */
  hurry(): void {
    for (const { command } of [...this.#asks.values()]) this.#options.send(command)
  }

  /** All that wait: this box decides them now. */
  take(): readonly VenueCommand[] {
    const commands = [...this.#asks.values()].map(({ command }) => command)
    this.#asks.clear()
    return commands
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#asks.clear()
  }

  #rest(): void {
    if (this.#cancel !== null || this.#asks.size === 0) return
    this.#cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), ASK_EVERY_MS), () => {
      this.#cancel = null
      this.#turn()
      this.#rest()
    })
  }

  #turn(): void {
    const now = this.#clock.monotonicMs()
    for (const [id, { command, until }] of [...this.#asks])
      if (now < until) this.#options.send(command)
      else
        this.answered(
          id,
          this.#options.isDone(id)
            ? NOT_KEPT
            : refused('no box of the venue has answered; ask again'),
        )
  }

  #answer(command: VenueCommand, answer: Answer): void {
    if (command.action !== 'panic') this.#options.answer(command, answer)
  }
}

/** The disk of the box that leads takes its time. Another id would be another GO. */
const NOT_KEPT: Answer = {
  isAccepted: false,
  code: 'storage.io',
  message: 'done, but the box that leads has not said yet that it is kept over a restart',
}

const refused = (message: string): Answer => ({
  isAccepted: false,
  code: 'venue.leaderless',
  message,
})
