/** The host's end of the simulated wires: outputs that can be set ahead of time, inputs with the kernel's debounce. */
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type {
  Edge,
  Fired,
  InputLine,
  InputLineOptions,
  OutputLine,
} from '../../runtime/ports/host.js'
import type { LineChange, Wire } from './wire.js'

const PLANNED_MAX = 256

export class SimulatedOutputLine implements OutputLine {
  readonly name: string
  readonly #wire: Wire
  readonly #clock: Clock
  readonly #planned = new Set<Cancel>()
  #isOpen = false

  constructor(wire: Wire, clock: Clock) {
    this.#wire = wire
    this.name = wire.line.name
    this.#clock = clock
  }

  async open(isActive: boolean): Promise<void> {
    if (this.#isOpen) throw new DeviceError('device.busy', `line ${this.name} is open already`)
    this.#wire.take()
    this.#isOpen = true
    this.#wire.setActive(isActive)
  }

  set(isActive: boolean): void {
    this.#requireOpen()
    this.#wire.requireWell()
    this.#wire.setActive(isActive)
  }

  setAt(isActive: boolean, at: MonotonicMs, done: (fired: Fired) => void): Cancel {
    this.#requireOpen()
    if (this.#planned.size >= PLANNED_MAX)
      throw new DeviceError(
        'device.limit',
        `line ${this.name}: ${PLANNED_MAX} changes wait already`,
      )
    const now = this.#clock.monotonicMs()
    // As on a real machine: a past moment is now, but nobody is called back before this call has returned.
    const early = at <= now ? this.#fire(isActive, at) : null
    const cancelTask = this.#clock.runAt(at, () => {
      this.#planned.delete(cancel)
      const fired = at <= now ? early : this.#fire(isActive, at)
      if (fired) done(fired)
    })
    const cancel = (): void => {
      this.#planned.delete(cancel)
      cancelTask()
    }
    this.#planned.add(cancel)
    return cancel
  }

  /** A line that is gone cannot be fired: null, and nobody hears of a change that did not happen. */
  #fire(isActive: boolean, at: MonotonicMs): Fired | null {
    if (this.#wire.fault) return null
    this.#wire.setActive(isActive)
    return { plannedMs: at, firedMs: this.#clock.monotonicMs(), source: 'firing' }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const cancel of this.#planned) cancel()
    this.#wire.setActive(this.#wire.line.safeState === 'active')
    this.#wire.release()
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new DeviceError('device.absent', `line ${this.name} is not open`)
  }
}

/**
 * Debounced as Linux does it where the chip cannot (gpiolib-cdev.c, `debounce_work_func`): each change of level starts
 * the quiet time again; only when the line has been quiet for all of it is the level looked at, and an edge is reported
 * if it differs from the last one reported. The stamp is taken then, at the end of the quiet time, so a debounced edge
 * is stamped `debounceMs` late; and until then the line reads as its old level.
 */
export class SimulatedInputLine implements InputLine {
  readonly name: string
  readonly #wire: Wire
  readonly #clock: Clock
  readonly #debounceMs: number
  readonly #edges = new Signal<Edge>()
  #stopListening: Cancel = () => {}
  #cancelQuiet: Cancel = () => {}
  #isOpen = false
  #isActive = false

  constructor(wire: Wire, clock: Clock, options: InputLineOptions) {
    this.#wire = wire
    this.name = wire.line.name
    this.#clock = clock
    this.#debounceMs = options.debounceMs
  }

  async open(): Promise<void> {
    if (this.#isOpen) throw new DeviceError('device.busy', `line ${this.name} is open already`)
    this.#wire.take()
    this.#isOpen = true
    this.#isActive = this.#wire.isActive
    this.#stopListening = this.#wire.changed.listen(change => this.#onChange(change))
  }

  isActive(): boolean {
    if (!this.#isOpen) throw new DeviceError('device.absent', `line ${this.name} is not open`)
    this.#wire.requireWell()
    return this.#isActive
  }

  onEdge(listener: (edge: Edge) => void): Cancel {
    return this.#edges.listen(listener)
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#cancelQuiet()
    this.#stopListening()
    this.#wire.release()
  }

  #onChange(change: LineChange): void {
    if (this.#debounceMs === 0) this.#report(change.isActive)
    else {
      this.#cancelQuiet()
      const quietAt = after(change.at, this.#debounceMs)
      this.#cancelQuiet = this.#clock.runAt(quietAt, () => this.#report(this.#wire.isActive))
    }
  }

  #report(isActive: boolean): void {
    if (isActive === this.#isActive || this.#wire.fault) return
    this.#isActive = isActive
    this.#edges.emit({ isActive, at: this.#clock.monotonicMs(), source: 'kernel' })
  }
}
