/**
 * One printer and what waits for it, one ticket at a time in order of arrival. `sending` is on disk before the printer is
 * given the first byte, and what became of the ticket is on disk before the next one is begun.
 */

import { BoxError, messageOf } from '../../core/errors.js'
import { after, earlier } from '../../core/time.js'
import { wait } from '../../core/wait.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Printer, PrintOutcome, PrintProgress } from '../../ports/printer.js'
import { begun, expired, failed, settled } from './decide.js'
import { isOver } from './expiry.js'
import { isSettled, type Job } from './job.js'
import { Ring } from './ring.js'
import { type Spool, waitingOf } from './spool.js'
import { nullWhenRotten } from './spool-tables.js'
import { type Art, type ReadyTicket, readyTicket } from './ticket-making.js'
import type { Waiting, WaitingList } from './waiting-list.js'

const PAUSE_MS_MIN = 1_000
const PAUSE_MS_MAX = 30_000
/** How far a ticket has come is of no consequence, and journalled that seldom. */
const PROGRESS_MS = 2_000
const TOOK_MAX = 100

export interface PrinterQueueOptions {
  readonly art: Art
  /** Something about this printer is to be told. */
  readonly stirred: () => void
}

export class PrinterQueue {
  readonly printer: Printer
  readonly took = new Ring(TOOK_MAX)
  readonly #clock: Clock
  readonly #log: Log
  readonly #spool: Spool
  readonly #list: WaitingList
  readonly #options: PrinterQueueOptions
  #isStarted = false
  #isHeld = false
  #isRunning = false
  #wasHindered = false
  #tries = 0
  #failedAt: MonotonicMs | null = null
  #pauseUntil: MonotonicMs | null = null
  #inHand: Promise<void> = Promise.resolve()
  #sending: Job | null = null
  #cancelPause: Cancel = () => {}
  #cancelStatus: Cancel = () => {}

  constructor(
    clock: Clock,
    log: Log,
    spool: Spool,
    printer: Printer,
    options: PrinterQueueOptions,
  ) {
    this.printer = printer
    this.#clock = clock
    this.#log = log
    this.#spool = spool
    this.#list = spool.list(printer.name)
    this.#options = options
  }

  /** The job that is being sent, with the bytes so far. */
  get sending(): Job | null {
    return this.#sending
  }

