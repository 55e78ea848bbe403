/**
 * Takes commands, one at a time, and sees that each is answered once it is on the disk: the same id is the same request,
 * and gets the same answer without a second effect.
 */

import type { Bus } from '../../core/bus.js'
import { forgetOldest } from '../../core/oldest.js'
import type { Company, Place } from '../../ports/company.js'
import type { Log } from '../../ports/log.js'
import type { Messages, ShowCommand } from '../../topics.js'
import type { Decision } from './decide.js'
import { Echoes } from './echoes.js'
import { ACCEPTED, type Answer, COMMANDS_MAX, type Journal } from './journal.js'
import type { ShowEvent } from './state.js'

const INBOX_MAX = 256

export interface DeskOptions {
  readonly decide: (command: ShowCommand) => Decision
  readonly carryOut: (events: readonly ShowEvent[]) => void
  /** The other boxes of the venue; null for a box that is alone in it. */
  readonly company: Company<ShowCommand> | null
}

/** Of one entry in the log that boxes share: so it fits into a datagram. */
const SHARED_MAX = 2

interface Request {
  readonly command: ShowCommand
  /** Asked for by the box itself, which never asks twice. */
  readonly isOwn: boolean
}

export class Desk {
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #journal: Journal
  readonly #options: DeskOptions
  readonly #inbox: Request[] = []
  #isObeying = false
  /** Commands that were carried out and are on their way to the disk. */
  readonly #unanswered = new Set<string>()
  readonly #echoes = new Echoes()
  /** Refusals change nothing and are remembered in memory only: a flood of nonsense must not wear out the disk. */
  readonly #refusals = new Map<string, Answer>()

  constructor(log: Log, bus: Bus<Messages>, journal: Journal, options: DeskOptions) {
    this.#log = log
    this.#bus = bus
    this.#journal = journal
    this.#options = options
  }

  /** A command that comes while another is carried out, from somebody who listens, waits for the end of that one. */
  receive(request: Request): void {
    if (this.#inbox.length >= INBOX_MAX && request.command.action !== 'panic') {
      this.#refuse(request.command, 'command.refused', 'too many commands at once')
      return
    }
    this.#inbox.push(request)
    if (this.#isObeying) return
    this.#isObeying = true
    try {
      for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) this.#obey(next)
    } finally {
      this.#isObeying = false
    }
  }

  #obey({ command, isOwn }: Request): void {
    const first = this.#echoes.firstOf(command)
    // Its answer is on the way, and answers this one too.
    if (this.#unanswered.has(first ?? command.id)) return
    const known = this.#knownAnswer(command, first)
    if (known) {
      this.#answer(command, known)
      return
    }
    const { company } = this.#options
    const isOthers = company !== null && !company.decidesHere()
    if (isOthers || command.action === 'panic') company?.passOn(command)
    // Panic waits for nobody.
    if (isOthers && command.action !== 'panic') return
    const decision = this.#options.decide(command)
    if (decision.kind === 'refuse') {
      this.#refuse(command, decision.code, decision.message)
      return
    }
    this.#echoes.noteAccepted(command)
    this.#unanswered.add(command.id)
    const { events } = decision
    const place = isOthers ? null : this.share(command.id, events)
    this.#options.carryOut(events)
    const isAnybodys = company === null ? !isOwn : !isOthers
    this.#journal.keep({
      events,
      commandId: isAnybodys ? command.id : null,
      answer: ACCEPTED,
      place,
      done: answer => this.#whenShared(place, () => this.#finish(command, answer)),
    })
  }

  /** @param first another request for the same, which was accepted */
  #knownAnswer({ id }: ShowCommand, first: string | null): Answer | null {
    const own = this.#journal.answerTo(id) ?? this.#refusals.get(id)
    if (own || first === null) return own ?? null
    return this.#journal.answerTo(first) ?? ACCEPTED
  }

  /** What was decided here happens on the other boxes, too. @returns where it is in the log that they share */
  share(id: string, events: readonly ShowEvent[]): Place | null {
    let place: Place | null = null
    for (let from = 0; from < events.length; from += SHARED_MAX) {
      const part = from === 0 ? id : `${id}:${from}`
      place = this.#options.company?.share(part, events.slice(from, from + SHARED_MAX)) ?? null
    }
    return place
  }

  #whenShared(place: Place | null, finish: () => void): void {
    const { company } = this.#options
    if (place === null || company === null) finish()
    else company.whenShared(place, finish)
  }

  #finish(command: ShowCommand, answer: Answer): void {
    this.#unanswered.delete(command.id)
    this.#answer(command, answer)
  }

  #refuse(command: ShowCommand, code: string, message: string): void {
    const answer = { isAccepted: false, code, message: message.slice(0, 512) }
    this.#refusals.set(command.id, answer)
    forgetOldest(this.#refusals, COMMANDS_MAX)
    this.#log.info('command.refused', { action: command.action, origin: command.origin, message })
    this.#answer(command, answer)
  }

  #answer({ id, origin }: ShowCommand, answer: Answer): void {
    this.#bus.publish('command/answered', { id, origin, ...answer })
  }
}
