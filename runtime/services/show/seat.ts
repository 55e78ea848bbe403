/**
 * The show's seat among the boxes of a venue: carries out here what another box decides, and gives and takes whole states.
 * Boxes that carry out the same events in the same order show the same.
 */
import { list } from '../../core/schema.js'
import type { AdoptTerms, Doubt, Place, Player, SharedEntry } from '../../ports/company.js'
import type { ShowCommand } from '../../topics.js'
import type { CheckedShow } from './checked-show.js'
import { rebased } from './fold.js'
import { ACCEPTED, type Journal } from './journal.js'
import { meet } from './panics.js'
import { type ShowEvent, type ShowState, showEvent, showState } from './state.js'

/** Fires that are known to have happened here. */
const FIRED_MAX = 512
const sharedEvents = list(showEvent, { max: 16 })

export interface SeatOptions {
  readonly nowMs: () => number
  readonly state: () => ShowState
  readonly obey: (command: ShowCommand) => void
  readonly carryOut: (events: readonly ShowEvent[]) => void
  readonly takeOn: (state: ShowState) => void
  /** What happens on all boxes, and nobody has asked for. */
  readonly happen: (events: readonly ShowEvent[]) => void
  readonly takeOver: (sinceShowMs: number) => void
  readonly standDown: () => void
  readonly noteLost: (isLost: boolean) => void
}

export class Seat implements Player<ShowCommand> {
  readonly digest: string
  readonly #show: CheckedShow
  readonly #journal: Journal
  readonly #options: SeatOptions
  readonly #fired = new Set<string>()
  #isLeading = false
  #printed: { readonly state: ShowState; readonly fingerprint: number } | null = null

  constructor(show: CheckedShow, journal: Journal, options: SeatOptions) {
    this.digest = show.digest
    this.#show = show
    this.#journal = journal
    this.#options = options
  }

  /** What had happened before the start. */
  begin({ fires, waiting }: ShowState): void {
    const toCome = new Set(waiting.flatMap(({ deed }) => (deed.kind === 'fire' ? deed.id : [])))
    for (const id of fires) if (!toCome.has(id)) this.#fired.add(id)
  }

  /**
   * A fire takes effect: whether for the first time. What happened here while another box led the venue may come again,
   * under the leader that counts; then the lights follow, and nothing is done twice.
   */
  isFirst(id: string): boolean {
    if (this.#fired.has(id)) return false
    this.#fired.add(id)
    const [oldest] = this.#fired
    if (this.#fired.size > FIRED_MAX && oldest !== undefined) this.#fired.delete(oldest)
    return true
  }

  get isLeading(): boolean {
    return this.#isLeading
  }

  get place(): Place {
    return this.#journal.place
  }

  get isKeeping(): boolean {
    return this.#journal.isKeeping
  }

  get ids(): readonly string[] {
    return this.#journal.ids
  }

  obey(command: ShowCommand): void {
    this.#options.obey(command)
  }

  play({ place, id, events }: SharedEntry, shiftMs: number): boolean {
    const read = sharedEvents.safeParse(events)
    const played = read.success ? read.data.map(event => shifted(event, shiftMs)) : []
    this.#options.carryOut(played)
    this.#journal.keep({ events: played, commandId: id, answer: ACCEPTED, place, done: () => {} })
    return read.success
  }

  whole(): ShowState {
    return this.#options.state()
  }

  adopt(whole: unknown, place: Place, { ids, shiftMs }: AdoptTerms): Doubt | null {
    const read = showState.safeParse(whole)
    const count = this.#show.outputs.length
    if (!read.success || read.data.segments.length !== count || read.data.manual.length !== count)
      return null
    const own = this.#options.state()
    const moved = rebased(read.data, shiftMs)
    const { panic, panics, unheard, released } = meet(own, moved, ids)
    const state = { ...moved, lost: own.lost, panic, panics }
    this.#options.takeOn(state)
    this.#journal.adopt(place, state.fires, ids)
    return { unheard, released }
  }

  noteReleased(ids: readonly string[]): void {
    const { active } = this.#options.state().panics
    const over = active.filter(id => ids.includes(id))
    if (over.length === 0) return
    const [atMs, fadeMs] = [this.#options.nowMs(), this.#show.panic.releaseMs]
    this.#options.happen([{ atMs, t0Ms: atMs, deed: { kind: 'release', fadeMs, ids: over } }])
  }

  fingerprint(): number {
    const state = this.#options.state()
    if (this.#printed?.state !== state) this.#printed = { state, fingerprint: printOf(state) }
    return this.#printed.fingerprint
  }

  knows(id: string): boolean {
    return this.#journal.knows(id)
  }

  takeOver(sinceShowMs: number): void {
    this.#isLeading = true
    this.#options.takeOver(sinceShowMs)
  }

  standDown(): void {
    if (!this.#isLeading) return
    this.#isLeading = false
    this.#options.standDown()
  }

  noteLost(isLost: boolean): void {
    this.#options.noteLost(isLost)
  }
}

const shifted = (event: ShowEvent, byMs: number): ShowEvent =>
  byMs === 0 ? event : { ...event, atMs: event.atMs + byMs, t0Ms: event.t0Ms + byMs }

/** What decides on the levels to come. Of what is over, and of what each box notes for itself, nothing. */
function printOf(state: ShowState): number {
  const { current, next, isNextChosen, armedWallMs, clockDone, waiting, segments } = state
  return hashOf(
    JSON.stringify([
      [current, next, isNextChosen, armedWallMs, clockDone],
      waiting.map(({ t0Ms, deed }) => [Math.round(t0Ms), deed]),
      segments.map(list => {
        const last = list.at(-1)
        return last ? [last.cue, Math.round(last.startMs), last.to] : null
      }),
      state.manual.map(hand => hand?.to ?? null),
      [state.blackout.isOn, state.panic.isOn, [...state.panics.active].sort()],
    ]),
  )
}

/** FNV-1a twice, 26 bits of each: a collision means that a difference is found a cue later. */
function hashOf(text: string): number {
  let [one, other] = [0x811c9dc5, 0x01000193]
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    one = Math.imul(one ^ unit, 0x01000193) >>> 0
    other = Math.imul(other ^ unit, 0x85ebca6b) >>> 0
  }
  return (one >>> 6) * 2 ** 26 + (other >>> 6)
}
