/**
 * Every job of the box: the disk, and in memory no more than the places of those that wait. What a step says is on disk
 * before anybody hears of it.
 */
import { BoxError } from '../../core/errors.js'
import type { TicketDocument } from '../../core/ticket-document.js'
import type { Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { PrinterStatus } from '../../ports/printer.js'
import type { Store } from '../../ports/store.js'
import { interrupted } from './decide.js'
import { freshDeadline, keptDeadline, type Now } from './expiry.js'
import { isSettled, type Job } from './job.js'
import {
  applyEffect,
  type Effect,
  type Ledger,
  newLedger,
  type PrinterRow,
  rowOf,
} from './ledger.js'
import { newBook } from './serials.js'
import { SpoolJournal } from './spool-journal.js'
import { nullWhenRotten, SpoolTables } from './spool-tables.js'
import { type Waiting, WaitingList } from './waiting-list.js'

export interface SpoolPorts {
  readonly clock: Clock
  readonly log: Log
  readonly store: Store
  readonly keys: Keys
}

/** @param changed hears each step that is on disk */
export async function openSpool(ports: SpoolPorts, changed: (job: Job) => void): Promise<Spool> {
  const tables = new SpoolTables(ports.store)
  const ledger = await readLedger(ports, tables)
  const journal = new SpoolJournal(ports.store, tables, ledger)
  const spool = new Spool(ports, tables, journal, changed)
  await spool.recover()
  return spool
}

async function readLedger({ keys, log }: SpoolPorts, tables: SpoolTables): Promise<Ledger> {
  const row = await tables.readSpool().catch(nullWhenRotten)
  const begun = row ?? newLedger(newBook(keys), await tables.afterLast()).spool
  if (row === null && begun.next > 1) log.error('print.counter-rotten', { next: begun.next })
  const rows = await tables.readPrinters()
  return { spool: begun, printers: new Map(rows.map(found => [found.printer, found])) }
}

export class Spool {
  readonly tables: SpoolTables
  readonly #clock: Clock
  readonly #log: Log
  readonly #journal: SpoolJournal
  readonly #changed: (job: Job) => void
  /** Found `sending` at the start, and not settled yet. */
  readonly #begun: number[] = []
  readonly #lists = new Map<string, WaitingList>()
  #next: number

  constructor(
    { clock, log }: SpoolPorts,
    tables: SpoolTables,
    journal: SpoolJournal,
    changed: (job: Job) => void,
  ) {
    this.tables = tables
    this.#clock = clock
    this.#log = log
    this.#journal = journal
    this.#changed = changed
    this.#next = journal.ledger.spool.next
  }

  /** Of the serials of this box; on disk with the first job. */
  get book(): string {
    return this.#journal.ledger.spool.book
  }

  get finishedCount(): number {
    return this.#journal.ledger.spool.finished
  }

  /** What a person has to look at, of all printers. */
  get unknownCount(): number {
    let count = 0
    for (const { unknown } of this.#journal.ledger.printers.values()) count += unknown
    return count
  }

  /** The sequence that the next job will get. */
  get next(): number {
    return this.#next
  }

  get waitingCount(): number {
    let count = 0
    for (const list of this.#lists.values()) count += list.size
    return count
  }

  /** Of a printer that may not be there any more, too. */
  list(printer: string): WaitingList {
    const known = this.#lists.get(printer)
    if (known) return known
    const made = new WaitingList()
    this.#lists.set(printer, made)
    return made
  }

  get lists(): ReadonlyMap<string, WaitingList> {
    return this.#lists
  }

  numbers(printer: string): PrinterRow {
    return rowOf(this.#journal.ledger, printer)
  }

  /** A number that no other job gets, whether this one comes to be or not. */
  takeSequence(): number {
    return this.#next++
  }

  now(): Now {
    return { wallMs: this.#clock.wallTimeMs(), monotonicMs: this.#clock.monotonicMs() }
  }

  /** @throws BoxError `storage.conflict` when its key or its serial is there; other codes of the store */
  async accept(job: Job, document: TicketDocument, digest: string): Promise<void> {
    await this.#journal.commit(this.tables.accepted(job, document, digest))
    this.#changed(job)
    this.list(job.printer).add(waitingOf(job, this.now()))
  }

  /** The job whose place was taken from its list; null when there is nothing to be done with it. */
  async own(waiting: Waiting): Promise<Job | null> {
    const job = await this.tables.job(waiting.sequence).catch(nullWhenRotten)
    if (job !== null && !isSettled(job.state)) return job
    if (job === null) await this.#drop(waiting.sequence)
    return null
  }

  async move(from: Job, to: Job): Promise<void> {
    await this.#journal.commit(this.tables.moved(from, to))
    this.#changed(to)
  }

  async forget(jobs: readonly Job[]): Promise<void> {
    await Promise.all(jobs.map(job => this.#journal.commit(this.tables.forgotten(job))))
  }

  /** Of no consequence: when the disk fails, the next step says so. */
  noteProgress(job: Job): void {
    this.#journal.commit(this.tables.progressed(job)).catch(ignoreBoxErrors)
  }

  /** What a printer says of its paper; on disk when it changes something. Lost, it is said again. */
  hear(printer: string, status: PrinterStatus): void {
    const effect: Effect = { kind: 'heard', printer, status }
    const { ledger } = this.#journal
    if (applyEffect(ledger, effect).printers === ledger.printers) return
    this.#journal.commit({ changes: [], effects: [effect] }).catch(ignoreBoxErrors)
  }

  /** Ends when what was asked for so far is on disk, or has failed. */
  rest(): Promise<void> {
    return this.#journal.rest()
  }

  /** Finds every job that is not settled. What was being sent when the box went down may be on paper. */
  async recover(): Promise<void> {
    for await (const page of this.tables.open())
      for (const { sequence, record } of page) {
        if (record === null || record.isBegun) this.#begun.push(sequence)
        else this.list(record.printer).add({ sequence, deadline: keptDeadline(record, this.now()) })
      }
    await this.settleInterrupted().catch(ignoreBoxErrors)
  }

  /** Those that were found `sending`, as far as the disk takes it. @throws BoxError for the first that it does not */
  async settleInterrupted(): Promise<void> {
    for (let sequence = this.#begun[0]; sequence !== undefined; sequence = this.#begun[0]) {
      await this.#interrupt(sequence)
      this.#begun.shift()
    }
  }

  async #interrupt(sequence: number): Promise<void> {
    const job = await this.tables.job(sequence).catch(nullWhenRotten)
    if (job === null || isSettled(job.state)) return this.#drop(sequence)
    const next = job.state === 'sending' ? interrupted(job, this.#clock.wallTimeMs()) : job
    const { id, serial, state } = next
    if (next !== job) {
      this.#log.warn('print.interrupted', { job: id, serial, state })
      await this.move(job, next)
    }
    if (!isSettled(state))
      this.list(next.printer).add({ sequence, deadline: keptDeadline(next, this.now()) })
  }

  async #drop(sequence: number): Promise<void> {
    this.#log.error('print.job-rotten', { sequence })
    await this.#journal.commit(this.tables.dropped(sequence))
  }
}

/** Its place, as of a job that was asked for, or decided about, just now. */
export const waitingOf = (job: Job, now: Now): Waiting => ({
  sequence: job.sequence,
  deadline: freshDeadline(job, now),
})

function ignoreBoxErrors(error: unknown): void {
  if (!(error instanceof BoxError)) throw error
}
