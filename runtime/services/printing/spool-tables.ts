/**
 * The spool's tables, and what each step of a job changes in them. A key and a serial are there once: the tables
 * themselves refuse a second one.
 */
import { BoxError } from '../../core/errors.js'
import { Records } from '../../core/records.js'
import { type Of, object, type Schema, string } from '../../core/schema.js'
import { requestId, whole } from '../../core/shapes.js'
import { type TicketDocument, ticketDocument } from '../../core/ticket-document.js'
import type { Change, Row, Store } from '../../ports/store.js'
import {
  decisionKind,
  isPrintable,
  isSettled,
  type Job,
  jobRecord,
  type OpenRow,
  openRow,
} from './job.js'
import {
  type Effect,
  type Ledger,
  type PrinterRow,
  printerRow,
  type SpoolRow,
  spoolRow,
  takenMillimetres,
} from './ledger.js'

export const keyRow = object({ sequence: whole, digest: string({ max: 64 }) })
export const serialRow = object({ sequence: whole })
export const decisionRow = object({ sequence: whole, job: requestId, decision: decisionKind })
const SPOOL = 'spool'
const JOBS = 'print-jobs'
const OPEN = 'print-open'
const PRINTERS = 'print-printers'
const PRINTERS_MAX = 1_000
const PAGE_ROWS = 2_000

export type KeyRow = Of<typeof keyRow>
export type DecisionRow = Of<typeof decisionRow>

export interface Found<T> {
  readonly sequence: number
  readonly record: T | null
}

/** A key that must not be there yet. */
export interface Guard {
  readonly table: string
  readonly key: string
}

/** One step: all of it is on disk, or none. */
export interface Entry {
  readonly changes: readonly Change[]
  readonly effects: readonly Effect[]
}

export const guardsOf = ({ changes }: Entry): readonly Guard[] =>
  changes.flatMap(change => (change.kind === 'insert' ? [change] : []))

/** Sorts as text as the numbers do. */
export const sequenceKey = (sequence: number): string => String(sequence).padStart(16, '0')

export class SpoolTables {
  readonly #store: Store
  readonly #jobs: Records<Job>
  readonly #open: Records<OpenRow>
  readonly #documents: Records<TicketDocument>
  readonly #keys: Records<KeyRow>
  readonly #serials: Records<Of<typeof serialRow>>
  readonly #decisions: Records<DecisionRow>
  readonly #spool: Records<SpoolRow>
  readonly #printers: Records<PrinterRow>

  constructor(store: Store) {
    this.#store = store
    const records = <T>(table: string, schema: Schema<T>): Records<T> =>
      new Records(store, table, schema)
    this.#jobs = records(JOBS, jobRecord)
    this.#open = records(OPEN, openRow)
    this.#documents = records('print-tickets', ticketDocument)
    this.#keys = records('print-keys', keyRow)
    this.#serials = records('print-serials', serialRow)
    this.#decisions = records('print-decisions', decisionRow)
    this.#spool = records('print-spool', spoolRow)
    this.#printers = records(PRINTERS, printerRow)
  }

  /** A new job. A `storage.conflict` says that its key or its serial is there already. */
  accepted(job: Job, document: TicketDocument, digest: string): Entry {
    const { sequence, id, serial, printer } = job
    const key = sequenceKey(sequence)
    return {
      changes: [
        this.#keys.insert(id, { sequence, digest }),
        this.#serials.insert(serial, { sequence }),
        this.#jobs.put(key, job),
        this.#open.put(key, openRowOf(job)),
        this.#documents.put(key, document),
      ],
      effects: [
        { kind: 'counted', next: sequence + 1 },
        { kind: 'moved', printer, from: null, to: job.state },
      ],
    }
  }

