/**
 * A camera's focus and shutter contacts, closed by opto-couplers or relays, and its sync contact where it is wired back.
 * Closing and opening are both handed to the host ahead of time: a stalled main thread neither delays a picture nor
 * holds the shutter.
 */
import { closeAll } from '../runtime/core/close-all.js'
import { DeviceError } from '../runtime/core/errors.js'
import { Signal } from '../runtime/core/signal.js'
import { after, later } from '../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Capture, CaptureTrigger as CaptureTriggerPort } from '../runtime/ports/devices.js'
import type { Edge, Fired, InputLine, OutputLine } from '../runtime/ports/host.js'
import {
  type CaptureTimes,
  focusSpans,
  isTooClose,
  type Span,
  shutterSpan,
} from './capture-plan.js'
import { graceMs, planChange } from './planned-line.js'

export interface CaptureTriggerOptions extends CaptureTimes {
  readonly name: string
  /** How long after closing the contact the camera's sync may come. 1..5000; without a sync line not used. */
  readonly syncWindowMs: number
}

export interface CaptureLines {
  readonly shutter: OutputLine
  readonly focus: OutputLine | null
  readonly sync: InputLine | null
}

interface Shot {
  readonly shotId: string
  /** When the contact was asked to close. */
  readonly plannedMs: MonotonicMs
  /** When it does: the same, or later when it was asked for too late. */
  readonly span: Span
  cancelClosing: Cancel
  cancelOpening: Cancel
  fired: Fired | null
  isReported: boolean
  isOpenAgain: boolean
}

/** Each shot plans two changes per line, and a line holds 256. */
const SHOTS_MAX = 100
/** A change this near may have left for the firing thread already: only the thread knows whether it happened. */
const ON_THE_WAY_MS = 20
/** From a level on a pin to a current in a camera, and from the kernel's call to the stamp: never less than this. */
const UNCERTAINTY_MS_MIN = 0.05
const SYNC_EDGES_MAX = 16

export class CaptureTrigger implements CaptureTriggerPort {
  readonly name: string
  readonly leadMs: number
  readonly #lines: CaptureLines
  readonly #clock: Clock
  readonly #options: CaptureTriggerOptions
  readonly #faults = new Signal<Error>()
  readonly #captures = new Signal<Capture>()
  #shots: Shot[] = []
  #syncEdges: MonotonicMs[] = []
  #focus: readonly Span[] = []
  #focusCancels: Cancel[] = []
  #stopListening: Cancel = () => {}
  #isRunning = false

  constructor(lines: CaptureLines, clock: Clock, options: CaptureTriggerOptions) {
    this.#lines = lines
    this.#clock = clock
    this.name = options.name
    this.leadMs = options.lagMs + (lines.focus ? options.focusLeadMs : 0)
    this.#options = options
  }

  async start(): Promise<void> {
    const { shutter, focus, sync } = this.#lines
    try {
      await shutter.open(false)
      await focus?.open(false)
      await sync?.open()
    } catch (error) {
      // The first failure is the one to report; the owner stops the device once more and hears of the others.
      await this.stop().catch(() => {})
      throw error
    }
    this.#syncEdges = []
    if (sync) this.#stopListening = sync.onEdge(edge => this.#onSync(edge))
    this.#isRunning = true
  }

  /** Closing a line opens its contact. What was planned is reported as cancelled. */
  async stop(): Promise<void> {
    this.#halt('cancelled')
    const { shutter, focus, sync } = this.#lines
    await closeAll([() => shutter.close(), async () => focus?.close(), async () => sync?.close()])
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#faults.listen(listener)
  }

  onCapture(listener: (capture: Capture) => void): Cancel {
    return this.#captures.listen(listener)
  }

  /**
   * A picture at `at`: the shutter contact closes `lagMs` earlier, which is the moment reported as planned.
   * Called with less than `leadMs` to go, the picture is on time and the focus is not.
   */
  capture(shotId: string, at: MonotonicMs): Cancel {
    const now = this.#clock.monotonicMs()
    const plannedMs = after(at, -this.#options.lagMs)
    const span = shutterSpan(plannedMs, now, this.#options.pulseMs)
    const shot: Shot = {
      shotId,
      plannedMs,
      span,
      cancelClosing: () => {},
      cancelOpening: () => {},
      fired: null,
      isReported: false,
      isOpenAgain: false,
    }
    const refused = this.#reasonAgainst(span, now)
    if (refused !== null) {
      this.#clock.runAt(now, () => this.#report(shot, refused))
      return () => {}
    }
    this.#shots.push(shot)
    this.#try(() => {
      this.#planShutter(shot)
      this.#planFocus()
    })
    return () => this.#callBack(shot)
  }

  #reasonAgainst(span: Span, now: MonotonicMs): Capture['refused'] {
    const { minGapMs } = this.#options
    const isOver = (shot: Shot): boolean =>
      shot.isReported && shot.isOpenAgain && now >= after(shot.span.until, minGapMs)
    this.#shots = this.#shots.filter(shot => !isOver(shot))
    if (!this.#isRunning || this.#shots.length >= SHOTS_MAX) return 'faulty'
    return this.#shots.some(shot => isTooClose(span, shot.span, minGapMs)) ? 'min-gap' : null
  }

