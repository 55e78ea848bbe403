/** The main thread's book of planned changes: who asked for them, and how they ended. */
import { assert, DeviceError } from '../../runtime/core/errors.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { Fired } from '../../runtime/ports/host.js'
import { Outcome, type PlannedChange, type PlannedChanges } from './firing-changes.js'
import type { Ticket } from './planned-slots.js'

export const PLANNED_PER_LINE_MAX = 256

/** The other thread needs microseconds for one write; so long means that it hangs in the kernel. */
const TAKEN_MS_MAX = 1000

export interface Plan {
  readonly change: PlannedChange
  readonly ticket: Ticket
  readonly order: number
  readonly done: (fired: Fired) => void
}

interface Ended {
  readonly plan: Plan
  readonly firedMs: MonotonicMs
  readonly isFired: boolean
  readonly isOwn: boolean
}

export class FiringPlans {
  readonly #changes: PlannedChanges
  readonly #clock: Clock
  /** The plans of each line, in the order of the asking. */
  readonly #plans: readonly Set<Plan>[]
  /** Lowest last, so that low slots are used first. */
  readonly #freeSlots: number[]
  /** What was fired by this thread rather than by the firing thread. */
  readonly #own = new Set<Plan>()
  #order = 0
  #count = 0

  constructor(clock: Clock, changes: PlannedChanges, options: { readonly lineCount: number }) {
    this.#clock = clock
    this.#changes = changes
    this.#plans = Array.from({ length: options.lineCount }, () => new Set<Plan>())
    const slotCount = options.lineCount * PLANNED_PER_LINE_MAX
    this.#freeSlots = Array.from({ length: slotCount }, (_, index) => slotCount - 1 - index)
  }

  /** @throws DeviceError `device.limit` when 256 changes of the line wait to happen or to be reported */
  add(change: PlannedChange, done: (fired: Fired) => void): Plan {
    const plans = this.#plansOf(change.line)
    if (plans.size >= PLANNED_PER_LINE_MAX)
      throw new DeviceError('device.limit', `${PLANNED_PER_LINE_MAX} changes wait for one line`)
    const slot = this.#freeSlots.pop()
    assert(slot !== undefined, 'there are as many slots as plans that all lines may have')
    const order = this.#order++
    const plan = { change, ticket: this.#changes.plan(slot, change, order), order, done }
    plans.add(plan)
    this.#count++
    return plan
  }

  /** Afterwards the change never happens, or it has happened and will be reported. */
  cancel(plan: Plan): void {
    if (!this.#plansOf(plan.change.line).has(plan)) return
    if (this.#changes.cancel(plan.ticket)) this.#forget(plan)
    else this.#waitFor(plan)
  }

  cancelAll(line: number): void {
    for (const plan of [...this.#plansOf(line)]) this.cancel(plan)
  }

  /**
   * Fires what is due on a line here and now, in the order of the moments, so that a later order cannot overtake it.
   * Who asked hears of it afterwards. Throws what `write` throws; what was due after that waits for the firing thread.
   */
  fireDue(line: number, write: (isActive: boolean) => void): void {
    const nowMs = this.#clock.monotonicMs()
    const due = [...this.#plansOf(line)].filter(plan => plan.change.at <= nowMs).sort(byMoment)
    if (due.length === 0) return
    queueMicrotask(() => this.collect())
    for (const plan of due) this.#fire(plan, write)
  }

  #fire(plan: Plan, write: (isActive: boolean) => void): void {
    if (this.#changes.take(plan.ticket) === null) {
      this.#waitFor(plan)
      return
    }
    this.#own.add(plan)
    let outcome: Outcome = Outcome.failed
    try {
      write(plan.change.isActive)
      outcome = Outcome.fired
    } finally {
      this.#changes.finish(plan.ticket, outcome, this.#clock.monotonicMs())
    }
  }

  /** Calls back for every change that has happened, in the order in which they did. */
  collect(): void {
    const ended: Ended[] = []
    for (const plans of this.#plans)
      for (const plan of plans) if (this.#changes.isOver(plan.ticket)) ended.push(this.#end(plan))
    ended.sort((a, b) => a.firedMs - b.firedMs || a.plan.order - b.plan.order)
    for (const { plan, firedMs, isFired, isOwn } of ended)
      if (isFired)
        plan.done({ plannedMs: plan.change.at, firedMs, source: isOwn ? 'program' : 'firing' })
  }

  #end(plan: Plan): Ended {
    const { outcome, firedMs } = this.#changes.collect(plan.ticket)
    const isOwn = this.#own.delete(plan)
    this.#forget(plan)
    return { plan, firedMs, isFired: outcome === Outcome.fired, isOwn }
  }

  #forget(plan: Plan): void {
    this.#plansOf(plan.change.line).delete(plan)
    this.#freeSlots.push(plan.ticket.slot)
    if (--this.#count === 0) this.#changes.forgetUsed()
  }

  #waitFor(plan: Plan): void {
    if (!this.#changes.waitWhileTaken(plan.ticket, TAKEN_MS_MAX))
      throw new DeviceError('device.stuck', `a write to a line took over ${TAKEN_MS_MAX} ms`)
  }

  #plansOf(line: number): Set<Plan> {
    const plans = this.#plans[line]
    assert(plans !== undefined, 'the line is one of the board')
    return plans
  }
}

const byMoment = (a: Plan, b: Plan): number => a.change.at - b.change.at || a.order - b.order
