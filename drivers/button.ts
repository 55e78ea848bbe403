/**
 * A button, a footswitch, a contact, a light barrier: something that closes and opens.
 * The first change counts, and what follows within `settleMs` is taken for bouncing, so a GO does not wait for the
 * contact to come to rest. What is shorter than `debounceMs` never gets here: the kernel takes it for a spike on the
 * cable, and stamps a change at the end of that quiet time.
 */
import { DeviceError } from '../runtime/core/errors.js'
import { repeat } from '../runtime/core/repeat.js'
import { Signal } from '../runtime/core/signal.js'
import { after } from '../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Input, InputEvent } from '../runtime/ports/devices.js'
import type { Edge, InputLine } from '../runtime/ports/host.js'

export interface ButtonOptions {
  readonly name: string
  /** So long after a change the contact may bounce; then it is looked at again. 0: every change counts. */
  readonly settleMs: number
  /** After a press further presses are ignored for so long, with their releases. 0: none. */
  readonly holdOffMs: number
  /** Held for so long, a press is reported as long too. 0: never. */
  readonly longPressMs: number
}

/** How often a line is asked whether it is still there; edges are heard at once. */
const CHECK_MS = 1_000

export class Button implements Input {
  readonly name: string
  readonly #line: InputLine
  readonly #clock: Clock
  readonly #options: ButtonOptions
  readonly #faults = new Signal<Error>()
  readonly #events = new Signal<InputEvent>()
  /** What the contact was last taken for. */
  #isDown = false
  /** Until then it may bounce; null when it is at rest. */
  #settlesAt: MonotonicMs | null = null
  #pressedAt: MonotonicMs | null = null
  #quietUntil: MonotonicMs | null = null
  #cancels: Cancel[] = []
  #cancelSettle: Cancel = () => {}
  #cancelLong: Cancel = () => {}
  #isRunning = false

  constructor(line: InputLine, clock: Clock, options: ButtonOptions) {
    this.#line = line
    this.#clock = clock
    this.name = options.name
    this.#options = options
  }

  /** A button that is down already says nothing until it is let go and pressed again. */
  async start(): Promise<void> {
    await this.#line.open()
    this.#isDown = this.#line.isActive()
    this.#settlesAt = null
    this.#pressedAt = null
    this.#quietUntil = null
    this.#isRunning = true
    this.#cancels = [
      this.#line.onEdge(edge => this.#onEdge(edge)),
      repeat(this.#clock, CHECK_MS, async () => this.#check()),
    ]
  }

  async stop(): Promise<void> {
    this.#halt()
    await this.#line.close()
  }

  isActive(): boolean {
    return this.#isRunning && this.#isLineActive()
  }

  onEvent(listener: (event: InputEvent) => void): Cancel {
    return this.#events.listen(listener)
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#faults.listen(listener)
  }

  #onEdge(edge: Edge): void {
    if (!this.#isRunning) return
    // Once it was looked at again, an older change that is heard of late is news, and not bouncing.
    if (this.#settlesAt !== null && edge.at < this.#settlesAt) return
    this.#change(edge)
  }

  #change({ isActive, at, source }: Edge): void {
    if (isActive === this.#isDown) return
    this.#isDown = isActive
    this.#letSettle(at)
    if (isActive) this.#press(at, source)
    else if (this.#pressedAt !== null) {
      this.#pressedAt = null
      this.#cancelLong()
      this.#events.emit({ kind: 'release', at, source })
    }
  }

  #press(at: MonotonicMs, source: Edge['source']): void {
    if (this.#quietUntil !== null && at < this.#quietUntil) return
    this.#pressedAt = at
    this.#quietUntil = after(at, this.#options.holdOffMs)
    this.#watchLongPress(at)
    this.#events.emit({ kind: 'press', at, source })
  }

  #letSettle(from: MonotonicMs): void {
    const { settleMs } = this.#options
    this.#cancelSettle()
    if (settleMs === 0) return
    const at = after(from, settleMs)
    this.#settlesAt = at
    this.#cancelSettle = this.#clock.runAt(at, () => {
      this.#settlesAt = null
      const isActive = this.#isLineActive()
      if (this.#isRunning) this.#change({ isActive, at, source: 'program' })
    })
  }

  #watchLongPress(pressedAt: MonotonicMs): void {
    const { longPressMs } = this.#options
    if (longPressMs === 0) return
    const at = after(pressedAt, longPressMs)
    this.#cancelLong = this.#clock.runAt(at, () => {
      // After a stall of the main thread the release may still be waiting to be heard: ask the line itself.
      if (this.#pressedAt === pressedAt && this.#isLineActive())
        this.#events.emit({ kind: 'long-press', at, source: 'program' })
    })
  }

  #check(): void {
    if (this.#isRunning) this.#isLineActive()
  }

  #isLineActive(): boolean {
    try {
      return this.#line.isActive()
    } catch (fault) {
      // Anything else is a bug, and must stop the process.
      if (!(fault instanceof DeviceError)) throw fault
      this.#halt()
      this.#faults.emit(fault)
      return false
    }
  }

  #halt(): void {
    this.#isRunning = false
    this.#cancelSettle()
    this.#cancelLong()
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
  }
}
