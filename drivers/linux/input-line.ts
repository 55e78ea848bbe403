import { assert, DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { Edge, InputLine, InputLineOptions } from '../../runtime/ports/host.js'
import { type InputListener, type LinePlace, placeKey, type TakenInput } from './gpio-backend.js'
import type { LineServices } from './line-services.js'

const DEBOUNCE_MS_MAX = 1000
const LOST_REPORT_EVERY_MS = 10_000

export class LinuxInputLine implements InputLine {
  readonly name: string
  readonly #services: LineServices
  readonly #place: LinePlace
  readonly #debounceMs: number
  readonly #edges = new Signal<Edge>()
  #open: { readonly taken: TakenInput; readonly free: Cancel } | null = null
  #isActive = false
  #fault: DeviceError | null = null
  #lost = { count: 0, reportedMs: Number.NEGATIVE_INFINITY }

  constructor(services: LineServices, place: LinePlace, options: InputLineOptions) {
    const { debounceMs } = options
    assert(debounceMs >= 0 && debounceMs <= DEBOUNCE_MS_MAX, 'debounceMs is 0..1000')
    this.#services = services
    this.name = place.name
    this.#place = place
    this.#debounceMs = debounceMs
  }

  async open(): Promise<void> {
    const free = this.#services.claims.claim(placeKey(this.#place), this.name)
    try {
      this.#fault = null
      const taken = await this.#services
        .backend()
        .takeInput(this.#place, this.#debounceMs, this.#listener)
      this.#isActive = await firstState(taken)
      this.#open = { taken, free }
    } catch (error) {
      free()
      throw error
    }
  }

  isActive(): boolean {
    if (this.#open === null) throw new DeviceError('device.absent', `${this.name} is not open`)
    if (this.#fault) throw this.#fault
    return this.#isActive
  }

  onEdge(listener: (edge: Edge) => void): Cancel {
    return this.#edges.listen(listener)
  }

  async close(): Promise<void> {
    const open = this.#open
    if (open === null) return
    this.#open = null
    try {
      await open.taken.release()
    } finally {
      open.free()
    }
  }

  readonly #listener: InputListener = {
    changed: edge => {
      this.#isActive = edge.isActive
      if (this.#open) this.#edges.emit(edge)
    },
    lost: count => this.#reportLost(count),
    gone: fault => {
      if (this.#fault !== null) return
      this.#fault = fault
      this.#services.log.error('line.gone', { line: this.name, error: fault.message })
    },
  }

  /** A broken contact can lose thousands a second: they are counted, and told now and then. */
  #reportLost(count: number): void {
    this.#lost.count += count
    const nowMs = this.#services.clock.monotonicMs()
    if (nowMs - this.#lost.reportedMs < LOST_REPORT_EVERY_MS) return
    this.#services.log.warn('line.edges-lost', { line: this.name, count: this.#lost.count })
    this.#lost = { count: 0, reportedMs: nowMs }
  }
}

/** A line that cannot even be read is let go of. */
async function firstState(taken: TakenInput): Promise<boolean> {
  try {
    return taken.isActive()
  } catch (error) {
    // Should this fail too, the first failure is the one to report.
    await taken.release().catch(() => {})
    throw error
  }
}