  #planShutter(shot: Shot): void {
    const { shutter } = this.#lines
    const overdue = (fault: DeviceError): void => this.#fail(fault)
    const { from, until } = shot.span
    shot.cancelClosing = planChange(this.#clock, shutter, {
      isActive: true,
      at: from,
      fired: fired => this.#onClosed(shot, fired),
      overdue,
    })
    shot.cancelOpening = planChange(this.#clock, shutter, {
      isActive: false,
      at: until,
      fired: () => {
        shot.isOpenAgain = true
      },
      overdue,
    })
  }

  /** Plans the focus contact anew for all shots to come, so that a burst keeps its focus. */
  #planFocus(): void {
    const { focus } = this.#lines
    if (!focus) return
    for (const cancel of this.#focusCancels) cancel()
    const now = this.#clock.monotonicMs()
    const shutter = this.#shots.map(shot => shot.span).filter(span => span.until > now)
    this.#focus = focusSpans(shutter, this.#options.focusLeadMs)
    this.#openUnwantedFocus(focus)
    const overdue = (fault: DeviceError): void => this.#fail(fault)
    const fired = (): void => this.#try(() => this.#openUnwantedFocus(focus))
    const plan = (isActive: boolean, at: MonotonicMs): Cancel =>
      planChange(this.#clock, focus, { isActive, at, fired, overdue })
    this.#focusCancels = this.#focus.flatMap(({ from, until }) => [
      plan(true, from),
      plan(false, until),
    ])
  }

  /** Also after a closing that was called back too late. */
  #openUnwantedFocus(focus: OutputLine): void {
    const now = this.#clock.monotonicMs()
    if (!this.#focus.some(span => span.from <= now && now < span.until)) focus.set(false)
  }

  #callBack(shot: Shot): void {
    if (shot.isReported || shot.fired || !this.#shots.includes(shot)) return
    shot.cancelClosing()
    if (this.#isOnTheWay(shot)) {
      // Only the firing thread knows: a closing that it reports until then stands, and it needs its opening.
      const known = after(later(shot.span.from, this.#clock.monotonicMs()), ON_THE_WAY_MS)
      this.#clock.runAt(known, () =>
        this.#clock.runAt(after(this.#clock.monotonicMs(), graceMs), () => {
          if (!shot.fired) this.#report(shot, 'cancelled')
        }),
      )
      return
    }
    shot.cancelOpening()
    this.#shots = this.#shots.filter(other => other !== shot)
    this.#try(() => this.#planFocus())
    this.#report(shot, 'cancelled')
  }

  #isOnTheWay(shot: Shot): boolean {
    return shot.span.from - this.#clock.monotonicMs() < ON_THE_WAY_MS
  }

  #onClosed(shot: Shot, fired: Fired): void {
    if (shot.isReported) return
    shot.fired = fired
    if (!this.#lines.sync) {
      this.#report(shot, null)
      return
    }
    const heard = this.#syncEdges.find(edge => this.#isSyncOf(shot, edge))
    if (heard === undefined)
      this.#clock.runAt(after(fired.firedMs, this.#options.syncWindowMs), () =>
        this.#report(shot, null),
      )
    else this.#reportSync(shot, heard)
  }

  /** The edge may be heard before the closing is: both come from other threads. */
  #onSync({ isActive, at }: Edge): void {
    if (!isActive) return
    this.#syncEdges = [...this.#syncEdges.slice(1 - SYNC_EDGES_MAX), at]
    const waiting = this.#shots.filter(shot => !shot.isReported && this.#isSyncOf(shot, at))
    const [nearest] = waiting.sort((a, b) => this.#surprise(a, at) - this.#surprise(b, at))
    if (nearest) this.#reportSync(nearest, at)
  }

  /** How far the edge is from where the camera's lag puts it: in a burst one camera may miss a beat. */
  #surprise(shot: Shot, edge: MonotonicMs): number {
    const closedMs = shot.fired?.firedMs ?? shot.span.from
    return Math.abs(edge - closedMs - this.#options.lagMs)
  }

  #isSyncOf(shot: Shot, edge: MonotonicMs): boolean {
    if (!shot.fired) return false
    return edge >= shot.span.from && edge <= after(shot.fired.firedMs, this.#options.syncWindowMs)
  }

  #reportSync(shot: Shot, edge: MonotonicMs): void {
    this.#syncEdges = this.#syncEdges.filter(other => other !== edge)
    this.#report(shot, null, edge)
  }

  #report(shot: Shot, refused: Capture['refused'], syncMs: MonotonicMs | null = null): void {
    if (shot.isReported) return
    shot.isReported = true
    const { shotId, plannedMs, fired } = shot
    this.#captures.emit({
      shotId,
      plannedMs,
      closedMs: fired?.firedMs ?? null,
      source: fired?.source ?? 'program',
      // The contact closed after it was due and before the stamp.
      uncertaintyMs: fired ? Math.max(UNCERTAINTY_MS_MIN, fired.firedMs - shot.span.from) : 0,
      syncMs,
      refused: fired ? null : refused,
    })
  }

  #try(act: () => void): void {
    try {
      act()
    } catch (fault) {
      // Anything else is a bug, and must stop the process.
      if (!(fault instanceof DeviceError)) throw fault
      this.#fail(fault)
    }
  }

  #fail(fault: DeviceError): void {
    if (!this.#isRunning) return
    this.#halt('faulty')
    for (const line of [this.#lines.shutter, this.#lines.focus])
      try {
        line?.set(false)
      } catch {
        // The line is what failed; its fault is being reported already.
      }
    this.#faults.emit(fault)
  }

  #halt(reason: 'faulty' | 'cancelled'): void {
    this.#isRunning = false
    this.#stopListening()
    for (const cancel of this.#focusCancels) cancel()
    this.#focusCancels = []
    for (const shot of this.#shots) {
      shot.cancelClosing()
      shot.cancelOpening()
      this.#report(shot, reason)
    }
    this.#shots = []
  }
}
