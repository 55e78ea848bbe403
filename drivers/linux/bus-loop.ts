/**
 * What the thread of an I2C bus does at moments: writes to chips. What is due for one chip at once is taken together, and
 * what a later one writes again is left out. A chip that does not answer rests for some milliseconds, in which the others
 * go on.
 */
import { isOvertaken, TRIES_MAX } from '../../runtime/core/planned-writes.js'
import { monotonicMs } from '../../runtime/core/time.js'
import type { MonotonicMs } from '../../runtime/ports/clock.js'
import type { RegisterWrite } from '../../runtime/ports/host.js'
import { ADDRESSES_MAX } from './bus-chips.js'
import type { BusReport, BusShared } from './bus-protocol.js'
import { TransferEnd } from './bus-transfers.js'
import { errnoName } from './errno.js'
import { type LoopSignals, MomentLoop, type MomentThread, type MomentWork } from './moment-loop.js'
import type { Ticket } from './planned-slots.js'
import type { SpinMargin } from './spin-margin.js'

export interface BusLoopThread extends MomentThread {
  /** One transfer; returns the errno, or 0 when it was written. */
  send(address: number, write: RegisterWrite): number
  report(report: BusReport): void
}

export type BusLoopShared = Pick<BusShared, 'transfers' | 'chips'> & {
  readonly signals: LoopSignals
}

/** What is due for one chip, and how far it has come. */
interface Run {
  readonly address: number
  readonly tickets: readonly Ticket[]
  readonly writes: readonly (readonly RegisterWrite[])[]
  /** Which ticket, and which of its writes. */
  index: number
  writeIndex: number
  tries: number
  beganMs: number
}

interface Resting {
  readonly run: Run
  readonly at: MonotonicMs
}

const REST_MS = 5
/** The kernel has waited for it longer than anybody else on the bus should have to. ETIMEDOUT of errno(3). */
const TIMED_OUT = 110

export class BusLoop implements MomentWork {
  readonly #shared: BusLoopShared
  readonly #thread: BusLoopThread
  readonly #loop: MomentLoop
  readonly #resting = new Map<number, Resting>()
  /** Chips that failed, with the epoch that they failed in: nothing more of that is sent. */
  readonly #failed = new Map<number, number>()
  #next: Ticket | Resting | null = null

  /** @param options.heartbeatMs chips hear their last words when the main thread has been silent for longer */
  constructor(
    shared: BusLoopShared,
    thread: BusLoopThread,
    margin: SpinMargin,
    options: { readonly heartbeatMs: number },
  ) {
    this.#shared = shared
    this.#thread = thread
    this.#loop = new MomentLoop(this, shared.signals, thread, margin, options)
  }

  /** Writes what is due for one chip, or sleeps until there may be something. */
  turn(): void {
    this.#loop.turn()
  }

  next(): Ticket | Resting | null {
    const { transfers } = this.#shared
    const isAwake = (slot: number): boolean => !this.#resting.has(transfers.addressOf(slot))
    let next: Ticket | Resting | null = transfers.slots.earliest(
      this.#resting.size > 0 ? isAwake : null,
    )
    for (const resting of this.#resting.values())
      if (next === null || resting.at <= next.at) next = resting
    this.#next = next
    return next
  }

  doNext(): void {
    const next = this.#next
    if (next === null) return
    if ('run' in next) {
      this.#resting.delete(next.run.address)
      this.#goOn(next.run)
    } else {
      const run = this.#takeDue(next)
      if (run !== null) this.#goOn(run)
    }
  }

  /** Null when it has been cancelled. */
  #takeDue(first: Ticket): Run | null {
    const { transfers } = this.#shared
    const { slots } = transfers
    const address = transfers.addressOf(first.slot)
    const now = this.#thread.nowMs()
    const tickets: Ticket[] = []
    let next: Ticket | null = first
    while (next !== null && next.at <= now) {
      if (slots.take(next)) tickets.push(next)
      next = slots.earliest(slot => transfers.addressOf(slot) === address)
    }
    if (tickets.length === 0) return null
    const writes = tickets.map(({ slot }) => transfers.writesOf(slot))
    return { address, tickets, writes, index: 0, writeIndex: 0, tries: 0, beganMs: now }
  }

