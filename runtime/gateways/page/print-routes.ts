/** Tickets over HTTP: asking for one, deciding about one, and what has become of them. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { jobState } from '../../core/printing-topics.js'
import { name, type Of, object, optional, parsed } from '../../core/schema.js'
import { checked, Refusal } from './refusal.js'
import type { JobSource } from './sources.js'

const PRINT_BYTES_MAX = 64 * 1024
const JOBS_MAX = 200
const JOBS_DEFAULT = 50

type PrintAnswerer = (body: unknown, origin: string) => Promise<{ readonly isAccepted: boolean }>
type Hook = (request: FastifyRequest) => Promise<void>

export interface PrintSurroundings {
  readonly print: PrintAnswerer
  readonly decide: PrintAnswerer
  /** Null where the box has no printer. */
  readonly jobs: JobSource | null
  readonly originOf: (request: FastifyRequest) => string
  readonly mayOperate: Hook
  readonly mayRead: Hook
}

const wholeIn = (min: number, max: number) =>
  parsed(`a whole number from ${min} to ${max}`, text => {
    const value = Number(text)
    return Number.isInteger(value) && value >= min && value <= max ? value : null
  })

/** Of a list of jobs, newest first. */
const jobsQuery = object({
  printer: optional(name),
  state: optional(jobState),
  /** Only jobs older than the one with this sequence. */
  before: optional(wholeIn(0, Number.MAX_SAFE_INTEGER)),
  limit: optional(wholeIn(1, JOBS_MAX)),
})

export function addPrintRoutes(app: FastifyInstance, at: PrintSurroundings): void {
  const options = { onRequest: at.mayOperate, bodyLimit: PRINT_BYTES_MAX }
  for (const [path, answer] of [
    ['/api/print', at.print],
    ['/api/print/decide', at.decide],
  ] as const)
    app.post(path, options, async (request, reply) => {
      requirePrinter(at.jobs)
      const answered = await answer(request.body, at.originOf(request))
      return reply.code(answered.isAccepted ? 200 : 409).send(answered)
    })
  app.get('/api/jobs', { onRequest: at.mayRead }, async (request, reply) => {
    const query = readQuery(request)
    const page = (await at.jobs?.jobs(query)) ?? { jobs: [], before: null }
    return reply.header('cache-control', 'no-store').send(page)
  })
  app.get('/api/jobs/:job', { onRequest: at.mayRead }, async (request, reply) => {
    const job = (await at.jobs?.job(jobOf(request))) ?? null
    if (job === null) throw new Refusal(404, 'print.unknown', 'there is no such job or serial')
    return reply.header('cache-control', 'no-store').send(job)
  })
}

function readQuery(request: FastifyRequest): {
  readonly printer: string | null
  readonly state: Of<typeof jobState> | null
  readonly before: number | null
  readonly limit: number
} {
  const { printer, state, before, limit } = checked(jobsQuery, request.query, 'query')
  return {
    printer: printer ?? null,
    state: state ?? null,
    before: before ?? null,
    limit: limit ?? JOBS_DEFAULT,
  }
}

function jobOf({ params }: FastifyRequest): string {
  const job = typeof params === 'object' && params !== null && 'job' in params ? params.job : null
  return typeof job === 'string' ? job : ''
}

function requirePrinter(jobs: JobSource | null): void {
  if (jobs === null) throw new Refusal(409, 'print.unknown', 'this box has no printer')
}
