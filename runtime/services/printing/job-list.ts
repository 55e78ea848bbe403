/** The spool as somebody reads it: jobs, the newest first, a page at a time. */
import type { Job, JobState } from './job.js'
import { typedSerial } from './serials.js'
import type { SpoolTables } from './spool-tables.js'

const WINDOW = 256
/** Of what is asked for there may be little among much else: a page may be short, and then says where to go on. */
const LOOKED_AT_MAX = 4_096
const LIMIT_MAX = 200

export interface JobQuery {
  /** Null: of all. */
  readonly printer: string | null
  readonly state: JobState | null
  /** `before` of the last page; null for the first. */
  readonly before: number | null
  /** 1..200 */
  readonly limit: number
}

export interface JobPage {
  readonly jobs: readonly Job[]
  /** Asks for the next page; null when there is none. */
  readonly before: number | null
}

/** @param next the sequence after the newest job's. @throws BoxError when the disk cannot be read */
export async function listJobs(
  tables: SpoolTables,
  next: number,
  query: JobQuery,
): Promise<JobPage> {
  const limit = Math.min(LIMIT_MAX, Math.max(1, query.limit))
  const jobs: Job[] = []
  let end = Math.min(next, query.before ?? next)
  for (let looked = 0; looked < LOOKED_AT_MAX && end > 0; looked += WINDOW) {
    const from = Math.max(0, end - WINDOW)
    const found = await tables.jobs(from, end, WINDOW)
    for (const job of found.toReversed()) {
      if (!isAskedFor(job, query)) continue
      jobs.push(job)
      if (jobs.length === limit) return { jobs, before: job.sequence }
    }
    end = from
  }
  return { jobs, before: end > 0 ? end : null }
}

const isAskedFor = (job: Job, { printer, state }: JobQuery): boolean =>
  (printer === null || job.printer === printer) && (state === null || job.state === state)

/** By its id, or by its serial as somebody typed it; null when there is none. */
export async function findJob(tables: SpoolTables, idOrSerial: string): Promise<Job | null> {
  const sequence = await sequenceOf(tables, idOrSerial)
  return sequence === null ? null : tables.job(sequence)
}

/** Likewise its sequence. */
export async function sequenceOf(tables: SpoolTables, idOrSerial: string): Promise<number | null> {
  const row = await tables.key(idOrSerial)
  return row?.sequence ?? (await tables.bySerial(typedSerial(idOrSerial) ?? idOrSerial))
}