  #goOn(run: Run): void {
    for (; run.index < run.tickets.length; run.index++, run.writeIndex = 0) {
      const end = this.#carryOut(run)
      if (end === 'rests') {
        const at = monotonicMs(this.#thread.nowMs() + REST_MS)
        this.#resting.set(run.address, { run, at })
        return
      }
      this.#finish(run, end)
    }
  }

  #carryOut(run: Run): TransferEnd | 'rests' | { readonly errno: number } {
    const writes = run.writes[run.index] ?? []
    if (run.writeIndex === 0) {
      if (isOvertaken(writes, run.writes.slice(run.index + 1))) return TransferEnd.overtaken
      if (run.tries === 0) run.beganMs = this.#thread.nowMs()
    }
    for (const write of writes.slice(run.writeIndex)) {
      if (!this.#isWanted(run)) return TransferEnd.dropped
      const errno = this.#send(run.address, write)
      if (errno !== 0) return this.#failedOnce(run, errno)
      run.tries = 0
      run.writeIndex++
    }
    return TransferEnd.written
  }

  #failedOnce(run: Run, errno: number): 'rests' | { readonly errno: number } {
    run.tries++
    return errno === TIMED_OUT || run.tries >= TRIES_MAX ? { errno } : 'rests'
  }

  #isWanted({ address, tickets, index }: Run): boolean {
    const { transfers, chips } = this.#shared
    const ticket = tickets[index]
    const epoch = ticket === undefined ? null : transfers.epochOf(ticket.slot)
    return epoch === chips.epoch(address) && this.#failed.get(address) !== epoch
  }

  #send(address: number, write: RegisterWrite): number {
    const { chips } = this.#shared
    chips.setBusy(this.#thread.nowMs())
    try {
      return this.#thread.send(address, write)
    } finally {
      chips.setBusy(null)
    }
  }

  #finish(run: Run, how: TransferEnd | { readonly errno: number }): void {
    const ticket = run.tickets[run.index]
    if (ticket === undefined) return
    const { transfers } = this.#shared
    const [end, errno] = typeof how === 'number' ? [how, 0] : [TransferEnd.failed, how.errno]
    if (end === TransferEnd.failed) this.#failed.set(run.address, transfers.epochOf(ticket.slot))
    run.tries = 0
    transfers.finish(ticket, { end, beganMs: run.beganMs, endedMs: this.#thread.nowMs(), errno })
  }

  tell(): void {
    this.#thread.report({ kind: 'over' })
  }

  tellLoss(silentMs: number): void {
    this.#thread.report({ kind: 'heartbeat-lost', silentMs, atMs: this.#thread.nowMs() })
  }

  /** What was planned is dropped: nobody is there to answer for it. Then each chip hears its last words. */
  makeSafe(): void {
    for (const { run } of this.#resting.values())
      for (; run.index < run.tickets.length; run.index++) this.#finish(run, TransferEnd.dropped)
    this.#resting.clear()
    this.#dropPending()
    for (let address = 0; address < ADDRESSES_MAX; address++) {
      const errno = this.#sayLastWords(address)
      if (errno !== 0) this.#thread.report({ kind: 'not-safe', address, error: errnoName(errno) })
    }
  }

  #dropPending(): void {
    const { transfers } = this.#shared
    const nowMs = this.#thread.nowMs()
    const ended = { end: TransferEnd.dropped, beganMs: nowMs, endedMs: nowMs, errno: 0 }
    for (let next = transfers.slots.earliest(); next; next = transfers.slots.earliest())
      if (transfers.slots.take(next)) transfers.finish(next, ended)
  }

  /** The last errno, or 0. */
  #sayLastWords(address: number): number {
    let errno = 0
    for (const write of this.#shared.chips.lastWords(address)) {
      errno = this.#send(address, write)
      for (let tries = 1; errno !== 0 && tries < TRIES_MAX; tries++)
        errno = this.#send(address, write)
      if (errno !== 0) break
    }
    return errno
  }
}
