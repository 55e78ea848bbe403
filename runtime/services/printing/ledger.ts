/** What the spool counts, kept with the jobs in the same commit: so that the numbers are true after any power cut. Pure. */
import { name, type Of, object, string } from '../../core/schema.js'
import { whole } from '../../core/shapes.js'
import type { PrinterStatus } from '../../ports/printer.js'
import { isFinished, type Job, type JobState } from './job.js'
import { heard, newForecast, paperForecast, printed } from './paper-forecast.js'

export const spoolRow = object({
  /** Of the serials: another one when the counter began anew. */
  book: string({ max: 8 }),
  /** The sequence that the next job gets; never goes back. */
  next: whole,
  /** Finished jobs that are not forgotten yet. */
  finished: whole,
})

export const printerRow = object({
  printer: name,
  sent: whole,
  confirmed: whole,
  unknown: whole,
  failed: whole,
  expired: whole,
  paper: paperForecast,
})

export type SpoolRow = Of<typeof spoolRow>
export type PrinterRow = Of<typeof printerRow>

export interface Ledger {
  readonly spool: SpoolRow
  readonly printers: ReadonlyMap<string, PrinterRow>
}

/** What one step does to the numbers. */
export type Effect = PrinterEffect | { readonly kind: 'counted'; readonly next: number }

type PrinterEffect =
  /** `from` null: it is new. `to` null: it is forgotten. */
  | {
      readonly kind: 'moved'
      readonly printer: string
      readonly from: JobState | null
      readonly to: JobState | null
    }
  | {
      readonly kind: 'printed'
      readonly printer: string
      readonly millimetres: number
      readonly isWhole: boolean
    }
  | { readonly kind: 'heard'; readonly printer: string; readonly status: PrinterStatus }

export const newLedger = (book: string, next: number): Ledger => ({
  spool: { book, next, finished: 0 },
  printers: new Map(),
})

export const rowOf = (ledger: Ledger, printer: string): PrinterRow =>
  ledger.printers.get(printer) ?? {
    printer,
    sent: 0,
    confirmed: 0,
    unknown: 0,
    failed: 0,
    expired: 0,
    paper: newForecast,
  }

/** What paper a job has taken: all of it, or as much as was sent of it. */
export function takenMillimetres(job: Job): number {
  if (job.millimetres === null) return 0
  const isWhole = job.state === 'sent' || job.state === 'confirmed'
  if (isWhole || job.totalBytes === null || job.totalBytes === 0)
    return isWhole ? job.millimetres : 0
  return job.millimetres * Math.min(1, job.sentBytes / job.totalBytes)
}

export function applyEffect(ledger: Ledger, effect: Effect): Ledger {
  if (effect.kind === 'counted')
    return {
      ...ledger,
      spool: { ...ledger.spool, next: Math.max(ledger.spool.next, effect.next) },
    }
  const before = rowOf(ledger, effect.printer)
  const after = applyToPrinter(before, effect)
  const printers =
    after === before ? ledger.printers : new Map(ledger.printers).set(effect.printer, after)
  return { spool: applyToSpool(ledger.spool, effect), printers }
}

function applyToSpool(spool: SpoolRow, effect: Effect): SpoolRow {
  if (effect.kind !== 'moved') return spool
  const change = Number(isCounted(effect.to)) - Number(isCounted(effect.from))
  return change === 0 ? spool : { ...spool, finished: Math.max(0, spool.finished + change) }
}

const isCounted = (state: JobState | null): boolean => state !== null && isFinished(state)

function applyToPrinter(row: PrinterRow, effect: PrinterEffect): PrinterRow {
  switch (effect.kind) {
    case 'printed':
      return { ...row, paper: printed(row.paper, effect.millimetres, effect.isWhole) }
    case 'heard': {
      const paper = heard(row.paper, effect.status)
      return paper === row.paper ? row : { ...row, paper }
    }
    case 'moved':
      return moved(row, effect.from, effect.to)
  }
}

/** A job counts where it stands; one that is forgotten goes on counting, unless it waited for a person. */
function moved(row: PrinterRow, from: JobState | null, to: JobState | null): PrinterRow {
  if (from === to) return row
  const isForgotten = to === null && from !== 'unknown'
  const less = isForgotten ? row : added(row, from, -1)
  return added(less, to, 1)
}

function added(row: PrinterRow, state: JobState | null, by: 1 | -1): PrinterRow {
  if (state === null || state === 'queued' || state === 'sending') return row
  return { ...row, [state]: Math.max(0, row[state] + by) }
}
