/** What the box that leads does for the others: tells them what was decided, and decides what they ask. */
import { forgetOldest } from '../../core/oldest.js'
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Place, Player } from '../../ports/company.js'
import type { Answer } from './asks.js'
import { leadMsOf } from './delivery.js'
import type { Leadership } from './leadership.js'
import type { Member } from './members.js'
import { MEMBERS_MAX, type Message, type VenueCommand } from './messages.js'
import { isBefore } from './ranks.js'
import { Repeats } from './repeats.js'
import { Shares } from './shares.js'
import type { Chained, VenueLog } from './venue-log.js'

const ASKERS_MAX = 256
/** Entries that are sent again at once; whoever lacks more asks again. */
const RESENT_MAX = 64
/** A box asks half as often: one that has gone mad must not make the leader talk without an end. */
const HELP_EVERY_MS = 20

export interface LeaderOptions {
  readonly box: string
  readonly log: VenueLog
  readonly leadership: Pick<Leadership, 'role' | 'epoch' | 'base' | 'party'>
  readonly player: Player<VenueCommand>
  readonly send: (message: Message, to: string | null) => void
}

export class Leader {
  readonly #clock: Clock
  readonly #options: LeaderOptions
  readonly #shares: Shares
  readonly #repeats: Repeats
  /** Who waits for the answer to which command. */
  readonly #askers = new Map<string, string>()
  /** When each box was last told what it lacks. */
  readonly #helpedAt = new Map<string, MonotonicMs>()

  constructor(clock: Clock, options: LeaderOptions) {
    this.#clock = clock
    this.#options = options
    this.#shares = new Shares(clock)
    this.#repeats = new Repeats(clock)
  }

  /** Nobody who follows could hear of anything any more, or another box leads. */
  end(): void {
    this.#shares.endAll()
  }

  stop(): void {
    this.#repeats.stop()
    this.#shares.endAll()
  }

  share(id: string, events: readonly unknown[]): Place {
    const { log, leadership } = this.#options
    const entry = log.append(leadership.epoch, { id, events, at: this.#clock.monotonicMs() })
    this.#repeats.entry(() => this.#send(entry, null))
    return entry.place
  }

  whenShared(place: Place, done: () => void): void {
    const party = this.#options.leadership.party()
    // Mostly it has arrived there before it was on the disk here.
    if (party.length === 0 || party.some(({ beat }) => !isBefore(beat.head, place))) done()
    else this.#shares.wait(place, done)
  }

  leadMs(): number {
    return leadMsOf(this.#options.leadership.party().map(({ beat }) => beat.deliveryP99Ms))
  }

  /** A follower says how far it is. */
  reached(head: Place): void {
    this.#shares.reached(head)
  }

  /** The show has answered a command: perhaps one that another box asks. */
  answered(id: string, { isAccepted, code, message }: Answer): void {
    const { box, send, leadership } = this.#options
    const to = this.#askers.get(id)
    if (to !== undefined && leadership.role === 'leading')
      send({ kind: 'answer', box, id, isAccepted, code, message }, to)
  }

  hear(
    message: Extract<Message, { kind: 'want' | 'offer' | 'ask' | 'released' }>,
    member: Member,
  ): void {
    if (message.kind === 'want') this.#help(member, message.head)
    else if (message.kind === 'ask') this.#takeAsk(message.command, member)
    else if (message.kind === 'released') this.#options.player.noteReleased(message.ids)
    else this.#takeOffer(message.id, message.events)
  }

  #takeAsk(command: VenueCommand, { address }: Member): void {
    this.#askers.delete(command.id)
    this.#askers.set(command.id, address)
    forgetOldest(this.#askers, ASKERS_MAX)
    this.#options.player.obey(command)
  }

  /** What an earlier leader has decided, and only some have heard. */
  #takeOffer(id: string, events: readonly unknown[]): void {
    const { player, log } = this.#options
    if (log.ids.includes(id) || player.knows(id)) return
    player.play({ place: this.share(id, events), id, events }, 0)
  }

  #help({ box: asker, address }: Member, head: Place): void {
    if (!this.#mayHelp(asker)) return
    const { box, send, log, leadership } = this.#options
    const { epoch, base } = leadership
    const lacking = log.after(head)
    if (lacking === null) send({ kind: 'behind', box, epoch, base: { ...base } }, address)
    for (const entry of lacking?.slice(0, RESENT_MAX) ?? []) this.#send(entry, address)
  }

  #mayHelp(asker: string): boolean {
    const now = this.#clock.monotonicMs()
    const last = this.#helpedAt.get(asker)
    if (last !== undefined && now < after(last, HELP_EVERY_MS)) return false
    this.#helpedAt.delete(asker)
    this.#helpedAt.set(asker, now)
    forgetOldest(this.#helpedAt, MEMBERS_MAX)
    return true
  }

  #send({ place, before, id, events }: Chained, to: string | null): void {
    const { box, send, leadership } = this.#options
    if (leadership.role !== 'leading') return
    const places = { place: { ...place }, before: { ...before } }
    send({ kind: 'entry', box, ...places, id, events: [...events] }, to)
  }
}
