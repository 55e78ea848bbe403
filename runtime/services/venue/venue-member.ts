/**
 * One box among those of a venue. One box decides at a time; what it decides is the log that all carry out. Messages and
 * commands go in, messages and what must happen come out; sockets and keys are somebody else's.
 */
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Place } from '../../ports/company.js'
import { Asks } from './asks.js'
import { insist } from './doubts.js'
import { Follower } from './follower.js'
import { beatOf, Heartbeat } from './heartbeat.js'
import { Leader } from './leader.js'
import { Leadership } from './leadership.js'
import { NOT_KEEPING, type VenueMemberOptions } from './member-options.js'
import { type Member, Members } from './members.js'
import type { Beat, Message, VenueCommand, WholeAnswer } from './messages.js'
import { Panics } from './panics.js'
import { isBelievable } from './ranks.js'
import { Strangers } from './strangers.js'
import { VenueLog } from './venue-log.js'

/** While it waits for another box to lead, it looks again so often. */
const LOOK_MS = 25
/** Of a show's digest, for the beat. */
const SHOW_LENGTH = 16
const NOWHERE: Place = { epoch: 0, position: 0 }

export class VenueMember {
  readonly #clock: Clock
  readonly #options: VenueMemberOptions
  readonly #members: Members
  readonly #log: VenueLog
  readonly #leadership: Leadership
  readonly #follower: Follower
  readonly #asks: Asks
  readonly #heartbeat: Heartbeat
  readonly #leader: Leader
  readonly #panics: Panics
  readonly #strangers: Strangers
  /** The own show time when a leader was last heard. */
  #ledShowMs: number
  #refusedCount = 0
  #cancelLook: Cancel = () => {}
  #isStopped = false

