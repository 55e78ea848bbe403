/**
 * What one light is told, ahead of time: its outputs' levels at every moment at which they change, each handed over with
 * the moment at which the command must leave. A light whose levels do not change costs nothing.
 */
import { BoxError, messageOf } from '../../core/errors.js'
import { after, showTimeMs } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs, ShowTimeMs } from '../../ports/clock.js'
import type { Light } from '../../ports/devices.js'
import type { Log } from '../../ports/log.js'
import { type Binding, channelsOf, isSwitchedAs, switchedChannels } from './channels.js'
import type { CheckedShow, Cue } from './checked-show.js'
import type { Foresight } from './foresight.js'
import { type Change, nextChange } from './levels.js'
import { Playback } from './playback.js'
import type { ShowState } from './state.js'

/** Commands planned at one go; a light takes 256. */
const AHEAD_MAX = 200
/** Commands remembered, to know which have left and how late. */
const SENT_MAX = 256
/** A light that has not told of a command by then will not: it merged it with the next, or had nothing to change. */
const TELLING_MS = 1000
/** What a moment loses on its way to show time and back: a number of 13 digits has no more behind its point. */
const ROUNDING_MS = 1e-3
/** A switched lamp changes within this of the moment at which its fade crosses the middle. */
const CROSSING_MS = 0.1

interface Sent {
  /** The moment that the levels belong to. */
  readonly tMs: ShowTimeMs
  readonly at: MonotonicMs
  readonly levels: readonly number[]
  /** Sent because something happened, not because it was planned. */
  readonly isSudden: boolean
  /** False where the same was sent once more, to be sure. */
  readonly isChange: boolean
  firedMs: MonotonicMs | null
}

export interface LightPlanOptions {
  readonly frameMs: number
}

export class LightPlan {
  readonly light: Light
  readonly #clock: Clock
  readonly #log: Log
  readonly #show: CheckedShow
  readonly #foresight: Foresight
  readonly #binding: Binding
  readonly #options: LightPlanOptions
  readonly #playback: Playback
  readonly #outputs: ReadonlySet<number>
  #state: ShowState | null = null
  /** The last moment whose levels were computed. */
  #cursor: ShowTimeMs = showTimeMs(0)
  /** Which of the switched channels are on at `#cursor`. */
  #switched: readonly boolean[] = []
  /** The first moment beyond what was planned; null when nothing will change by itself. */
  #next: ShowTimeMs | null = null
  /** The change that was found last. */
  #known: Change | null = null
  /** What the light will show after everything that was sent; null before the first. */
  #last: readonly number[] | null = null
  /** Commands were taken back that may have left already: the next one is sent even if it seems to change nothing. */
  #isUnsure = true
  #sent: Sent[] = []
  #isReady = true
  #isDark = false
  #cancelApplied: Cancel = () => {}

  constructor(
    clock: Clock,
    log: Log,
    show: CheckedShow,
    foresight: Foresight,
    binding: Binding,
    options: LightPlanOptions,
  ) {
    this.light = binding.light
    this.#clock = clock
    this.#log = log
    this.#show = show
    this.#foresight = foresight
    this.#binding = binding
    this.#options = options
    this.#playback = new Playback(show, binding.outputs)
    this.#outputs = new Set(binding.outputs.map(({ index }) => index))
  }

