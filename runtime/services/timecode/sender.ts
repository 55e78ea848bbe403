/** Sends one kind of timecode, frame by frame, each when the venue's timeline says so. */
import { after, showTimeMs } from '../../core/time.js'
import { frameOfDay } from '../../core/timecode.js'
import type { TimecodeOutputConfig } from '../../core/timecode-config.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Payload } from '../../topics.js'
import { dueAfter, frameOnAt, type Running } from './generate.js'
import { OutputRun } from './output-run.js'

/** The timeline may be steered meanwhile, so it is looked at so often while a moment is waited for. */
const REST_MS_MAX = 1_000
/** A moment that a rounded clock has not quite reached is the moment. */
const EARLY_MS_MAX = 0.05

/** Where frames go. */
export interface Way {
  /** In how many equal parts it sends a frame. */
  readonly parts: number
  /** Called when the frame, or its part, begins. @param frame of the day */
  send(frame: number): void
  /** Why the last one was not sent. */
  trouble(): string | null
}

export class Sender {
  readonly #clock: Clock
  readonly #config: TimecodeOutputConfig
  readonly #way: Way
  readonly #run: OutputRun
  #isStarted = false
  #cancel: Cancel = () => {}

  constructor(clock: Clock, config: TimecodeOutputConfig, way: Way) {
    this.#clock = clock
    this.#config = config
    this.#way = way
    this.#run = new OutputRun(config)
  }

  start(): void {
    this.#isStarted = true
    this.#wait()
  }

  stop(): void {
    this.#isStarted = false
    this.#cancel()
  }

  /** @param startShowMs null: it is not, or not any more */
  setArmed(startShowMs: number | null): void {
    this.#run.setArmed(startShowMs)
    this.#wait()
  }

  read(): Payload<'timecode/state'>['outputs'][number] {
    return this.#run.read(this.#clock.showTimeMs(), this.#way.trouble())
  }

  #wait(): void {
    this.#cancel()
    const running = this.#run.at(this.#clock.showTimeMs())
    if (!this.#isStarted || running === null) return
    const now = showTimeMs(this.#clock.showTimeMs() + EARLY_MS_MAX)
    const { frame, atShowMs } = dueAfter(running, this.#config.rate, now, this.#way.parts)
    const at = this.#clock.showToMonotonic(atShowMs)
    const soon = after(this.#clock.monotonicMs(), REST_MS_MAX)
    this.#cancel = this.#clock.runAt(at < soon ? at : soon, () => this.#send(running, frame))
  }

  /** The one that was waited for, or the one that is on by now; nothing while that has not begun. */
  #send(running: Running, awaited: number): void {
    const { rate } = this.#config
    const show = showTimeMs(this.#clock.showTimeMs() + EARLY_MS_MAX)
    const on = frameOnAt(running, rate, show, this.#way.parts)
    if (on >= awaited) this.#way.send(frameOfDay(on, rate))
    this.#wait()
  }
}
