import t from 'tap'
import type { Payload } from '../../../runtime/topics.js'
import { openPage, type PageWorld, TOKEN } from './page-world.js'

const digest = 'ab'.repeat(32)
const state: Payload<'ota/state'> = {
  phase: 'fetching',
  running: { digest, version: '1.4.0' },
  slot: 'a',
  slots: null,
  previous: null,
  ordered: null,
  candidate: { digest: 'cd'.repeat(32), version: '1.5.0' },
  progress: { doneBytes: 10, allBytes: 40, uplinkBytes: 10, peerBytes: 0, stickBytes: 0 },
  unmet: [{ step: 'switch', name: 'in-slot', words: 'it is not in the other slot yet' }],
  checked: { wallMs: 1_795_400_000_000, isFresh: true, words: '1.5.0 is ordered' },
  floor: null,
  refused: [],
  switchShowMs: null,
  holds: [],
  trouble: null,
  os: null,
}

const tell = (world: PageWorld, body: unknown, token = TOKEN) =>
  world.ask('/api/ota', { method: 'POST', body, headers: { authorization: `Bearer ${token}` } })

t.test('what the updater tells is heard by all, and it learns the time of the venue', async t => {
  const world = await openPage(t, () => ({}))
  const heard: unknown[] = []
  world.bus.subscribe('ota/state', payload => void heard.push(payload))
  const reply = await tell(world, state)
  t.equal(reply.status, 200)
  t.match(reply.json(), {
    monotonicMs: Number,
    showTimeMs: Number,
    showErrorMs: Number,
    isReady: Boolean,
    show: null,
    power: null,
  })
  t.same(heard, [state])
  await tell(world, state)
  t.equal(heard.length, 1, 'what stays as it is goes to nobody again')
  await tell(world, { ...state, phase: 'waiting' })
  t.equal(heard.length, 2)
  t.match((await world.ask('/api/state')).json(), { ota: { phase: 'waiting' } })
})

t.test('nobody else tells it, and what is no state is refused with the field', async t => {
  const world = await openPage(t, () => ({}))
  t.match(await tell(world, state, 'x'.repeat(32)), { status: 401 })
  const reply = await tell(world, { ...state, phase: 'flying' })
  t.equal(reply.status, 400)
  t.match(reply.json(), { problems: [{ path: 'state.phase' }] })
})
