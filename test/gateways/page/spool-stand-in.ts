/** A spool that keeps its jobs in memory and answers at once, as the page sees it. */
import type { Bus } from '../../../runtime/core/bus.js'
import type { JobAnswer } from '../../../runtime/gateways/page/api.js'
import type { JobSource } from '../../../runtime/gateways/page/sources.js'
import type { Messages } from '../../../runtime/topics.js'

export interface SpoolStandIn extends JobSource {
  readonly asked: Messages['print/requested'][]
  readonly decided: Messages['print/decided'][]
  /** What is in the spool, whoever asked for it. */
  put(job: JobAnswer): void
}

export const someJob: JobAnswer = {
  sequence: 1,
  id: 'first',
  printer: 'desk',
  kind: 'redeemable',
  serial: 'B1-0001',
  origin: 'api/127.0.0.1',
  state: 'queued',
  reprint: 0,
  sentBytes: 0,
  totalBytes: null,
  millimetres: null,
  askedWallMs: 1_790_000_000_000,
  wallMs: 1_790_000_000_000,
  expiresAtWallMs: null,
  code: null,
  message: null,
}

export function spoolStandIn(bus: Bus<Messages>): SpoolStandIn {
  const asked: Messages['print/requested'][] = []
  const decided: Messages['print/decided'][] = []
  const jobs: JobAnswer[] = []
  bus.subscribe('print/requested', request => {
    asked.push(request)
    const { id, origin } = request
    const isRefused = request.template === 'none'
    const sequence = jobs.length + 1
    const serial = `B1-000${sequence}`
    if (!isRefused) jobs.unshift({ ...someJob, sequence, id, serial, origin })
    bus.publish('print/answered', {
      id,
      origin,
      isAccepted: !isRefused,
      job: isRefused ? null : id,
      serial: isRefused ? null : serial,
      isRepeated: false,
      code: isRefused ? 'ticket.invalid' : null,
      message: isRefused ? 'there is no template "none"' : null,
    })
  })
  bus.subscribe('print/decided', decision => {
    decided.push(decision)
    const { id, origin, job } = decision
    const serial = jobs.find(({ id: known }) => known === job)?.serial ?? null
    const settled = { isAccepted: true, isRepeated: false, code: null, message: null }
    bus.publish('print/answered', { id, origin, job, serial, ...settled })
  })
  return {
    asked,
    decided,
    put: job => void jobs.unshift(job),
    jobs: async ({ printer, state, before, limit }) => {
      const found = jobs
        .filter(job => printer === null || job.printer === printer)
        .filter(job => state === null || job.state === state)
        .filter(job => before === null || job.sequence < before)
      const last = found.length > limit ? found[limit - 1] : undefined
      return { jobs: found.slice(0, limit), before: last?.sequence ?? null }
    },
    job: async wanted => jobs.find(({ id, serial }) => id === wanted || serial === wanted) ?? null,
  }
}
