/**
 * Keeps up with whoever leads: carries out its entries in order, asks for what is lacking, and where the two logs went
 * different ways, or the states do, asks for the whole state.
 */
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Doubt, Place, Player } from '../../ports/company.js'
import { APART_MS, Delivery } from './delivery.js'
import type { Member } from './members.js'
import type { Beat, EntryMessage, Message, VenueCommand, WholeAnswer } from './messages.js'
import { isBefore, isSame } from './ranks.js'
import type { Chained, VenueLog } from './venue-log.js'

const WANT_EVERY_MS = 40
const FETCH_EVERY_MS = 300
/** What is older is no orphan of a leader that has just died, but of another evening. */
const ORPHAN_MS_MAX = 2_000
/** Beats in a row with another fingerprint at the same place: what differs by then does not pass. */
const STRANGE_MAX = 10

export interface FollowerOptions {
  readonly box: string
  /** The log, and the reigns that this box itself began in it. */
  readonly log: VenueLog
  readonly ownEpochs: ReadonlySet<number>
  readonly player: Player<VenueCommand>
  readonly send: (message: Message, to: string | null) => void
  /** The whole state is wanted of that box. */
  readonly fetch: (member: Member) => void
  /** What the leader decided is nothing that this box knows. */
  readonly notPlayed: (id: string) => void
  /** Everything up to the log's head has been carried out. */
  readonly reached: () => void
  /** What was decided here while another box led the venue counts no more. */
  readonly dropped: (entries: readonly Chained[]) => void
  /** What this box knows better than the leader. */
  readonly doubted: (doubt: Doubt) => void
}

export class Follower {
  readonly #clock: Clock
  readonly #options: FollowerOptions
  readonly #delivery = new Delivery()
  #wantedAt: MonotonicMs | null = null
  #fetchedAt: MonotonicMs | null = null
  #mayHaveOrphans = false
  /** The leader has what this box has: its log goes on from there. */
  #isInStep = false
  #strangeCount = 0
  /** Since this leader leads, the states were equal once. */
  #isSettled = false
  /** By which what is carried out was moved. */
  #shiftMs = 0

  constructor(clock: Clock, options: FollowerOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** A command with its moment by the leader's show time. */
  forLeader(command: VenueCommand): VenueCommand {
    const { atShowMs } = command
    return atShowMs === undefined ? command : { ...command, atShowMs: atShowMs - this.#shiftMs }
  }

  get delivery(): Pick<Delivery, 'apartMs' | 'p99Ms'> {
    return this.#delivery
  }

  /**
   * Another box leads now.
   * @param isBereaved nobody led meanwhile: what the last leader decided may have been heard here alone
   */
  begin({ isBereaved }: { readonly isBereaved: boolean }): void {
    this.#mayHaveOrphans = isBereaved
    this.#isInStep = false
    this.#shiftMs = 0
    this.#delivery.reset()
    this.#options.log.forgetEarly()
    this.#wantedAt = null
    this.#fetchedAt = null
    this.#strangeCount = 0
    this.#isSettled = false
  }

  /** The own timeline was set, and everything with it: what was known of the leader's is void. */
  resetClock(byMs: number): void {
    const shiftMs = this.#shiftMs + byMs
    // Small steps are steering, which moves nothing.
    if (Math.abs(byMs) > APART_MS) this.#shiftMs = Math.abs(shiftMs) > APART_MS ? shiftMs : 0
    this.#delivery.reset()
  }

  hearBeat(leader: Member): void {
    const { beat } = leader
    this.#delivery.note(beat.count, beat.showMs, this.#clock.showTimeMs())
    const { log } = this.#options
    if (isSame(beat.head, log.head)) {
      this.#isInStep = true
      if (this.#isStrange(beat) || this.#hasDrifted()) this.#fetch(leader)
      return
    }
    this.#strangeCount = 0
    this.#want(leader)
  }

  /** What was taken over was moved by what is not true any more. */
  #hasDrifted(): boolean {
    return Math.abs(this.#delivery.apartMs - this.#shiftMs) > APART_MS
  }

  hearEntry(leader: Member, { place, before, id, events }: EntryMessage): void {
    const { log, player, notPlayed } = this.#options
    if (isBefore(place, log.head) && log.has(place)) return
    const taken = log.take({ place, before, id, events, at: this.#clock.monotonicMs() })
    if (taken === null) {
      this.#want(leader)
      return
    }
    for (const entry of taken) if (!player.play(entry, this.#shiftMs)) notPlayed(entry.id)
    if (taken.length === 0) return
    this.#isInStep = true
    this.#options.reached()
  }

  /** The leader knows nothing that goes on from here. What the one before it decided may be new to it. */
  hearBehind(leader: Member, base: Place): void {
    const { send, box } = this.#options
    for (const { id, events } of this.#mayHaveOrphans ? this.#orphansAfter(base) : [])
      send({ kind: 'offer', box, id, events: [...events] }, leader.address)
    this.#mayHaveOrphans = false
    this.#fetch(leader)
  }

  /** The whole state has come. @returns whether it was taken */
  adopt(answer: WholeAnswer): boolean {
    const { log, player, ownEpochs, dropped, doubted } = this.#options
    const { place, ids, state } = answer
    // It was asked for before the entries came that have gone on from it.
    if (this.#isInStep && isBefore(place, log.head) && log.has(place)) return false
    const known = new Set(ids)
    const own = log.all.filter(entry => ownEpochs.has(entry.place.epoch) && !known.has(entry.id))
    const shiftMs = this.#delivery.apartMs
    const doubt = player.adopt(state, place, { ids, shiftMs })
    if (doubt === null) return false
    log.restart(place, ids)
    if (own.length > 0) dropped(own)
    doubted(doubt)
    this.#isInStep = true
    this.#shiftMs = shiftMs
    this.#strangeCount = 0
    this.#options.reached()
    return true
  }

  #orphansAfter(base: Place): readonly Chained[] {
    const { log, ownEpochs } = this.#options
    const since = after(this.#clock.monotonicMs(), -ORPHAN_MS_MAX)
    return (log.after(base) ?? []).filter(
      ({ place, at }) => !ownEpochs.has(place.epoch) && at > since,
    )
  }

  /**
   * What this box did alone until just now, like a follow that was taken back without it, is set right at once. Later a
   * difference is rather that of two looks at a state that changes.
   */
  #isStrange({ fingerprint }: Beat): boolean {
    const isEqual = fingerprint === this.#options.player.fingerprint()
    if (isEqual) this.#isSettled = true
    this.#strangeCount = isEqual || this.#delivery.apartMs !== 0 ? 0 : this.#strangeCount + 1
    return this.#strangeCount >= (this.#isSettled ? STRANGE_MAX : 1)
  }

  #want({ address, beat }: Member): void {
    const { box, log, send } = this.#options
    // A leader that has just met a newer reign begins one that is newer still; until then it is behind.
    if (beat.epoch < log.head.epoch) return
    const now = this.#clock.monotonicMs()
    if (this.#wantedAt !== null && now < after(this.#wantedAt, WANT_EVERY_MS)) return
    this.#wantedAt = now
    send({ kind: 'want', box, epoch: beat.epoch, head: { ...log.head } }, address)
  }

  #fetch(leader: Member): void {
    const now = this.#clock.monotonicMs()
    if (this.#fetchedAt !== null && now < after(this.#fetchedAt, FETCH_EVERY_MS)) return
    this.#fetchedAt = now
    this.#options.fetch(leader)
  }
}
