/**
 * Carries out what cues do beside light: pictures, messages, requests. Each at its moment and at most once: what was due
 * while the box was away is not done afterwards. Panic takes back whatever has not happened yet.
 */

import type { Bus } from '../../core/bus.js'
import { BoxError, messageOf } from '../../core/errors.js'
import { forgetOldest } from '../../core/oldest.js'
import { after, later, publishedMs, showTimeMs } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs, ShowTimeMs } from '../../ports/clock.js'
import type { Capture, CaptureTrigger } from '../../ports/devices.js'
import type { Log } from '../../ports/log.js'
import type { HttpRequest, Network } from '../../ports/network.js'
import type { Store } from '../../ports/store.js'
import type { Messages } from '../../topics.js'
import type { Action, CheckedShow } from './checked-show.js'
import { LATE_MS } from './decide.js'
import { Performed } from './performed.js'

const PENDING_MAX = 2048
const SHOTS_MAX = 512
const REQUESTS_MAX = 16
const SKIPPED_MAX = 256
const KNOWN_MAX = 256

export interface PerformerOptions {
  readonly box: string
  /** How long before its moment a shot is handed to the trigger, beside the trigger's own lead. */
  readonly planAheadMs: number
  readonly newId: () => string
  /** Whether this box does what only one box of the venue must do: messages, requests, tickets for any printer. */
  readonly actsForAll: () => boolean
}

/** What another box does, as long as it is there. */
interface Skipped {
  readonly deed: Deed
  readonly action: Exclude<Action, { kind: 'capture' }>
  readonly atMs: ShowTimeMs
}

/** A cue that was fired. */
export interface FiredCue {
  readonly id: string
  readonly cue: string
}

export interface OpenFire extends FiredCue {
  /** Show time. */
  readonly t0Ms: number
}

/** An action of it, or one shot of a burst. */
interface Deed extends FiredCue {
  /** From the moment of the fire. */
  readonly offsetMs: number
}

export class Performer {
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #network: Network
  readonly #captures: ReadonlyMap<string, CaptureTrigger>
  readonly #show: CheckedShow
  readonly #options: PerformerOptions
  readonly #performed: Performed
  /** What is still to come, and how to take it back. */
  readonly #pending = new Set<Cancel>()
  /** Which cue asked for a shot; the oldest are forgotten. */
  readonly #shots = new Map<string, { deed: Deed; device: string; cancel: Cancel }>()
  readonly #known = new Set<string>()
  #skipped: Skipped[] = []
  #requests = 0
  #cancels: Cancel[] = []

