/**
 * The other boxes of the venue: one leads and decides, all carry out the same. Carries what the member decides to the
 * network, and what comes from there to the member. A box whose network is gone leads itself.
 */
import type { Bus } from '../../core/bus.js'
import { Door } from '../../core/door.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Company, Place, Player } from '../../ports/company.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { VenueLink } from '../../ports/venue-link.js'
import type { Messages, Payload, ShowCommand } from '../../topics.js'
import type { Answer } from './asks.js'
import { decode, encode, MESSAGE_BYTES_MAX, type Message } from './messages.js'
import type { Notice } from './notice.js'
import { OtherKeys } from './other-keys.js'
import { Refusals } from './refusals.js'
import { Seal } from './seal.js'
import { VenueMember } from './venue-member.js'
import { venueReport } from './venue-report.js'
import { WholeStates } from './whole-states.js'

const STATE_EVERY_MS = 1_000
const REOPEN_MS_MIN = 250
const REOPEN_MS_MAX = 2_000
const NOWHERE: Place = { epoch: 0, position: 0 }

export interface VenuePorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly keys: Keys
  readonly link: VenueLink
}

export interface VenueOptions {
  readonly tour: string
  readonly box: string
  readonly key: Uint8Array
  readonly canLead: boolean
  readonly isPreferred: boolean
}

export class Venue implements Service, Company<ShowCommand> {
  readonly name = 'venue'
  readonly #ports: VenuePorts
  readonly #options: VenueOptions
  #player: Player<ShowCommand> | null = null
  #life: Life | null = null

  constructor(ports: VenuePorts, options: VenueOptions) {
    this.#ports = ports
    this.#options = options
  }