  /** A job that is now another. A `storage.conflict` says that one of its new decisions was made already. */
  moved(from: Job, to: Job): Entry {
    const { sequence, printer } = to
    const key = sequenceKey(sequence)
    const changes: Change[] = [this.#jobs.put(key, to)]
    if (!isSettled(to.state)) changes.push(this.#open.put(key, openRowOf(to)))
    else if (!isSettled(from.state)) changes.push(this.#open.remove(key))
    if (!isPrintable(to.state)) changes.push(this.#documents.remove(key))
    for (const { id, decision } of to.decisions.slice(from.decisions.length))
      changes.push(this.#decisions.insert(id, { sequence, job: to.id, decision }))
    return {
      changes,
      effects: [{ kind: 'moved', printer, from: from.state, to: to.state }, ...paper(from, to)],
    }
  }

  /** How far a job has come: of no consequence, so nothing else changes. */
  progressed(job: Job): Entry {
    return { changes: [this.#jobs.put(sequenceKey(job.sequence), job)], effects: [] }
  }

  forgotten(job: Job): Entry {
    const key = sequenceKey(job.sequence)
    return {
      changes: [
        this.#jobs.remove(key),
        this.#documents.remove(key),
        this.#keys.remove(job.id),
        this.#serials.remove(job.serial),
        ...job.decisions.map(({ id }) => this.#decisions.remove(id)),
      ],
      effects: [{ kind: 'moved', printer: job.printer, from: job.state, to: null }],
    }
  }

  /** What cannot be read is not printed, and does not stand in the way of what can. */
  dropped(sequence: number): Entry {
    return { changes: [this.#open.remove(sequenceKey(sequence))], effects: [] }
  }

  /** The rows of the ledger that are not as they were. */
  ledgerChanges(before: Ledger, after: Ledger): readonly Change[] {
    const changes: Change[] = []
    if (after.spool !== before.spool) changes.push(this.#spool.put(SPOOL, after.spool))
    if (after.printers !== before.printers)
      for (const [name, row] of after.printers)
        if (before.printers.get(name) !== row) changes.push(this.#printers.put(name, row))
    return changes
  }

  /** @throws BoxError `storage.rotten`, like all that follow */
  readSpool(): Promise<SpoolRow | null> {
    return this.#spool.read(SPOOL)
  }

  /** What was counted of each printer that the box ever had. */
  async readPrinters(): Promise<readonly PrinterRow[]> {
    const rows = await this.#store.scan(PRINTERS, { from: '', before: null, limit: PRINTERS_MAX })
    return rows.flatMap(row => decoded(this.#printers, row) ?? [])
  }

  job(sequence: number): Promise<Job | null> {
    return this.#jobs.read(sequenceKey(sequence))
  }

  document(sequence: number): Promise<TicketDocument | null> {
    return this.#documents.read(sequenceKey(sequence))
  }

  key(id: string): Promise<KeyRow | null> {
    return this.#keys.read(id)
  }

  decision(id: string): Promise<DecisionRow | null> {
    return this.#decisions.read(id)
  }

  async bySerial(serial: string): Promise<number | null> {
    return (await this.#serials.read(serial))?.sequence ?? null
  }

  async has({ table, key }: Guard): Promise<boolean> {
    return (await this.#store.read(table, key)) !== null
  }

  /** Jobs in order of arrival, `from` included, `before` excluded; those that cannot be read are left out. */
  async jobs(from: number, before: number | null, limit: number): Promise<readonly Job[]> {
    const rows = await this.#jobRows(from, before, limit)
    return rows.flatMap(row => decoded(this.#jobs, row) ?? [])
  }

  /** The same from `from` on, and where to go on; null at the end. Rows that cannot be read have their place, too. */
  async jobPage(
    from: number,
    limit: number,
  ): Promise<{ readonly jobs: readonly Job[]; readonly next: number | null }> {
    const rows = await this.#jobRows(from, null, limit)
    const last = rows.at(-1)
    const isMore = last !== undefined && rows.length === limit
    return {
      jobs: rows.flatMap(row => decoded(this.#jobs, row) ?? []),
      next: isMore ? Number(last.key) + 1 : null,
    }
  }

  /** The sequence after the last one that was ever given to a job that is still here; 1 when there is none. */
  async afterLast(): Promise<number> {
    for (let next = 1; ; ) {
      const last = (await this.#jobRows(next, null, PAGE_ROWS)).at(-1)
      if (last === undefined) return next
      next = Number(last.key) + 1
    }
  }

  #jobRows(from: number, before: number | null, limit: number): Promise<readonly Row[]> {
    return this.#store.scan(JOBS, {
      from: sequenceKey(from),
      before: before === null ? null : sequenceKey(before),
      limit,
    })
  }

  /** Jobs that are not settled, in order of arrival, page by page; null for a row that cannot be read. */
  async *open(): AsyncGenerator<readonly Found<OpenRow>[]> {
    const page = (from: string): Promise<readonly Row[]> =>
      this.#store.scan(OPEN, { from, before: null, limit: PAGE_ROWS })
    let next: Promise<readonly Row[]> | null = page('')
    while (next !== null) {
      const rows: readonly Row[] = await next
      const last: Row | undefined = rows.at(-1)
      // The disk reads on while these are looked at.
      next = last !== undefined && rows.length === PAGE_ROWS ? page(keyAfter(last.key)) : null
      yield rows.map(row => ({ sequence: Number(row.key), record: decoded(this.#open, row) }))
    }
  }
}

/** One rotten row must not hide the others. */
function decoded<T>(records: Records<T>, { key, value }: Row): T | null {
  try {
    return records.decode(key, value)
  } catch (error) {
    return nullWhenRotten(error)
  }
}

const keyAfter = (key: string): string => sequenceKey(Number(key) + 1)

const isRotten = (error: unknown): boolean =>
  error instanceof BoxError && error.code === 'storage.rotten'

export function nullWhenRotten(error: unknown): null {
  if (isRotten(error)) return null
  throw error
}

const openRowOf = (job: Job): OpenRow => ({
  printer: job.printer,
  isBegun: job.state === 'sending',
  expiresAtWallMs: job.expiresAtWallMs,
  expiresAfterMs: job.expiresAfterMs,
  askedWallMs: job.askedWallMs,
})

function paper(from: Job, to: Job): readonly Effect[] {
  if (from.state !== 'sending' || to.state === 'sending') return []
  const millimetres = takenMillimetres(to)
  if (millimetres === 0) return []
  const isWhole = to.state === 'sent' || to.state === 'confirmed'
  return [{ kind: 'printed', printer: to.printer, millimetres, isWhole }]
}