  start(): void {
    this.#isStarted = true
    this.#cancelStatus = this.printer.onStatus(status => {
      this.#spool.hear(this.printer.name, status)
      this.#options.stirred()
      this.wake()
    })
    this.#spool.hear(this.printer.name, this.printer.status())
    this.wake()
  }

  /** Begins nothing more. Ends when the ticket in hand has ended: whoever stops the printer ends it. */
  async stop(): Promise<void> {
    this.#isStarted = false
    this.#cancelStatus()
    this.#cancelPause()
    await this.#inHand
  }

  /** Held, nothing more is begun until it is let go. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.wake()
  }

  /** Something may have changed: a job came, the printer is well again, a pause is over. */
  wake(): void {
    const hindrance = this.printer.hindrance()
    const isHindered = hindrance !== null && hindrance !== 'busy'
    if (this.#wasHindered && !isHindered) this.#shortenPause()
    this.#wasHindered = isHindered
    if (!this.#isRunning && this.#mayBegin()) this.#inHand = this.#run()
  }

  #mayBegin(): boolean {
    return (
      this.#isStarted &&
      !this.#isHeld &&
      this.#list.size > 0 &&
      this.printer.hindrance() === null &&
      (this.#pauseUntil === null || this.#clock.monotonicMs() >= this.#pauseUntil)
    )
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // From a turn of its own: who woke it may be in the middle of something.
    await Promise.resolve()
    while (this.#mayBegin()) {
      const waiting = this.#list.takeFirst()
      if (waiting !== undefined) await this.#take(waiting)
    }
    this.#isRunning = false
  }

  /** A failing disk costs a pause, and the job goes back to its place. */
  async #take(waiting: Waiting): Promise<void> {
    try {
      const job = await this.#spool.own(waiting)
      if (job !== null) await this.#print(job, waiting)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.error('print.not-begun', {
        printer: this.printer.name,
        code: error.code,
        error: messageOf(error),
      })
      this.#list.add(waiting)
      this.#pause()
    }
  }

  async #print(job: Job, waiting: Waiting): Promise<void> {
    const now = this.#spool.now()
    const { wallMs } = now
    if (isOver(waiting.deadline, now)) {
      await this.#spool.move(job, expired(job, wallMs))
      return
    }
    const ready = await this.#ready(job)
    if (ready instanceof BoxError) {
      this.#log.warn('print.failed', { job: job.id, code: ready.code, error: ready.message })
      await this.#spool.move(job, failed(job, ready, wallMs))
      return
    }
    if (!this.#mayBeginWith()) {
      this.#list.add(waiting)
      return
    }
    const sending = begun(job, ready.millimetres, wallMs)
    await this.#spool.move(job, sending)
    const outcome = await this.#send(sending, ready)
    await this.#settle(outcome, waiting)
  }

  /** The disk took its time: what was true when the job was taken may not be any more. */
  #mayBeginWith(): boolean {
    return this.#isStarted && !this.#isHeld && this.printer.hindrance() === null
  }

  async #ready(job: Job): Promise<ReadyTicket | BoxError> {
    const document = await this.#spool.tables.document(job.sequence).catch(nullWhenRotten)
    if (document === null) return new BoxError('storage.rotten', 'its contents are gone')
    try {
      const { art } = this.#options
      const ready = await readyTicket(document, job, {
        clock: this.#clock,
        printer: this.printer,
        art,
      })
      const { warnings } = ready
      if (warnings.length > 0) this.#log.warn('print.changed-letters', { job: job.id, warnings })
      return ready
    } catch (error) {
      if (error instanceof BoxError) return error
      throw error
    }
  }

  async #send(job: Job, { ticket }: ReadyTicket): Promise<PrintOutcome> {
    this.#sending = job
    // The box may have been told to stop while the disk was at work: not a byte has left.
    if (!this.#isStarted)
      return { kind: 'untouched', why: new BoxError('device.absent', 'the box is stopping') }
    let begunMs: MonotonicMs | null = null
    let journalledMs = this.#clock.monotonicMs()
    const progress = ({ sentBytes, totalBytes }: PrintProgress): void => {
      const now = this.#clock.monotonicMs()
      begunMs ??= now
      this.#sending = { ...job, sentBytes, totalBytes }
      this.#options.stirred()
      if (now - journalledMs < PROGRESS_MS) return
      journalledMs = now
      this.#spool.noteProgress(this.#sending)
    }
    const outcome = await this.printer.print(ticket, progress)
    const isWhole = outcome.kind === 'confirmed' || outcome.kind === 'sent'
    if (isWhole && begunMs !== null) this.took.add(this.#clock.monotonicMs() - begunMs)
    return outcome
  }

  /** Until it is on disk: a ticket that is out must not be forgotten for a disk that is full. */
  async #settle(outcome: PrintOutcome, waiting: Waiting): Promise<void> {
    const job = this.#sending
    if (job === null) return
    const next = settled(job, outcome, this.#clock.wallTimeMs())
    this.#report(next, outcome)
    for (let tries = 0; !(await this.#isKept(job, next)); tries++) {
      // At the next start it is found `sending`, and is not printed again in silence.
      if (!this.#isStarted) break
      await wait(this.#clock, pauseMs(tries))
    }
    this.#sending = null
    if (outcome.kind === 'confirmed' || outcome.kind === 'sent') this.#tries = 0
    else this.#pause()
    // As if it had never been tried, or REPRINT: either way it has its place again, and only in the second case no end.
    if (!isSettled(next.state))
      this.#list.add(outcome.kind === 'untouched' ? waiting : waitingOf(next, this.#spool.now()))
    this.#options.stirred()
  }

  async #isKept(job: Job, next: Job): Promise<boolean> {
    try {
      await this.#spool.move(job, next)
      return true
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      const { name } = this.printer
      const facts = { printer: name, job: job.id, state: next.state, code: error.code }
      this.#log.error('print.not-kept', { ...facts, error: messageOf(error) })
      return false
    }
  }

  #report({ id, serial, state, code, message }: Job, outcome: PrintOutcome): void {
    if (outcome.kind === 'confirmed' || outcome.kind === 'sent') return
    const facts = { printer: this.printer.name, job: id, serial, state, code, message }
    this.#log.warn(outcome.kind === 'untouched' ? 'print.untouched' : 'print.unknown', facts)
  }

  #pause(): void {
    this.#failedAt = this.#clock.monotonicMs()
    this.#pauseTill(after(this.#failedAt, pauseMs(this.#tries++)))
  }

  /** A printer that is well again is tried soon; one that comes and goes is not tried at each turn. */
  #shortenPause(): void {
    if (this.#pauseUntil === null || this.#failedAt === null) return
    this.#pauseTill(earlier(this.#pauseUntil, after(this.#failedAt, PAUSE_MS_MIN)))
  }

  #pauseTill(at: MonotonicMs): void {
    this.#pauseUntil = at
    this.#cancelPause()
    if (this.#isStarted) this.#cancelPause = this.#clock.runAt(at, () => this.wake())
  }
}

const pauseMs = (tries: number): number =>
  Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(tries, 16))
