import { DeviceError } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Edge } from '../../runtime/ports/host.js'
import type { InputListener } from './gpio-backend.js'
import type { LineEvent } from './gpio-uapi.js'

/**
 * Makes changes of state out of what the kernel reports. The kernel drops the oldest events when nobody reads; then the
 * numbers have a gap, and the line is asked for its level so that no press is held for ever.
 */
export class InputTracker {
  readonly #clock: Clock
  readonly #readLevel: () => boolean
  readonly #listener: InputListener
  #isActive = false
  #seqno = 0

  /** @param readLevel asks the kernel whether the line is active now; throws DeviceError */
  constructor(clock: Clock, readLevel: () => boolean, listener: InputListener) {
    this.#clock = clock
    this.#readLevel = readLevel
    this.#listener = listener
  }

  /** Learns the level to start from. */
  start(): void {
    this.#isActive = this.#readLevel()
  }

  /** Events of one read, oldest first. */
  take(events: readonly LineEvent[]): void {
    let lost = 0
    for (const { isActive, at, seqno } of events) {
      lost += lostBefore(seqno, this.#seqno)
      this.#seqno = seqno
      this.#change({ isActive, at, source: 'kernel' })
    }
    if (lost === 0) return
    this.#listener.lost(lost)
    this.#askLevel()
  }

  /** In the middle of a message: a chip that is gone by now must not stop the process. */
  #askLevel(): void {
    try {
      const isActive = this.#readLevel()
      this.#change({ isActive, at: this.#clock.monotonicMs(), source: 'program' })
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error
      this.#listener.gone(error)
    }
  }

  /** An event that repeats the state is no change: its opposite was lost, or too short for the kernel to read. */
  #change(edge: Edge): void {
    if (edge.isActive === this.#isActive) return
    this.#isActive = edge.isActive
    this.#listener.changed(edge)
  }
}

/** How many events are missing between two of a line's 32-bit numbers, which wrap around. */
export const lostBefore = (seqno: number, previous: number): number => (seqno - previous - 1) >>> 0
