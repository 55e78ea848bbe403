/** The spool as somebody reads it. */
import t from 'tap'
import type { JobPage, JobQuery } from '../../../runtime/services/printing/job-list.js'
import { Rig } from './rig.js'

const all = { printer: null, state: null, before: null, limit: 10 } as const

t.test('jobs come newest first, a page at a time, without a gap or a repeat', async t => {
  const rig = new Rig({ options: { queuedMax: 1000 } })
  await rig.start()
  rig.printer.set('absent')
  for (let count = 0; count < 600; count++) rig.ask()
  await rig.clock.advance(100)
  const seen: string[] = []
  for (let before: number | null = null, pages = 0; pages < 100; pages++) {
    const page: JobPage = await rig.printing.jobs({ ...all, limit: 70, before })
    seen.push(...page.jobs.map(({ id }) => id))
    before = page.before
    if (before === null) break
  }
  t.same(
    seen,
    Array.from({ length: 600 }, (_, index) => `r-${600 - index}`),
  )
})

t.test('jobs are chosen by printer and by state', async t => {
  const rig = new Rig({ printers: ['counter', 'door'] })
  await rig.start()
  rig.printers.get('door')?.set('absent')
  for (let count = 0; count < 6; count++) rig.ask({ printer: count % 2 === 0 ? 'counter' : 'door' })
  await rig.clock.advance(10_000)
  const ids = async (query: Partial<JobQuery>): Promise<string[]> =>
    (await rig.printing.jobs({ ...all, ...query })).jobs.map(({ id }) => id)
  t.same(await ids({ printer: 'door' }), ['r-6', 'r-4', 'r-2'])
  t.same(await ids({ state: 'confirmed' }), ['r-5', 'r-3', 'r-1'])
  t.same(await ids({ state: 'confirmed', printer: 'door' }), [])
  t.same(await ids({ limit: 1 }), ['r-6'])
})

t.test('what is not there is null', async t => {
  const rig = new Rig()
  await rig.start()
  t.equal(await rig.printing.job('nobody'), null)
  t.same(await rig.printing.jobs(all), { jobs: [], before: null })
})
