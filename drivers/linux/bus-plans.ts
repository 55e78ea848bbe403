/** The main thread's book of planned transfers of one bus: who asked for them, and how they ended. */
import { DeviceError } from '../../runtime/core/errors.js'
import { PLANNED_PER_CHIP_MAX } from '../../runtime/core/planned-writes.js'
import type { WriteOutcome } from '../../runtime/ports/host.js'
import {
  type PlannedTransfer,
  type PlannedTransfers,
  TRANSFERS_MAX,
  TransferEnd,
} from './bus-transfers.js'
import { errnoName } from './errno.js'
import { codeOfI2cErrno } from './i2c-errno.js'
import type { Ticket } from './planned-slots.js'

export interface BusPlan {
  readonly address: number
  readonly ticket: Ticket
  readonly order: number
  /** Null when nobody wants to hear of it any more. */
  done: ((outcome: WriteOutcome) => void) | null
}

export class BusPlans {
  readonly #transfers: PlannedTransfers
  readonly #bus: number
  readonly #plans = new Map<number, Set<BusPlan>>()
  /** Lowest last, so that low slots are used first. */
  readonly #freeSlots = Array.from({ length: TRANSFERS_MAX }, (_, at) => TRANSFERS_MAX - 1 - at)
  #order = 0

  constructor(transfers: PlannedTransfers, bus: number) {
    this.#transfers = transfers
    this.#bus = bus
  }

  /** @throws DeviceError `device.limit` */
  add(transfer: PlannedTransfer, done: (outcome: WriteOutcome) => void): BusPlan {
    const plans = this.#plansOf(transfer.address)
    const slot = plans.size < PLANNED_PER_CHIP_MAX ? this.#freeSlots.pop() : undefined
    if (slot === undefined)
      throw new DeviceError('device.limit', `${plans.size} writes wait for one chip`)
    const order = this.#order++
    const ticket = this.#transfers.plan(slot, transfer, order)
    const plan = { address: transfer.address, ticket, order, done }
    plans.add(plan)
    return plan
  }

  /** Whether it will now never be written. */
  cancel(plan: BusPlan): boolean {
    if (!this.#plansOf(plan.address).has(plan)) return false
    if (!this.#transfers.slots.cancel(plan.ticket)) return false
    this.#forget(plan)
    return true
  }

  cancelAll(address: number): void {
    for (const plan of [...this.#plansOf(address)]) this.cancel(plan)
  }

  /** The bus hangs: tells everybody, and cancels what can be. The one that hangs stays until it has come back. */
  fail(errorOf: (isUnderWay: boolean) => DeviceError): void {
    for (const plan of [...this.#plans.values()].flatMap(plans => [...plans])) {
      if (this.#transfers.slots.isOver(plan.ticket)) continue
      const isUnderWay = !this.cancel(plan)
      const { done } = plan
      plan.done = null
      done?.({ kind: 'failed', error: errorOf(isUnderWay) })
    }
  }

  isIdle(address: number): boolean {
    return this.#plansOf(address).size === 0
  }

  /** Nobody wants to hear of what is left. */
  forgetDone(address: number): void {
    for (const plan of this.#plansOf(address)) plan.done = null
  }

  /** Calls back for each transfer that is over, in the order in which they ended. */
  collect(): void {
    const over = [...this.#plans.values()]
      .flatMap(plans => [...plans])
      .filter(({ ticket }) => this.#transfers.slots.isOver(ticket))
      .map(plan => ({ plan, ended: this.#end(plan) }))
      .sort((a, b) => a.ended.endedMs - b.ended.endedMs || a.plan.order - b.plan.order)
    for (const { plan, ended } of over) plan.done?.(this.#outcomeOf(ended))
  }

  #end(plan: BusPlan): ReturnType<PlannedTransfers['collect']> {
    const ended = this.#transfers.collect(plan.ticket)
    this.#forget(plan)
    return ended
  }

  #forget(plan: BusPlan): void {
    this.#plansOf(plan.address).delete(plan)
    this.#freeSlots.push(plan.ticket.slot)
    if (this.#freeSlots.length === TRANSFERS_MAX) this.#transfers.slots.forgetUsed()
  }

  #plansOf(address: number): Set<BusPlan> {
    let plans = this.#plans.get(address)
    if (plans === undefined) {
      plans = new Set()
      this.#plans.set(address, plans)
    }
    return plans
  }

  #outcomeOf({
    end,
    beganMs,
    endedMs,
    errno,
  }: ReturnType<PlannedTransfers['collect']>): WriteOutcome {
    switch (end) {
      case TransferEnd.written:
        return { kind: 'written', beganMs, endedMs, source: 'firing' }
      case TransferEnd.overtaken:
        return { kind: 'overtaken' }
      case TransferEnd.dropped:
        return { kind: 'dropped' }
      case TransferEnd.failed: {
        const name = errnoName(errno)
        const message = `I2C bus ${this.#bus}: ${name}`
        return { kind: 'failed', error: new DeviceError(codeOfI2cErrno(name), message) }
      }
    }
  }
}
