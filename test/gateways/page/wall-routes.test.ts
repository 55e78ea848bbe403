import t, { type Test } from 'tap'
import type { Bus } from '../../../runtime/core/bus.js'
import type { Messages, Payload } from '../../../runtime/topics.js'
import { openPage, type PageWorld, TOKEN } from './page-world.js'

type Asked = Payload<'clock/set-requested'>

const state: Payload<'clock/wall'> = {
  wallMs: 1_795_400_000_000,
  isUtcKnown: true,
  source: 'ntp',
  errorMs: 12,
  aheadMs: 0.1,
  stratum: 3,
  rootDelayMs: 20,
  rootDispersionMs: 2,
  leap: 'none',
  referenceId: '10.77.0.1',
  isFrozen: false,
  engine: 'chrony',
  servedPerSecond: null,
  servers: [],
  trouble: null,
}

/** A page, and a clock that takes any date before the year 2030. */
async function openClock(t: Test): Promise<PageWorld & { readonly asked: Asked[] }> {
  const asked: Asked[] = []
  const world = await openPage(t, (bus: Bus<Messages>) => {
    bus.subscribe('clock/set-requested', asking => {
      asked.push(asking)
      const { id, origin } = asking
      const isAccepted = asking.wallMs < Date.UTC(2030, 0, 1)
      const why = isAccepted
        ? { code: null, message: null }
        : { code: 'command.refused', message: 'the date is known better already' }
      bus.publish('clock/set-answered', { id, origin, isAccepted, ...why })
    })
    return {}
  })
  return { ...world, asked }
}

const post = (world: PageWorld, body: unknown, token = TOKEN) =>
  world.ask('/api/clock/wall', {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token}` },
  })

t.test('what was told of the date last is read', async t => {
  const world = await openClock(t)
  t.match(await world.ask('/api/clock/wall'), { status: 503 })
  world.bus.publish('clock/wall', state)
  const reply = await world.ask('/api/clock/wall')
  t.equal(reply.status, 200)
  t.same(reply.json(), state)
})

t.test('an operator says what the date is, and learns whether it was taken', async t => {
  const world = await openClock(t)
  const taken = await post(world, { id: 'one', wallMs: 1_795_400_000_000 })
  t.equal(taken.status, 200)
  t.match(taken.json(), { id: 'one', isAccepted: true })
  const refused = await post(world, { wallMs: Date.UTC(2031, 0, 1) })
  t.equal(refused.status, 409)
  t.match(refused.json(), { isAccepted: false, code: 'command.refused', message: /known better/ })
  t.match(world.asked[0], { id: 'one', origin: 'api/127.0.0.1' })
})

t.test('nobody else does, and nothing but a date is one', async t => {
  const world = await openClock(t)
  t.equal((await post(world, { wallMs: 1 }, 'another-token-that-is-wrong')).status, 401)
  t.equal((await world.ask('/api/clock/wall', { method: 'POST', body: { wallMs: 1 } })).status, 401)
  for (const body of [{}, { wallMs: 'now' }, { wallMs: 1e99 }, { wallMs: 1, extra: 1 }, []])
    t.equal((await post(world, body)).status, 400, JSON.stringify(body))
  t.same(world.asked, [])
})

t.test('a date that was too long on its way is not taken', async t => {
  const world = await openClock(t)
  await world.clock.advance(10_000)
  const reply = await world.ask('/api/clock/wall', {
    method: 'POST',
    body: { wallMs: 1_795_400_000_000 },
    headers: { authorization: `Bearer ${TOKEN}`, 'roadcase-sent-ms': '0' },
  })
  t.equal(reply.status, 409)
  t.match(reply.json(), { message: /late/ })
  t.same(world.asked, [])
})