  start(heard: () => void): void {
    this.#cancelApplied = this.light.onApplied(({ plannedMs, firedMs }) => {
      this.#noteFired(plannedMs, firedMs)
      heard()
    })
  }

  stop(): void {
    this.#cancelApplied()
    this.light.cancelPlanned()
  }

  /** Of several for one moment it is the first that has not been heard of. Those heard of are near the end. */
  #noteFired(plannedMs: MonotonicMs, firedMs: MonotonicMs): void {
    let found: Sent | null = null
    for (let index = this.#sent.length - 1; index >= 0; index--) {
      const sent = this.#sent[index]
      if (!sent || sent.at < plannedMs) break
      if (sent.at === plannedMs && sent.firedMs === null) found = sent
    }
    if (found) found.firedMs = firedMs
  }

  /**
   * A device that has come back shows nothing of what it was told before, but stays dark if it was made so. False when
   * that is no news.
   */
  setReady(isReady: boolean): boolean {
    if (isReady === this.#isReady) return false
    this.#isReady = isReady
    this.#isUnsure = true
    return true
  }

  /** Drops what was planned and begins anew with what must be seen now. */
  replan(state: ShowState, now: ShowTimeMs, until: ShowTimeMs): void {
    this.#takeBack()
    this.#state = state
    this.#known = null
    // Nothing can be seen sooner than the light's own delay from now.
    this.#moveTo(after(now, this.light.leadMs), true)
    this.extend(now, until)
  }

  #takeBack(): void {
    const now = this.#clock.monotonicMs()
    const isOpen = this.#sent.some(({ at, firedMs }) => firedMs === null && at > now - TELLING_MS)
    if (!isOpen) return
    this.light.cancelPlanned()
    this.#sent = this.#sent.filter(({ at }) => at <= now)
    this.#last = this.#sent.at(-1)?.levels ?? null
    this.#isUnsure = true
  }

  /** Plans on, up to `until` plus what the light needs to react. */
  extend(now: ShowTimeMs, until: ShowTimeMs): void {
    const reach = after(until, this.light.leadMs)
    const soonest = after(now, this.light.leadMs)
    // After a stall, what is past is left out: only the present matters.
    if (this.#cursor < soonest) this.#moveTo(soonest, true)
    for (let count = 0; count < AHEAD_MAX; count++) {
      const change = this.#change()
      this.#next = change === null ? null : this.#nextMoment(change)
      if (this.#next === null || this.#next > reach) return
      this.#moveTo(this.#crossing(this.#next) ?? this.#next, false)
    }
  }

  /** The show time at which planning must have gone on; null when it may rest. */
  next(): ShowTimeMs | null {
    return this.#next === null ? null : after(this.#next, -this.light.leadMs)
  }

  /** Dark by the hardware too, so that it is dark even where a bus hangs. */
  setDark(isDark: boolean): void {
    if (isDark === this.#isDark || !this.#isReady) return
    this.#isDark = isDark
    if (isDark) this.light.blackout()
    else this.light.restore()
  }

  /**
   * How late the cue's first change here was; null when it has not happened (yet), or does not happen here. A frame that
   * differs by less than the light can show is not told of, so the first change is the first that was told of.
   * A light that cannot follow at once is late by its own delay.
   */
  lateMs(cue: Cue, t0: ShowTimeMs): { atMs: ShowTimeMs; lateMs: number } | null {
    if (!cue.aims.some(({ output }) => this.#outputs.has(output))) return null
    const due = this.#clock.showToMonotonic(t0)
    for (const { tMs, at, isSudden, isChange, firedMs } of this.#sent) {
      // What was sent at once before the cue looks ahead by the light's own delay, and was for something else.
      const isForElse = isSudden && at < due - ROUNDING_MS
      if (isChange && tMs >= t0 && firedMs !== null && !isForElse)
        return { atMs: tMs, lateMs: firedMs - (isSudden ? due : at) }
    }
    return null
  }

  /** A fade that goes on until a boundary needs no second look before it. */
  #change(): Change | null {
    const known = this.#known
    if (known?.kind === 'fading' && this.#cursor < known.boundaryShowMs) return known
    if (!this.#state) return null
    this.#known = nextChange(this.#show, this.#state, this.#cursor, this.#binding.outputs)
    return this.#known
  }

  /** Frames lie on a grid of the venue's timeline, so that all boxes change together. */
  #nextMoment(change: Change): ShowTimeMs {
    if (change.kind === 'at') return change.atShowMs
    const { frameMs } = this.#options
    const frame = showTimeMs((Math.floor(this.#cursor / frameMs + 1e-6) + 1) * frameMs)
    return change.boundaryShowMs < frame ? change.boundaryShowMs : frame
  }

  /** Where a switched lamp changes between the last moment and `to`; null when none does. */
  #crossing(to: ShowTimeMs): ShowTimeMs | null {
    if (to - this.#cursor < CROSSING_MS || this.#binding.switched.length === 0) return null
    if (this.#isSwitchedAt(to)) return null
    let [low, high] = [this.#cursor, to]
    while (high - low > CROSSING_MS) {
      const middle = after(low, (high - low) / 2)
      if (this.#isSwitchedAt(middle)) low = middle
      else high = middle
    }
    return high
  }

  /** Whether the switched lamps are at `t` as they are at the last moment. */
  #isSwitchedAt(t: ShowTimeMs): boolean {
    this.#compute(t)
    return isSwitchedAs(this.#binding, this.#playback.levels, this.#switched)
  }

  #compute(t: ShowTimeMs): ShowState | null {
    if (!this.#state) return null
    const state = this.#foresight.stateAt(this.#state, t)
    this.#playback.moveTo(state, t)
    return state
  }

  #moveTo(t: ShowTimeMs, isSudden: boolean): void {
    this.#state = this.#compute(t)
    this.#cursor = t
    if (this.#binding.switched.length > 0)
      this.#switched = switchedChannels(this.#binding, this.#playback.levels)
    const levels = channelsOf(this.#binding, this.#playback.levels)
    const isChange = this.#last === null || !isSame(levels, this.#last)
    if (!this.#isReady || !(isChange || this.#isUnsure)) return
    const at = isSudden ? this.#clock.monotonicMs() : this.#clock.showToMonotonic(t)
    this.#send({ tMs: t, at, levels, isSudden, isChange, firedMs: null })
  }

  #send(sent: Sent): void {
    this.#sent.push(sent)
    if (this.#sent.length > SENT_MAX) this.#sent.shift()
    this.#last = sent.levels
    this.#isUnsure = false
    try {
      this.light.apply(sent.levels, sent.at)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('show.light-refused', { light: this.light.name, error: messageOf(error) })
      this.#isUnsure = true
    }
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  for (let channel = 0; channel < a.length; channel++) if (a[channel] !== b[channel]) return false
  return true
}
