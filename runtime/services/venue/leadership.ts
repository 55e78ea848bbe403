/**
 * Who leads, as this box sees it. Who is silent for a lease is gone; then, when all have had time to say how far they are,
 * the box that knows most begins a reign of its own. Two leaders that meet settle it by how many follow each.
 */
import { after, later } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Place } from '../../ports/company.js'
import { LEASE_MS, type Member, type Members } from './members.js'
import type { Beat } from './messages.js'
import { byClaim, byFitness, byParty, epochAfter, isSame, markOf } from './ranks.js'

/** How long it is left open who goes on: all have noticed by then, and said how far they are. */
export const ELECTION_MS = 150
/** Whoever has just come listens for so long. */
export const LISTEN_MS = LEASE_MS + ELECTION_MS
const OWN_EPOCHS_MAX = 256

export type Role = Beat['role']

export interface LeadershipOptions {
  readonly box: string
  readonly show: string
  readonly canLead: boolean
  readonly isPreferred: boolean
  /** Its disk works. */
  readonly isKeeping: () => boolean
  readonly head: () => Place
  /** It leads from now on, or follows, or neither; `why` is for people. */
  readonly changed: (why: string) => void
  /** It begins to decide. */
  readonly leads: () => void
  /** It begins to be led; `isBereaved`: nobody led meanwhile. */
  readonly follows: (leader: Member, isBereaved: boolean) => void
  /** Nobody is there any more who could have heard. */
  readonly left: () => void
  /** Nobody else is there although somebody was, or somebody is again. */
  readonly lost: (isLost: boolean) => void
  /** A box whose reigns would have the same numbers; the one that comes later by name never leads. */
  readonly sameMark: (box: string) => void
}

export class Leadership {
  readonly #clock: Clock
  readonly #members: Members
  readonly #options: LeadershipOptions
  readonly #ownEpochs = new Set<number>()
  #role: Role = 'listening'
  #leader: string | null = null
  #epoch = 0
  #seenEpoch = 0
  #base: Place = { epoch: 0, position: 0 }
  #electAt: MonotonicMs
  #lookedAt: MonotonicMs
  #isSettled = false
  #hasFollowed = false
  #isLost = false
  #mayLead: boolean
  #hasCompany = false
  /** Who said good-bye: that others still follow it means nothing. */
  #gone: string | null = null

  constructor(clock: Clock, members: Members, options: LeadershipOptions) {
    this.#clock = clock
    this.#members = members
    this.#options = options
    this.#mayLead = options.canLead
    this.#lookedAt = clock.monotonicMs()
    this.#electAt = after(this.#lookedAt, LISTEN_MS)
  }

  get role(): Role {
    return this.#role
  }

  /** Who leads, be it this box; null while it is not known. */
  get leader(): string | null {
    return this.#leader
  }

  get epoch(): number {
    return this.#epoch
  }

  /** The newest reign that was heard of. */
  get seenEpoch(): number {
    return this.#seenEpoch
  }

  /** Where its reign began. */
  get base(): Place {
    return this.#base
  }

  get ownEpochs(): ReadonlySet<number> {
    return this.#ownEpochs
  }

