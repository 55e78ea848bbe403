import t from 'tap'
import type { DecisionAsked, JobsAsked } from '../../runtime/cli/box-link.js'
import { someJob } from '../gateways/page/spool-stand-in.js'
import { noLink, type } from './cli-world.js'

const shownTime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/gm

t.test('jobs are listed a line each', async t => {
  const asked: JobsAsked[] = []
  const jobs = [
    { ...someJob, id: 'b', serial: 'B1-00002', state: 'unknown' as const, reprint: 1 },
    { ...someJob, state: 'failed' as const, message: 'the printer is gone' },
  ]
  const link = {
    ...noLink,
    jobs: async (query: JobsAsked) => {
      asked.push(query)
      return jobs
    },
  }
  const typed = await type(['jobs', '--only', 'unknown', '-n', '5'], { link: () => link })
  t.same(asked, [{ printer: null, state: 'unknown', limit: 5 }])
  t.equal(
    typed.out.replace(shownTime, ''),
    'B1-00002  unknown    desk, redeemable, reprint 1\n' +
      'B1-0001   failed     desk, redeemable, the printer is gone\n',
  )
  t.same(JSON.parse((await type(['jobs', '--json'], { link: () => link })).out), { jobs })
})

t.test('one job is found by its serial', async t => {
  const link = { ...noLink, job: async (job: string) => ({ ...someJob, serial: job }) }
  t.match((await type(['jobs', 'B1-0077'], { link: () => link })).out, /B1-0077 {2}queued/)
})

t.test('a list of nothing says so', async t => {
  const link = { ...noLink, jobs: async () => [] }
  t.equal((await type(['jobs'], { link: () => link })).out, 'no tickets\n')
})

t.test('a decision about a serial is told of its job', async t => {
  for (const decision of ['reprint', 'confirm', 'discard'] as const) {
    const decided: DecisionAsked[] = []
    const link = {
      ...noLink,
      job: async () => someJob,
      decide: async (asked: DecisionAsked) => {
        decided.push(asked)
        const { id: job, serial } = someJob
        const rest = { isAccepted: true, isRepeated: false, code: null, message: null }
        return { id: 'd', job, serial, ...rest }
      },
    }
    const typed = await type([decision, 'B1-0001'], { link: () => link })
    t.same(decided, [{ job: 'first', decision }])
    t.match(typed.out, /^B1-0001: /)
    t.equal(typed.exitCode, 0)
  }
})

t.test('a state that there is not is refused before the box is asked', async t => {
  const typed = await type(['jobs', '--only', 'lost'])
  t.equal(typed.exitCode, 2)
  t.match(typed.error, /Allowed choices are queued, sending/)
})