  constructor(
    clock: Clock,
    log: Log,
    bus: Bus<Messages>,
    store: Store,
    network: Network,
    captures: ReadonlyMap<string, CaptureTrigger>,
    show: CheckedShow,
    options: PerformerOptions,
  ) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#network = network
    this.#captures = captures
    this.#show = show
    this.#options = options
    this.#performed = new Performed(clock, log, store)
  }

  /** Before the start. */
  open(): Promise<void> {
    return this.#performed.open()
  }

  /** @param open the cues that were fired before a restart, and whose actions may not be over */
  start(open: readonly OpenFire[]): void {
    this.#cancels = [...this.#captures].map(([device, trigger]) =>
      trigger.onCapture(capture => this.#taken(device, capture)),
    )
    for (const fire of open) this.#resume(fire)
  }

  /** Nothing happens any more from the call on; what was done is on the disk at the end. */
  async stop(): Promise<void> {
    this.takeBack()
    for (const cancel of this.#cancels.splice(0)) cancel()
    // A shot that could no longer be called back may have been taken.
    await this.#performed.close({ isWhole: this.#shots.size === 0 })
  }

  /** Forgets everything that has not happened yet. */
  takeBack(): void {
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
    for (const { cancel } of this.#shots.values()) cancel()
  }

  /** What had been fired when this box came into company: it does what is still to come. */
  join(open: readonly OpenFire[]): void {
    const now = this.#clock.showTimeMs()
    for (const fire of open.filter(({ id }) => !this.#known.has(id)))
      for (const { action, deed } of this.#deedsOf(fire)) {
        const at = after(showTimeMs(fire.t0Ms), deed.offsetMs)
        if (at > now) this.#arrange(deed, action, at)
      }
  }

  /** Does what the box that did it for all has left undone. @param sinceMs show time when that was last heard */
  takeOver(sinceMs: number): void {
    const left = this.#skipped.splice(0).filter(({ atMs }) => atMs > sinceMs)
    for (const { deed, action } of left) this.#send(deed, action)
  }

  perform(fire: FiredCue, t0: ShowTimeMs): void {
    const now = this.#clock.showTimeMs()
    for (const { action, deed } of this.#deedsOf(fire)) {
      const lateMs = now - after(t0, deed.offsetMs)
      if (lateMs > LATE_MS) this.#tell('missed', deed, action, lateMs)
      else this.#arrange(deed, action, after(t0, deed.offsetMs))
    }
  }

  /** What was due by now is not done again; what became of it is told once. */
  #resume(fire: OpenFire): void {
    const passedMs = this.#clock.showTimeMs() - fire.t0Ms
    const deeds = this.#deedsOf(fire)
    const due = deeds.filter(({ deed }) => deed.offsetMs < passedMs)
    const outcomes = this.#performed.outcomes(
      fire.id,
      due.map(({ deed }) => deed.offsetMs),
    )
    for (const [index, { action, deed }] of due.entries()) {
      const outcome = outcomes[index]
      // A ticket that was asked for twice is one ticket: here nobody need wonder.
      if (outcome === 'unknown' && action.kind === 'print') this.#send(deed, action)
      else if (outcome === 'missed' || outcome === 'unknown')
        this.#tell(outcome, deed, action, passedMs - deed.offsetMs)
    }
    for (const { action, deed } of deeds)
      if (deed.offsetMs >= passedMs && !this.#performed.isDone(fire.id, deed.offsetMs))
        this.#arrange(deed, action, after(showTimeMs(fire.t0Ms), deed.offsetMs))
  }

  #tell(outcome: 'missed' | 'unknown', deed: Deed, action: Action, lateMs: number): void {
    const facts = { cue: deed.cue, action: action.kind, lateMs: publishedMs(lateMs) }
    this.#log.warn(outcome === 'missed' ? 'show.action-missed' : 'show.action-unknown', facts)
    this.#performed.note(deed.id, deed.offsetMs)
  }

  /** Other boxes take their own pictures. */
  #deedsOf({ id, cue }: FiredCue): { action: Action; deed: Deed }[] {
    this.#known.add(id)
    const [oldest] = this.#known
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest)
    return (this.#show.cuesById.get(cue)?.actions ?? [])
      .filter(action => this.#isOurs(action))
      .flatMap(action =>
        offsetsOf(action).map(offsetMs => ({ action, deed: { id, cue, offsetMs } })),
      )
  }

  #isOurs(action: Action): boolean {
    if (action.kind !== 'capture' && action.kind !== 'print') return true
    return action.box === null || action.box === this.#options.box
  }

  #arrange(deed: Deed, action: Action, at: ShowTimeMs): void {
    const { cue } = deed
    if (action.kind !== 'capture') {
      this.#later(this.#clock.showToMonotonic(at), () => this.#sendOrSkip(deed, action, at))
      return
    }
    const trigger = this.#captures.get(action.device)
    if (!trigger) {
      this.#log.warn('show.capture-absent', { cue, device: action.device })
      return
    }
    const leadMs = trigger.leadMs + this.#options.planAheadMs
    this.#later(after(this.#clock.showToMonotonic(at), -leadMs), () =>
      this.#shoot(deed, trigger, at),
    )
  }

  #later(at: MonotonicMs, task: () => void): void {
    if (this.#pending.size >= PENDING_MAX) {
      this.#log.warn('show.action-dropped', { pending: this.#pending.size })
      return
    }
    const cancel = this.#clock.runAt(later(at, this.#clock.monotonicMs()), () => {
      this.#pending.delete(cancel)
      task()
    })
    this.#pending.add(cancel)
  }

  #shoot(deed: Deed, trigger: CaptureTrigger, at: ShowTimeMs): void {
    const shot = this.#options.newId()
    const due = this.#clock.showToMonotonic(at)
    this.#shots.set(shot, { deed, device: trigger.name, cancel: () => {} })
    forgetOldest(this.#shots, SHOTS_MAX)
    try {
      const cancel = trigger.capture(shot, due)
      if (this.#shots.has(shot)) this.#shots.set(shot, { deed, device: trigger.name, cancel })
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('show.capture-failed', { cue: deed.cue, error: messageOf(error) })
      this.#taken(trigger.name, {
        shotId: shot,
        plannedMs: due,
        closedMs: null,
        source: 'program',
        uncertaintyMs: 0,
        syncMs: null,
        refused: 'faulty',
      })
    }
  }

  #taken(device: string, capture: Capture): void {
    const shot = this.#shots.get(capture.shotId)
    this.#shots.delete(capture.shotId)
    // What was called back is as if it had never been asked for: after a restart it may still be to come.
    if (shot && capture.refused !== 'cancelled')
      this.#performed.note(shot.deed.id, shot.deed.offsetMs)
    const showOf = (at: MonotonicMs | null): number | null =>
      at === null ? null : publishedMs(this.#clock.monotonicToShow(at))
    this.#bus.publish('capture/taken', {
      shot: capture.shotId,
      device,
      cue: shot?.deed.cue ?? null,
      plannedShowMs: publishedMs(this.#clock.monotonicToShow(capture.plannedMs)),
      closedShowMs: showOf(capture.closedMs),
      uncertaintyMs: publishedMs(capture.uncertaintyMs),
      source: capture.source,
      syncShowMs: showOf(capture.syncMs),
      refused: capture.refused,
    })
  }

  #sendOrSkip(deed: Deed, action: Skipped['action'], atMs: ShowTimeMs): void {
    const isAnybodys = action.kind !== 'print' || action.box === null
    if (!isAnybodys || this.#options.actsForAll()) this.#send(deed, action)
    else this.#skipped = [...this.#skipped.slice(1 - SKIPPED_MAX), { deed, action, atMs }]
  }

  #send({ id, cue, offsetMs }: Deed, action: Exclude<Action, { kind: 'capture' }>): void {
    this.#performed.note(id, offsetMs)
    if (action.kind === 'mqtt') {
      const { topic, payload, qos, isRetained } = action
      this.#bus.publish('message/requested', { topic, payload, qos, isRetained })
    } else if (action.kind === 'http') void this.#request(cue, action.request)
    else this.#print({ id, cue, offsetMs }, action)
  }

  /** The key is the same whenever this deed is done: however often that is, there is one ticket. */
  #print({ id, cue, offsetMs }: Deed, action: Extract<Action, { kind: 'print' }>): void {
    const index = this.#show.cuesById.get(cue)?.actions.indexOf(action) ?? 0
    const { template, fields, printer, jobKind, expiresMs } = action
    this.#bus.publish('print/requested', {
      id: `${id}:${offsetMs}:${index}`,
      template,
      fields,
      ...(printer === null ? {} : { printer }),
      ...(jobKind === null ? {} : { kind: jobKind }),
      ...(expiresMs === null ? {} : { expiresAfterMs: expiresMs }),
      origin: `cue:${cue}`,
    })
  }

  /** Never rejects: a far server that does not answer is not the show's business. */
  async #request(cue: string, request: HttpRequest): Promise<void> {
    if (this.#requests >= REQUESTS_MAX) {
      this.#log.warn('show.action-dropped', { cue, requests: this.#requests })
      return
    }
    this.#requests++
    try {
      const status = await this.#network.request(request)
      if (status >= 400) this.#log.warn('show.request-refused', { cue, url: request.url, status })
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('show.request-failed', { cue, url: request.url, error: messageOf(error) })
    } finally {
      this.#requests--
    }
  }
}

/** When the action happens, from the moment of the fire: once, or for each shot of a burst. */
function offsetsOf(action: Action): number[] {
  if (action.kind !== 'capture') return [action.atMs]
  return Array.from({ length: action.count }, (_, shot) => action.atMs + shot * action.everyMs)
}
