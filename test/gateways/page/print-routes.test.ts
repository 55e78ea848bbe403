import t, { type Test } from 'tap'
import { BoxError } from '../../../runtime/core/errors.js'
import { jobsAnswer, refusalAnswer } from '../../../runtime/gateways/page/api.js'
import { openPage, type PageWorld, type Reply, TOKEN } from './page-world.js'
import { type SpoolStandIn, spoolStandIn } from './spool-stand-in.js'

interface PrintWorld extends PageWorld {
  readonly spool: SpoolStandIn
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>
}

async function openPrinting(t: Test): Promise<PrintWorld> {
  const made: SpoolStandIn[] = []
  const world = await openPage(t, bus => {
    made.push(spoolStandIn(bus))
    return { jobs: made[0] ?? null }
  })
  const [spool] = made
  if (spool === undefined) throw new Error('the page asks for its options')
  const authorization = `Bearer ${TOKEN}`
  const post: PrintWorld['post'] = (path, body, headers = { authorization }) =>
    world.ask(path, { method: 'POST', body, headers })
  return { ...world, spool, post }
}

t.test('a ticket is asked for, and asked again with the same id it is the same', async t => {
  const { post, spool } = await openPrinting(t)
  const body = { id: 'first', template: 'claim', fields: { name: 'Ada' } }
  const replies = [await post('/api/print', body), await post('/api/print', body)]
  for (const reply of replies) {
    t.equal(reply.status, 200)
    t.match(reply.json(), { id: 'first', isAccepted: true, job: 'first', serial: 'B1-0001' })
  }
  t.same(spool.asked, [{ ...body, origin: 'api/127.0.0.1' }], 'it was handed over once')
})

t.test('who asks without an id gets one', async t => {
  const { post, spool } = await openPrinting(t)
  const reply = await post('/api/print', { template: 'claim' })
  t.match(reply.json(), { isAccepted: true, job: spool.asked[0]?.id ?? 'none' })
  t.match(spool.asked[0]?.id, /^[0-9A-Z]{26}$/)
})

t.test('what the spool refuses is a conflict with its reason', async t => {
  const { post } = await openPrinting(t)
  const reply = await post('/api/print', { template: 'none' })
  t.equal(reply.status, 409)
  t.match(reply.json(), { isAccepted: false, code: 'ticket.invalid', message: /no template/ })
})

t.test('a wrong request is refused naming every problem, and is not handed over', async t => {
  const { post, spool } = await openPrinting(t)
  const reply = await post('/api/print', {
    template: 'Claim!',
    ticket: { blocks: [{ kind: 'qr', content: '' }] },
    kind: 'voucher',
  })
  t.equal(reply.status, 400)
  t.match(
    refusalAnswer.parse(reply.json()).problems?.map(({ path }) => path),
    ['print.kind', 'print.template', 'print.ticket.blocks[0].content'],
  )
  t.same(spool.asked, [])
})

t.test('a ticket of 60 kB is taken, one of 70 is too large', async t => {
  const { post } = await openPrinting(t)
  const blocks = (count: number): object[] =>
    Array.from({ length: count }, () => ({ kind: 'text', text: 'x'.repeat(4_000) }))
  t.equal((await post('/api/print', { ticket: { blocks: blocks(15) } })).status, 200)
  t.equal((await post('/api/print', { ticket: { blocks: blocks(17) } })).status, 413)
})

t.test('a decision is handed over with who made it', async t => {
  const { post, spool } = await openPrinting(t)
  await post('/api/print', { id: 'first', template: 'claim' })
  const reply = await post('/api/print/decide', { id: 'd1', job: 'first', decision: 'reprint' })
  t.match(reply.json(), { id: 'd1', isAccepted: true, serial: 'B1-0001' })
  t.same(spool.decided, [{ id: 'd1', job: 'first', decision: 'reprint', origin: 'api/127.0.0.1' }])
})

t.test('only the operator prints, and only from this page', async t => {
  const { post, spool } = await openPrinting(t)
  for (const path of ['/api/print', '/api/print/decide'])
    t.equal((await post(path, { template: 'claim' }, {})).status, 401, path)
  t.same(spool.asked, [])
})

t.test('jobs are listed newest first, page by page, and found by id or serial', async t => {
  const { ask, post } = await openPrinting(t)
  for (const id of ['a', 'b', 'c']) await post('/api/print', { id, template: 'claim' })
  const ids = async (query: string): Promise<string[]> =>
    jobsAnswer.parse((await ask(`/api/jobs${query}`)).json()).jobs.map(({ id }) => id)
  t.same(await ids(''), ['c', 'b', 'a'])
  t.same(await ids('?limit=2'), ['c', 'b'])
  t.match((await ask('/api/jobs?limit=2')).json(), { before: 2 })
  t.same(await ids('?before=2'), ['a'])
  t.same(await ids('?state=unknown'), [])
  t.same(await ids('?printer=desk&limit=1'), ['c'])
  t.match((await ask('/api/jobs/b')).json(), { id: 'b', serial: 'B1-0002' })
  t.match((await ask('/api/jobs/B1-0003')).json(), { id: 'c' })
})

t.test('a wrong question about jobs is refused with its rule', async t => {
  const { ask } = await openPrinting(t)
  for (const [query, rule] of [
    ['?limit=0', /query\.limit: must be a whole number from 1 to 200/],
    ['?limit=1000', /query\.limit/],
    ['?state=lost', /query\.state: must be "queued" or/],
    ['?printers=desk', /did you mean "printer"/],
  ] as const) {
    const reply = await ask(`/api/jobs${query}`)
    t.equal(reply.status, 400, query)
    t.match(reply.json(), { message: rule })
  }
  t.match(await ask('/api/jobs/nobody'), { status: 404 })
  t.match(await ask('/api/jobs/%00%2f'), { status: 404 })
})

t.test('a box without a printer says so', async t => {
  const { ask } = await openPage(t)
  const reply = await ask('/api/print', {
    method: 'POST',
    body: { template: 'claim' },
    headers: { authorization: `Bearer ${TOKEN}` },
  })
  t.equal(reply.status, 409)
  t.match(reply.json(), { message: 'this box has no printer' })
  t.same((await ask('/api/jobs')).json(), { jobs: [], before: null })
})

t.test('what was refused is asked anew with the same id: by then there may be room', async t => {
  const { post, spool } = await openPrinting(t)
  const body = { id: 'early', template: 'none' }
  t.equal((await post('/api/print', body)).status, 409)
  t.equal((await post('/api/print', body)).status, 409)
  t.equal(spool.asked.length, 2, 'the spool decides each time')
})

t.test('what the box cannot answer is said, and no bug is logged', async t => {
  const fails = (error: Error) => () => Promise.reject(error)
  const { ask, logged } = await openPage(t, {
    jobs: {
      jobs: fails(new BoxError('storage.io', 'the disk is gone')),
      job: fails(new BoxError('storage.rotten', 'its row cannot be read')),
    },
    history: { history: fails(new BoxError('request.invalid', 'the span is none')) },
  })
  for (const [path, status, code] of [
    ['/api/jobs', 503, 'storage.io'],
    ['/api/jobs/first', 503, 'storage.rotten'],
    ['/api/power/history?from=5&to=1', 400, 'request.invalid'],
  ] as const) {
    const reply = await ask(path)
    t.equal(reply.status, status, path)
    t.match(reply.json(), { code })
  }
  t.notOk(logged.includes('page.bug'))
})