  async start(): Promise<void> {
    // Without a show there is nothing to do together.
    if (this.#player === null) return
    this.#life = new Life(this.#ports, this.#options, this.#player)
    this.#life.begin()
  }

  async stop(): Promise<void> {
    const life = this.#life
    this.#life = null
    await life?.end()
  }

  join(player: Player<ShowCommand>): void {
    this.#player = player
  }

  leave(): void {
    this.#player = null
  }

  decidesHere(): boolean {
    return this.#life?.member.decidesHere() ?? false
  }

  passOn(command: ShowCommand): void {
    if (this.#life) this.#life.member.passOn(command)
    else if (command.action !== 'panic') this.#refuse(command)
  }

  share(id: string, events: readonly unknown[]): Place {
    return this.#life?.member.leader.share(id, events) ?? NOWHERE
  }

  whenShared(place: Place, done: () => void): void {
    if (this.#life) this.#life.member.leader.whenShared(place, done)
    else done()
  }

  leadMs(): number {
    return this.#life?.member.leader.leadMs() ?? 0
  }

  #refuse({ id, origin }: ShowCommand): void {
    const message = 'the box is not yet, or not any more, among those of the venue'
    const answer = { id, origin, isAccepted: false, code: 'venue.leaderless', message }
    this.#ports.bus.publish('command/answered', answer)
  }
}

/** From one start to the next stop. */
class Life {
  readonly member: VenueMember
  readonly #ports: VenuePorts
  readonly #seal: Seal
  readonly #states: WholeStates
  readonly #refusals: Refusals
  readonly #otherKeys: OtherKeys
  readonly #door: Door
  #cancels: Cancel[] = []
  #lastState = ''

  constructor(ports: VenuePorts, options: VenueOptions, player: Player<ShowCommand>) {
    const { clock, log, keys, link } = ports
    const { tour, box, key, canLead, isPreferred } = options
    this.#ports = ports
    this.#seal = new Seal(keys, key, tour)
    this.#door = new Door(clock, link, {
      retryMsMin: REOPEN_MS_MIN,
      retryMsMax: REOPEN_MS_MAX,
      opened: () => log.info('venue.link', { interface: link.interfaceName }),
      failed: error => log.warn('venue.no-link', { error }),
    })
    this.#refusals = new Refusals(clock, log, () => this.member.addresses())
    this.#otherKeys = new OtherKeys(clock, log)
    this.#states = new WholeStates(log, keys, link, this.#seal, {
      box,
      own: () => this.member.whole(),
      adopt: answer => this.member.adopt(answer),
    })
    this.member = new VenueMember(clock, {
      box,
      session: this.#seal.session,
      canLead,
      isPreferred,
      player,
      send: (message, to) => this.#send(message, to),
      fetch: from => void this.#states.fetch(from),
      answer: (command, answer) => this.#answer(command, answer),
      notice: notice => this.#take(notice),
    })
  }

  begin(): void {
    const { clock, bus, link } = this.#ports
    this.#cancels = [
      link.onDatagram((datagram, from) => this.#hear(datagram, from)),
      link.onRequest(question => this.#states.answer(question)),
      link.onLost(why => this.#door.lose(why)),
      bus.subscribe('command/answered', ({ id, ...answer }) =>
        this.member.leader.answered(id, answer),
      ),
      bus.subscribe('clock/stepped', ({ byMs }) => this.member.resetClock(byMs)),
      repeat(clock, STATE_EVERY_MS, async () => this.#tell()),
    ]
    this.#door.open()
    this.member.start()
    this.#tell()
  }

  async end(): Promise<void> {
    this.member.stop()
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#door.close()
  }

  #hear(datagram: Uint8Array, from: string): void {
    if (this.#refusals.isTooMuch(from)) {
      this.#refusals.add('flood', from)
      return
    }
    const opened = this.#seal.open(datagram)
    if (opened.kind === 'own') return
    if (opened.kind === 'other-key') this.#otherKeys.note(from)
    if (opened.kind !== 'opened') {
      this.#refusals.add(opened.kind === 'other-key' ? 'forged' : opened.kind, from)
      return
    }
    const message = opened.body.length > MESSAGE_BYTES_MAX ? null : decode(opened.body)
    if (message === null) this.#refusals.add('malformed', from)
    else this.member.receive(message, opened.session, from)
  }

  #send(message: Message, to: string | null): void {
    const body = encode(message)
    if (body.length <= MESSAGE_BYTES_MAX) this.#ports.link.send(this.#seal.seal(body), to)
    else this.#ports.log.error('venue.message-too-long', { kind: message.kind, bytes: body.length })
  }

  #answer({ id, origin }: ShowCommand, { isAccepted, code, message }: Answer): void {
    this.#ports.bus.publish('command/answered', { id, origin, isAccepted, code, message })
  }

  #take(notice: Notice): void {
    const { log, bus } = this.#ports
    const { leader, role, epoch } = this.member.leadership
    switch (notice.kind) {
      case 'role':
        log.info('venue.leader', { leader, role, epoch, why: notice.why })
        bus.publish('venue/leader-changed', { leader, role, epoch, why: notice.why })
        this.#tell()
        break
      case 'dropped':
        log.warn('venue.dropped', { leader, ids: notice.ids })
        bus.publish('venue/dropped', { leader, ids: [...notice.ids] })
        break
      case 'doubt':
        log.warn('venue.panic-told', {
          leader,
          unheard: notice.unheard,
          released: notice.released,
        })
        break
      case 'same-name':
        log.error('venue.same-name', { from: notice.from })
        this.#tell()
        break
      case 'mad':
        log.error('venue.mad', { box: notice.box })
        this.#tell()
        break
      case 'same-mark':
        log.error('venue.same-mark', { box: notice.box })
        break
      case 'not-played':
        log.error('venue.not-played', { id: notice.id })
    }
  }

  #tell(): void {
    const state: Payload<'venue/state'> = venueReport(this.member, {
      nowMs: this.#ports.clock.monotonicMs(),
      interfaceName: this.#ports.link.interfaceName,
      refused: this.#refusals.counts,
      trouble: this.#door.trouble ?? this.member.trouble ?? this.#otherKeys.trouble,
    })
    const text = JSON.stringify(state)
    if (text === this.#lastState) return
    this.#lastState = text
    this.#ports.bus.publish('venue/state', state)
  }
}
