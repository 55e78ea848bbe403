/**
 * Plays the grid of beats: a lamp that flashes on each, planned ahead like cues are, and a message for each. It is a
 * function of the grid and of show time alone, and goes on by itself for as long as the box does.
 */
import type { Bus } from '../../core/bus.js'
import { BoxError, messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { after, showTimeMs } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Light } from '../../ports/devices.js'
import type { Log } from '../../ports/log.js'
import type { Messages } from '../../topics.js'
import { type Beat, beatsBetween, nextBeat, type Pieces } from './beats.js'

/** So often it is planned on. */
const EVERY_MS = 300
/** A message so late is of no use to anybody. */
const STALE_MS = 500
const PIECES_NONE: Pieces = []

export interface MetronomeOptions {
  /** How far ahead the lamp is told. 10..5000 */
  readonly planAheadMs: number
  /** 10..500; never longer than half a beat. */
  readonly flashMs: number
  /** Of the first beat of a bar, and of the others. 0..1 */
  readonly accentLevel: number
  readonly level: number
}

export class Metronome implements Service {
  readonly name = 'tempo'
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #lamp: Light | null
  readonly #options: MetronomeOptions
  #pieces: Pieces = PIECES_NONE
  /** Up to where the lamp was told, in show time. */
  #plannedMs = Number.NEGATIVE_INFINITY
  /** The last moment that a beat was told of. */
  #toldMs = Number.NEGATIVE_INFINITY
  #isRefused = false
  #cancelBeat: Cancel = () => {}
  #cancels: Cancel[] = []

  /** @param lamp null where no lamp shows the beats */
  constructor(
    clock: Clock,
    log: Log,
    bus: Bus<Messages>,
    lamp: Light | null,
    options: MetronomeOptions,
  ) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#lamp = lamp
    this.#options = options
  }

  async start(): Promise<void> {
    this.#cancels = [
      this.#bus.subscribe('tempo/state', ({ pieces }) => this.#change(pieces)),
      // The moments that were planned are those of the timeline as it was.
      this.#bus.subscribe('clock/stepped', () => {
        // What was told of a moment that is to come again was told of another one.
        this.#toldMs = Math.min(this.#toldMs, this.#clock.showTimeMs())
        this.#change(this.#pieces)
      }),
      this.#bus.subscribe('device/state', ({ device, state }) => {
        if (device === this.#lamp?.name && state === 'ready') this.#change(this.#pieces)
      }),
      repeat(this.#clock, EVERY_MS, async () => this.#goOn()),
    ]
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#cancelBeat()
    this.#pieces = PIECES_NONE
    this.#lamp?.cancelPlanned()
    this.#flash(0, this.#clock.showTimeMs())
  }

  #change(pieces: Pieces): void {
    const wasRunning = this.#pieces.some(({ grid }) => grid !== null)
    this.#pieces = pieces
    const isRunning = pieces.some(({ grid }) => grid !== null)
    if (!wasRunning && !isRunning) return
    this.#lamp?.cancelPlanned()
    const now = this.#clock.showTimeMs()
    // A flash that was under way has lost its end.
    this.#flash(0, now)
    this.#plannedMs = now
    this.#isRefused = false
    this.#goOn()
    this.#waitForBeat()
  }

  /** Plans on. A piece that is over is dropped only with the next message, which comes when it is. */
  #goOn(): void {
    if (this.#lamp === null || this.#pieces === PIECES_NONE) return
    const now = this.#clock.showTimeMs()
    const until = now + this.#options.planAheadMs
    // After a stall only the present matters.
    const from = Math.max(this.#plannedMs, now)
    for (const beat of beatsBetween(this.#pieces, from, until)) this.#plan(beat)
    this.#plannedMs = until
  }

  #plan({ grid, beat, atShowMs, bpm }: Beat): void {
    const { flashMs, accentLevel, level } = this.#options
    const lengthMs = Math.min(flashMs, 30_000 / bpm)
    this.#flash(beat === 1 && grid.beatsPerBar > 1 ? accentLevel : level, atShowMs)
    this.#flash(0, atShowMs + lengthMs)
  }

  #flash(level: number, atShowMs: number): void {
    const lamp = this.#lamp
    if (lamp === null) return
    // Half of a lamp that is only on or off is none.
    const shown = lamp.isDimmable ? level : Math.ceil(level)
    const levels = new Array<number>(lamp.channelCount).fill(shown)
    try {
      lamp.apply(levels, this.#clock.showToMonotonic(showTimeMs(atShowMs)))
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      if (this.#isRefused) return
      this.#isRefused = true
      this.#log.warn('tempo.lamp-refused', { lamp: lamp.name, error: messageOf(error) })
    }
  }

  #waitForBeat(): void {
    this.#cancelBeat()
    const now = this.#clock.showTimeMs()
    const next = nextBeat(this.#pieces, Math.max(now - STALE_MS, this.#toldMs + 1))
    if (next === null) return
    const at = this.#clock.showToMonotonic(showTimeMs(next.atShowMs))
    const soonest = after(this.#clock.monotonicMs(), 0)
    this.#cancelBeat = this.#clock.runAt(at < soonest ? soonest : at, () => this.#tell(next))
  }

  #tell({ bar, beat, bpm, beatsPerBar, atShowMs }: Beat): void {
    this.#toldMs = atShowMs
    this.#bus.publish('tempo/beat', { bar, beat, bpm, beatsPerBar, atShowMs })
    this.#waitForBeat()
  }
}