  get mayLead(): boolean {
    return this.#mayLead
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** When it must be looked at again, whatever is heard by then; null while it leads. */
  get lookAt(): MonotonicMs | null {
    if (this.#role === 'leading') return null
    const leader = this.#role === 'following' ? this.#members.get(this.#leader) : null
    return leader ? after(leader.heardAt, LEASE_MS + 1) : this.#electAt
  }

  /** Who leads others, and is not heard here; null where there is none. */
  get unheard(): string | null {
    if (this.#role !== 'listening' || this.#clock.monotonicMs() < this.#electAt) return null
    return this.others().find(({ beat }) => this.#isLed(beat))?.beat.leader ?? null
  }

  /** The boxes that are there, and play the same show. */
  others(): readonly Member[] {
    const { show } = this.#options
    return this.#members.live(this.#clock.monotonicMs()).filter(({ beat }) => beat.show === show)
  }

  /** Those that follow this box. */
  party(): readonly Member[] {
    const { box } = this.#options
    return this.others().filter(({ beat }) => beat.leader === box)
  }

  /** A reign that was heard of, or that the journal knows. */
  note(epoch: number): void {
    this.#seenEpoch = Math.max(this.#seenEpoch, epoch)
  }

  /** The reign of the leader, as it says. */
  ledIn(epoch: number): void {
    this.note(epoch)
    if (this.#role === 'following') this.#epoch = epoch
  }

  compareMarks(other: string): void {
    const { box, sameMark } = this.#options
    if (!this.#mayLead || other > box || markOf(other) !== markOf(box)) return
    this.#mayLead = false
    sameMark(other)
  }

  /** A box has said good-bye. */
  bye(box: string): void {
    this.#members.remove(box)
    if (box !== this.#leader) return
    this.#gone = box
    this.#listen(0, 'its leader has said good-bye')
  }

  /** @param spokeAt when this box was last heard by anybody */
  look(spokeAt: MonotonicMs): void {
    const now = this.#clock.monotonicMs()
    const restedMs = now - this.#lookedAt
    this.#lookedAt = now
    // Whoever stood still has yet to read what came meanwhile.
    if (restedMs > ELECTION_MS) this.#electAt = later(this.#electAt, after(now, ELECTION_MS))
    if (this.#role === 'leading') this.#lookAsLeader(now, spokeAt)
    else this.#lookAsFollower(now)
  }

  #lookAsLeader(now: MonotonicMs, spokeAt: MonotonicMs): void {
    if (this.#hasCompany && now > after(spokeAt, LEASE_MS)) {
      // Another may lead by now.
      this.#listen(LISTEN_MS, 'it stood still for longer than its lease')
      return
    }
    const others = this.others()
    const rival = strongest(others)
    if (rival && byParty(rival.beat, this.#standing()) < 0) {
      this.#follow(rival, 'it met a leader with a better claim')
      return
    }
    const seen = Math.max(0, ...others.map(({ beat }) => Math.max(beat.epoch, beat.head.epoch)))
    if (seen > this.#epoch) this.#reign('it met a newer reign')
    else if (this.party().some(({ beat }) => this.#isHeir(beat)))
      this.#listen(ELECTION_MS, 'it leaves the lead to a box that is fitter for it')
    this.#noteCompany(others.length > 0)
  }

  #noteCompany(hasCompany: boolean): void {
    if (hasCompany) this.#setLost(false)
    else if (this.#hasCompany) this.#options.left()
    this.#hasCompany = hasCompany
  }

  #lookAsFollower(now: MonotonicMs): void {
    const leader = strongest(this.others())
    if (leader) {
      if (leader.box !== this.#leader) this.#follow(leader, 'it leads')
      return
    }
    if (this.#role === 'following') this.#listen(ELECTION_MS, 'its leader is silent')
    if (now < this.#electAt) return
    this.#isSettled = true
    this.#elect()
  }

  #elect(): void {
    const others = this.others()
    if (others.some(({ beat }) => this.#isLed(beat))) return
    const own = this.#standing()
    const ready = [own, ...others.map(({ beat }) => beat)].filter(
      ({ isSettled }) => isSettled || !this.#hasFollowed,
    )
    const willing = ready.filter(({ canLead }) => canLead)
    // Where nobody should, somebody must.
    const [best] = (willing.length > 0 ? willing : ready).sort(byClaim)
    if (best !== own) return
    this.#base = this.#options.head()
    this.#hasCompany = others.length > 0
    this.#reign(this.#hasCompany ? 'it knows most' : 'nobody else is there')
    if (!this.#hasCompany && this.#hasFollowed) this.#setLost(true)
    this.#options.leads()
  }

  /** It still hears a leader that this box does not. */
  #isLed({ role, leader }: Beat): boolean {
    return role === 'following' && leader !== this.#gone && leader !== this.#options.box
  }

  /** A reign after all that were seen. */
  #reign(why: string): void {
    const { box } = this.#options
    this.#epoch = epochAfter(Math.max(this.#seenEpoch, this.#options.head().epoch), box)
    this.note(this.#epoch)
    this.#ownEpochs.add(this.#epoch)
    const [oldest] = this.#ownEpochs
    if (this.#ownEpochs.size > OWN_EPOCHS_MAX && oldest !== undefined)
      this.#ownEpochs.delete(oldest)
    this.#become('leading', box, why)
  }

  #follow(leader: Member, why: string): void {
    const isBereaved = this.#role === 'listening' && this.#hasFollowed
    this.#epoch = leader.beat.epoch
    this.#hasFollowed = true
    this.#isSettled = true
    this.#gone = null
    this.#become('following', leader.box, why)
    this.#setLost(false)
    this.#options.follows(leader, isBereaved)
  }

  #listen(ms: number, why: string): void {
    this.#electAt = after(this.#clock.monotonicMs(), ms)
    this.#become('listening', null, why)
  }

  #become(role: Role, leader: string | null, why: string): void {
    this.#role = role
    this.#leader = leader
    this.#options.changed(why)
  }

  #setLost(isLost: boolean): void {
    if (isLost === this.#isLost) return
    this.#isLost = isLost
    this.#options.lost(isLost)
  }

  #isHeir(beat: Beat): boolean {
    const own = { canLead: this.#mayLead, isKeeping: this.#options.isKeeping() }
    return byFitness(beat, own) < 0 && isSame(beat.head, this.#options.head())
  }

  /** What this box says of itself. */
  #standing(): Pick<
    Beat,
    'box' | 'head' | 'party' | 'epoch' | 'canLead' | 'isKeeping' | 'isPreferred' | 'isSettled'
  > {
    const { box, head, isPreferred, isKeeping } = this.#options
    return {
      box,
      head: head(),
      party: this.party().length + 1,
      epoch: this.#epoch,
      canLead: this.#mayLead,
      isKeeping: isKeeping(),
      isPreferred,
      isSettled: this.#isSettled,
    }
  }
}

const strongest = (members: readonly Member[]): Member | undefined =>
  members
    .filter(({ beat }) => beat.role === 'leading')
    .sort((one, other) => byParty(one.beat, other.beat))[0]
