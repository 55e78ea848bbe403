/**
 * Carries out what cues do beside light: pictures, messages, requests. Each at its moment and at most once: what was due
 * while the box was away is not done afterwards. Panic takes back whatever has not happened yet.
 */
import type { Bus } from '../../core/bus.js'
import { BoxError, messageOf } from '../../core/errors.js'
import { after, later } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs, ShowTimeMs } from '../../ports/clock.js'
import type { Capture, CaptureTrigger } from '../../ports/devices.js'
import type { Log } from '../../ports/log.js'
import type { HttpRequest, Network } from '../../ports/network.js'
import type { Messages } from '../../topics.js'
import type { Action, CheckedShow } from './checked-show.js'
import { LATE_MS } from './decide.js'

const PENDING_MAX = 2048
const SHOTS_MAX = 512
const REQUESTS_MAX = 16

export interface PerformerOptions {
  readonly box: string
  /** How long before its moment a shot is handed to the trigger, beside the trigger's own lead. */
  readonly planAheadMs: number
  readonly newId: () => string
}

export class Performer {
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #network: Network
  readonly #captures: ReadonlyMap<string, CaptureTrigger>
  readonly #show: CheckedShow
  readonly #options: PerformerOptions
  /** What is still to come, and how to take it back. */
  readonly #pending = new Set<Cancel>()
  /** Which cue asked for a shot; the oldest are forgotten. */
  readonly #shots = new Map<string, { cue: string; device: string; cancel: Cancel }>()
  #requests = 0
  #cancels: Cancel[] = []

  constructor(
    clock: Clock,
    log: Log,
    bus: Bus<Messages>,
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
  }

  start(): void {
    this.#cancels = [...this.#captures].map(([device, trigger]) =>
      trigger.onCapture(capture => this.#taken(device, capture)),
    )
  }

  stop(): void {
    this.takeBack()
    for (const cancel of this.#cancels.splice(0)) cancel()
  }

  /** Forgets everything that has not happened yet. */
  takeBack(): void {
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
    for (const { cancel } of this.#shots.values()) cancel()
  }

  /**
   * @param isResumed the cue was fired before a restart: what was due by now may have been done, and is not done again
   */
  perform(cueId: string, t0: ShowTimeMs, isResumed: boolean): void {
    const now = this.#clock.showTimeMs()
    for (const action of this.#show.cuesById.get(cueId)?.actions ?? [])
      for (const at of momentsOf(action, t0)) {
        const lateMs = now - at
        if (lateMs > (isResumed ? 0 : LATE_MS))
          this.#log.warn('show.action-missed', { cue: cueId, action: action.kind, lateMs })
        else this.#arrange(cueId, action, at)
      }
  }

  #arrange(cue: string, action: Action, at: ShowTimeMs): void {
    if (action.kind !== 'capture') {
      this.#later(this.#clock.showToMonotonic(at), () => this.#send(cue, action))
      return
    }
    if (action.box !== null && action.box !== this.#options.box) return
    const trigger = this.#captures.get(action.device)
    if (!trigger) {
      this.#log.warn('show.capture-absent', { cue, device: action.device })
      return
    }
    const leadMs = trigger.leadMs + this.#options.planAheadMs
    this.#later(after(this.#clock.showToMonotonic(at), -leadMs), () =>
      this.#shoot(cue, trigger, at),
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

  #shoot(cue: string, trigger: CaptureTrigger, at: ShowTimeMs): void {
    const shot = this.#options.newId()
    const due = this.#clock.showToMonotonic(at)
    this.#shots.set(shot, { cue, device: trigger.name, cancel: () => {} })
    const oldest = this.#shots.size > SHOTS_MAX ? this.#shots.keys().next().value : undefined
    if (oldest !== undefined) this.#shots.delete(oldest)
    try {
      const cancel = trigger.capture(shot, due)
      if (this.#shots.has(shot)) this.#shots.set(shot, { cue, device: trigger.name, cancel })
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('show.capture-failed', { cue, error: messageOf(error) })
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
    const showOf = (at: MonotonicMs | null): number | null =>
      at === null ? null : this.#clock.monotonicToShow(at)
    this.#bus.publish('capture/taken', {
      shot: capture.shotId,
      device,
      cue: shot?.cue ?? null,
      plannedShowMs: this.#clock.monotonicToShow(capture.plannedMs),
      closedShowMs: showOf(capture.closedMs),
      uncertaintyMs: capture.uncertaintyMs,
      source: capture.source,
      syncShowMs: showOf(capture.syncMs),
      refused: capture.refused,
    })
  }

  #send(cue: string, action: Exclude<Action, { kind: 'capture' }>): void {
    if (action.kind === 'mqtt') {
      const { topic, payload, qos, isRetained } = action
      this.#bus.publish('message/requested', { topic, payload, qos, isRetained })
    } else void this.#request(cue, action.request)
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

/** When the action happens: once, or for each shot of a burst. */
function momentsOf(action: Action, t0: ShowTimeMs): ShowTimeMs[] {
  const first = after(t0, action.atMs)
  if (action.kind !== 'capture') return [first]
  return Array.from({ length: action.count }, (_, shot) => after(first, shot * action.everyMs))
}
