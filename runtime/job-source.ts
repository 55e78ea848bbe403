/** The spool as the page tells of it. */
import type { JobAnswer } from './gateways/page/api.js'
import type { JobSource } from './gateways/page/sources.js'
import type { Job } from './services/printing/job.js'
import type { Printing } from './services/printing/printing.js'

/** The spool looks at so many jobs at a time for those that were asked for; it keeps at most 120,000. */
const LOOKS_MAX = 32

export const jobSource = (printing: Printing): JobSource => ({
  jobs: async query => {
    const found: JobAnswer[] = []
    let { before } = query
    for (let look = 0; look < LOOKS_MAX; look++) {
      const page = await printing.jobs({ ...query, before, limit: query.limit - found.length })
      found.push(...page.jobs.map(jobAnswerOf))
      before = page.before
      if (before === null || found.length >= query.limit) break
    }
    return { jobs: found, before }
  },
  job: async wanted => {
    const job = await printing.job(wanted)
    return job && jobAnswerOf(job)
  },
})

function jobAnswerOf({ decisions: _, retries: __, expiresAfterMs: ___, ...job }: Job): JobAnswer {
  return job
}
