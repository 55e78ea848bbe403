/**
 * What a thread does whose work is due at moments, turn by turn: sleep until shortly before the next one, spin to it, do
 * it, go on. It also watches over the main thread: when that stops beating, what was planned is dropped and all is made
 * safe.
 */
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import type { FiringSignals } from './firing-signals.js'
import type { SpinMargin } from './spin-margin.js'

/** What is done at moments. */
export interface MomentWork {
  /** What is next; null when nothing is planned. */
  next(): { readonly at: MonotonicMs } | null
  /** Does what `next` answered last, and whatever belongs to it. */
  doNext(): void
  /** The main thread is silent: drops what is planned, leaves all outputs in their safe states. */
  makeSafe(): void
  /** Tells the main thread of what was done. Called when there is time for it. */
  tell(): void
  /** The main thread is back. */
  tellLoss(silentMs: number): void
}

export interface MomentThread {
  /** CLOCK_MONOTONIC in milliseconds. */
  nowMs(): number
  /** Keeps the processor from falling into sleep states that it takes long to leave. */
  holdAwake(isHeld: boolean): void
  /**
   * Goes through what is done at a moment, to no effect: after a sleep all of it has left the processor's caches, and
   * the first time takes ten times as long. Null where that is not worth it.
   */
  readonly warmUp: (() => void) | null
  /** Collects what little garbage there is, a quarter of a millisecond; null where that cannot be asked for. */
  readonly collect: (() => void) | null
}

export type LoopSignals = Pick<FiringSignals, 'version' | 'sleep' | 'beats'>

/** So much may be done before the main thread hears of it, even when the next is due at once. */
const UNTOLD_MAX = 64
/** Fewer: the processor would fall asleep in the middle of a run of cues. More: it would burn power all evening. */
const AWAKE_BEFORE_MS = 500
const AWAKE_BETWEEN_MS = 5_000
/**
 * Turns after which garbage is collected while there is time: long before V8 would, which does it in the middle of
 * things, and most of what makes garbage is the spin.
 */
const COLLECT_AFTER_TURNS = 6
/** So much must be left: eight times what collecting takes. */
const COLLECT_BEFORE_MS = 2
/** As long as warming up takes on a slow day. */
const WARM_UP_MS = 0.1

export class MomentLoop {
  readonly #work: MomentWork
  readonly #signals: LoopSignals
  readonly #thread: MomentThread
  readonly #margin: SpinMargin
  readonly #heartbeatMs: number
  readonly #warmUpMs: number
  #beats: number
  #beatMs: number
  #isLost = false
  #isAwake = false
  #untold = 0
  /** Since garbage was collected. */
  #turns = 0

  /** @param options.heartbeatMs all is made safe when the main thread has been silent for longer */
  constructor(
    work: MomentWork,
    signals: LoopSignals,
    thread: MomentThread,
    margin: SpinMargin,
    options: { readonly heartbeatMs: number },
  ) {
    this.#work = work
    this.#signals = signals
    this.#thread = thread
    this.#margin = margin
    this.#heartbeatMs = options.heartbeatMs
    this.#warmUpMs = thread.warmUp === null ? 0 : WARM_UP_MS
    this.#beats = signals.beats()
    this.#beatMs = thread.nowMs()
  }

  /** Does one thing that is due, or sleeps until there may be one. */
  turn(): void {
    const version = this.#signals.version()
    const nowMs = this.#thread.nowMs()
    this.#watchHeartbeat(nowMs)
    const next = this.#isLost ? null : this.#work.next()
    const untilMs = next === null ? Number.POSITIVE_INFINITY : next.at - nowMs
    this.#holdAwake(untilMs)
    const marginMs = this.#margin.ms + this.#warmUpMs
    if (next !== null && untilMs <= marginMs) this.#doAtMoment(next.at, version)
    else this.#sleep(version, nowMs + untilMs - marginMs)
  }

  #sleep(version: number, untilMs: number): void {
    this.#tell()
    this.#collect(untilMs)
    // That takes a tenth of a millisecond, which is not slept again.
    const nowMs = this.#thread.nowMs()
    const durationMs = Math.min(untilMs - nowMs, this.#heartbeatMs / 4)
    if (durationMs <= 0) return
    const isTimedOut = this.#signals.sleep(version, durationMs)
    if (isTimedOut) this.#margin.learn(this.#thread.nowMs() - nowMs - durationMs)
  }

  #collect(untilMs: number): void {
    if (this.#thread.collect === null || ++this.#turns < COLLECT_AFTER_TURNS) return
    if (untilMs - this.#thread.nowMs() < COLLECT_BEFORE_MS) return
    this.#turns = 0
    this.#thread.collect()
  }

  #doAtMoment(at: MonotonicMs, version: number): void {
    if (at - this.#thread.nowMs() > this.#warmUpMs) this.#thread.warmUp?.()
    if (!this.#spinTo(at, version)) return
    this.#work.doNext()
    if (++this.#untold >= UNTOLD_MAX) this.#tell()
  }

  /** False when something was planned or cancelled: there may be another next one. */
  #spinTo(at: MonotonicMs, version: number): boolean {
    while (this.#thread.nowMs() < at) if (this.#signals.version() !== version) return false
    return true
  }

  #tell(): void {
    if (this.#untold === 0) return
    this.#untold = 0
    this.#work.tell()
  }

  #watchHeartbeat(nowMs: number): void {
    const beats = this.#signals.beats()
    if (beats !== this.#beats) {
      if (this.#isLost) this.#work.tellLoss(nowMs - this.#beatMs)
      this.#beats = beats
      this.#beatMs = nowMs
      this.#isLost = false
    } else if (!this.#isLost && nowMs - this.#beatMs > this.#heartbeatMs) {
      this.#isLost = true
      this.#untold++
      this.#work.makeSafe()
    }
  }

  #holdAwake(untilMs: number): void {
    const isWanted = untilMs <= (this.#isAwake ? AWAKE_BETWEEN_MS : AWAKE_BEFORE_MS)
    if (isWanted === this.#isAwake) return
    this.#isAwake = isWanted
    this.#thread.holdAwake(isWanted)
  }
}