  constructor(clock: Clock, options: VenueMemberOptions) {
    const { player, box, canLead, isPreferred, send, fetch, answer } = options
    this.#clock = clock
    this.#options = options
    this.#ledShowMs = clock.showTimeMs()
    this.#members = new Members(options.session)
    this.#strangers = new Strangers(clock, options.notice)
    // A box that went mad has its nonsense on the disk, too.
    const place = isBelievable(player.place, NOWHERE) ? player.place : NOWHERE
    this.#log = new VenueLog(place, player.ids)
    this.#panics = new Panics(clock, command => send({ kind: 'panic', box, command }, null))
    const isDone = (id: string): boolean => this.#log.ids.includes(id)
    this.#asks = new Asks(clock, { send: command => this.#ask(command), answer, isDone })
    this.#heartbeat = new Heartbeat(clock, {
      make: count => this.#makeBeat(count),
      send: beat => send(beat, null),
      before: () => this.#look(),
    })
    this.#leadership = new Leadership(clock, this.#members, {
      box,
      show: player.digest.slice(0, SHOW_LENGTH),
      canLead,
      isPreferred,
      isKeeping: () => player.isKeeping,
      head: () => this.#log.head,
      changed: why => this.#changed(why),
      leads: () => this.#lead(),
      follows: (leader, isBereaved) => this.#follow(leader, isBereaved),
      left: () => this.#leader.end(),
      lost: isLost => player.noteLost(isLost),
      sameMark: other => options.notice({ kind: 'same-mark', box: other }),
    })
    const leadership = this.#leadership
    this.#leader = new Leader(clock, { box, log: this.#log, leadership, player, send })
    this.#follower = new Follower(clock, {
      box,
      log: this.#log,
      ownEpochs: this.#leadership.ownEpochs,
      player,
      send,
      fetch,
      // Whoever leads hears how far this box is.
      reached: () => this.#heartbeat.beat(),
      notPlayed: id => options.notice({ kind: 'not-played', id }),
      dropped: entries => options.notice({ kind: 'dropped', ids: entries.map(({ id }) => id) }),
      doubted: doubt =>
        insist(doubt, options, { asks: this.#asks, leader: this.#members.get(leadership.leader) }),
    })
  }

  start(): void {
    this.#leadership.note(this.#log.head.epoch)
    this.#heartbeat.beat()
    this.#rest()
  }

  /** Says good-bye, so that another box goes on at once. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#heartbeat.stop()
    this.#cancelLook()
    this.#asks.stop()
    this.#panics.stop()
    this.#leader.stop()
    for (let count = 0; count < 3; count++)
      this.#options.send({ kind: 'bye', box: this.#options.box }, null)
  }

  get options(): Pick<VenueMemberOptions, 'box'> {
    return this.#options
  }

  /** What it does while it leads. */
  get leader(): Pick<Leader, 'share' | 'whenShared' | 'leadMs' | 'answered'> {
    return this.#leader
  }

  get leadership(): Pick<Leadership, 'role' | 'leader' | 'epoch'> {
    return this.#leadership
  }

  get head(): Place {
    return this.#log.head
  }

  get delivery(): Follower['delivery'] {
    return this.#follower.delivery
  }

  /** Messages of boxes that may not say so, or not any more. */
  get refusedCount(): number {
    return this.#refusedCount + this.#members.turnedAwayCount
  }

  /** What a person should look after, in words. */
  get trouble(): string | null {
    const { unheard } = this.#leadership
    const isCut = unheard === null ? null : `${unheard} leads, and is heard by others, not here`
    const isKept = this.#options.player.isKeeping ? null : NOT_KEEPING
    return this.#strangers.trouble ?? isCut ?? isKept
  }

  members(): readonly Member[] {
    return this.#members.all(this.#clock.monotonicMs())
  }

  /** Of boxes that are there. */
  addresses(): readonly string[] {
    return this.members().flatMap(({ isProven, address }) => (isProven ? address : []))
  }

  isSameShow({ beat }: Member): boolean {
    return this.#options.player.digest.startsWith(beat.show) && beat.show.length === SHOW_LENGTH
  }

  decidesHere(): boolean {
    this.#look()
    return this.#leadership.role === 'leading'
  }

  passOn(command: VenueCommand): void {
    this.#panics.tell(command)
    if (this.#leadership.role !== 'leading') this.#asks.add(command)
  }

  /** The own timeline was set. */
  resetClock(byMs: number): void {
    this.#ledShowMs += byMs
    this.#follower.resetClock(byMs)
  }

  /** @param session of the sender, as its seal proves */
  receive(message: Message, session: string, from: string): void {
    if (this.#isStopped) return
    if (message.box === this.#options.box) {
      this.#refusedCount++
      this.#strangers.note({ kind: 'same-name', from })
      return
    }
    if (!this.#isBelievable(message)) return
    // A leader that has stood still is none any more, whatever it hears first.
    this.#look()
    if (message.kind === 'beat') {
      const at = { now: this.#clock.monotonicMs(), showMs: this.#clock.showTimeMs() }
      const member = this.#members.note(message, session, from, at)
      if (member?.isProven && this.isSameShow(member)) this.#hearBeat(member)
    } else this.#hearSpoken(message, session)
    this.#look()
  }

  /** The whole state of another box has come. */
  adopt(answer: WholeAnswer): void {
    const { role, leader } = this.#leadership
    if (this.#isStopped || role !== 'following' || answer.box !== leader) return
    if (this.#isBelievable(answer)) this.#follower.adopt(answer)
  }

  /** Of this box, for another one. */
  whole(): WholeAnswer {
    const { player, box } = this.#options
    const { epoch } = this.#leadership
    const { head, ids } = this.#log
    return { box, epoch, place: { ...head }, ids: [...ids], state: player.whole() }
  }

  #isBelievable(said: Message | WholeAnswer): boolean {
    const { seenEpoch } = this.#leadership
    const isIt = this.#strangers.believe(said, { ...this.#log.head, epoch: seenEpoch })
    if (!isIt) this.#refusedCount++
    return isIt
  }

  #hearBeat(member: Member): void {
    const { beat } = member
    const { role, leader } = this.#leadership
    this.#leadership.note(Math.max(beat.epoch, beat.head.epoch))
    this.#leadership.compareMarks(beat.box)
    if (role === 'leading' && beat.leader === this.#options.box) this.#leader.reached(beat.head)
    if (role !== 'following' || beat.box !== leader || beat.role !== 'leading') return
    this.#leadership.ledIn(beat.epoch)
    this.#ledShowMs = this.#clock.showTimeMs()
    this.#follower.hearBeat(member)
  }

  #hearSpoken(message: Exclude<Message, Beat>, session: string): void {
    const member = this.#members.speaker(message.box, session)
    // Panic is one whatever is played.
    const isHeeded = member !== null && (message.kind === 'panic' || this.isSameShow(member))
    if (isHeeded) this.#hear(message, member)
    else this.#refusedCount++
  }

  #hear(message: Exclude<Message, Beat>, member: Member): void {
    switch (message.kind) {
      case 'entry':
      case 'behind':
      case 'answer':
        if (member.box !== this.#leadership.leader) this.#refusedCount++
        else this.#hearLeader(message, member)
        break
      case 'want':
      case 'offer':
      case 'ask':
      case 'released':
        if (this.#leadership.role === 'leading') this.#leader.hear(message, member)
        break
      case 'panic':
        if (this.#panics.tell(message.command)) this.#options.player.obey(message.command)
        break
      case 'bye':
        this.#leadership.bye(member.box)
    }
  }

  #hearLeader(
    message: Extract<Message, { kind: 'entry' | 'behind' | 'answer' }>,
    leader: Member,
  ): void {
    if (message.kind === 'answer') this.#asks.answered(message.id, message)
    else if (message.kind === 'behind') this.#follower.hearBehind(leader, message.base)
    else {
      this.#leadership.ledIn(Math.max(this.#leadership.epoch, message.place.epoch))
      this.#follower.hearEntry(leader, message)
    }
  }

  #look(): void {
    if (this.#isStopped) return
    this.#leadership.look(this.#heartbeat.spokeAt)
    this.#rest()
  }

  #changed(why: string): void {
    const { role, leader } = this.#leadership
    if (role !== 'leading') this.#options.player.standDown()
    this.#heartbeat.beat()
    this.#options.notice({ kind: 'role', role, leader, why })
  }

  #lead(): void {
    const { player } = this.#options
    player.takeOver(this.#ledShowMs)
    for (const command of this.#asks.take()) player.obey(command)
  }

  #follow(leader: Member, isBereaved: boolean): void {
    this.#leader.end()
    this.#ledShowMs = this.#clock.showTimeMs()
    this.#follower.begin({ isBereaved })
    this.#follower.hearBeat(leader)
    this.#asks.hurry()
  }

  #ask(command: VenueCommand): void {
    const { role, leader } = this.#leadership
    const to = role === 'following' ? this.#members.get(leader) : null
    if (!to) return
    const { box, send } = this.#options
    send({ kind: 'ask', box, command: this.#follower.forLeader(command) }, to.address)
  }

  #makeBeat(count: number): Beat {
    const now = this.#clock.monotonicMs()
    return beatOf(this.#options, this.#leadership, {
      count,
      show: this.#options.player.digest.slice(0, SHOW_LENGTH),
      head: { ...this.#log.head },
      showMs: this.#clock.showTimeMs(),
      boundMs: this.#clock.showErrorMs(),
      deliveryP99Ms: this.#follower.delivery.p99Ms,
      hears: [...this.#members.hearings(now)],
    })
  }

  #rest(): void {
    this.#cancelLook()
    const at = this.#leadership.lookAt
    if (at === null || this.#isStopped) return
    const now = this.#clock.monotonicMs()
    const due = at > now ? at : after(now, LOOK_MS)
    this.#cancelLook = this.#clock.runAt(due, () => this.#look())
  }
}
