import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Bus } from '../../../runtime/core/bus.js'
import { after } from '../../../runtime/core/time.js'
import { type BrokerState, StateTeller } from '../../../runtime/gateways/broker/broker-state.js'
import type { Messages, Payload } from '../../../runtime/topics.js'
import { client, startBroker, users } from './harness.js'

function world() {
  const clock = new SimulatedClock({ showStartMs: 1_000_000, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const told: Payload<'broker/state'>[] = []
  bus.subscribe('broker/state', state => void told.push(state))
  const state: BrokerState = {
    kind: 'external',
    url: 'mqtt://there',
    isConnected: true,
    since: clock.monotonicMs(),
    trouble: null,
    clients: null,
    waiting: 0,
    dropped: 0,
    refused: 0,
  }
  return { clock, bus, told, state }
}

t.test('what is as it was is not told again, what has changed is within two seconds', async t => {
  const { clock, bus, told, state } = world()
  let now: BrokerState | null = null
  const teller = new StateTeller(clock, bus, () => now)
  teller.start()
  await clock.advance(10_000)
  t.same(told, [], 'there is nothing to tell yet')
  now = state
  await clock.advance(60_000)
  t.match(told, [{ isConnected: true, sinceWallMs: 1_000_000, trouble: null }])
  t.equal(told.length, 1)
  const trouble = { at: clock.monotonicMs(), message: 'why' }
  now = { ...state, isConnected: false, since: clock.monotonicMs(), trouble, waiting: 3 }
  teller.look()
  t.match(told.at(-1), {
    isConnected: false,
    sinceWallMs: 1_070_000,
    trouble: { wallMs: 1_070_000, message: 'why' },
    waiting: 3,
  })
  teller.stop()
  now = state
  await clock.advance(60_000)
  t.equal(told.length, 2)
})

t.test('when the clock is set, what was told of the past is told right', async t => {
  const { clock, bus, told, state } = world()
  const teller = new StateTeller(clock, bus, () => state)
  teller.start()
  await clock.advance(3_000)
  clock.stepWall(20)
  await clock.advance(10_000)
  t.equal(told.length, 1, 'a clock that is trimmed is no news')
  clock.stepWall(5_000_000)
  await clock.advance(10_000)
  t.same(
    told.map(({ sinceWallMs }) => sinceWallMs),
    [1_000_000, after(clock.wallTimeMs(), -clock.monotonicMs())],
  )
  teller.stop()
})

t.test('the broker inside tells its clients, what waits and what it refused', async t => {
  const { broker, port, bus } = await startBroker()
  t.teardown(() => broker.stop())
  const told: Payload<'broker/state'>[] = []
  bus.subscribe('broker/state', state => void told.push(state))
  const away = await client(port, users.driver, { clientId: 'away', clean: false })
  await away.subscribe('lamp-1/#')
  await away.end()
  const lamp = await client(port, users.driver)
  await lamp.publish('lamp-1/n', 'for who is away')
  await lamp.publish('elsewhere/n', 'not allowed')
  const viewer = await client(port, users.view)
  await viewer.subscribe('vb/spring/stage-left/broker')
  const latest = (): Partial<Payload<'broker/state'>> =>
    JSON.parse(viewer.messages.at(-1)?.payload ?? '{}')
  await viewer.until(() => latest().waiting === 1 && latest().clients === 2, 'the figures')
  t.match(latest(), {
    kind: 'embedded',
    url: null,
    isConnected: true,
    trouble: null,
    dropped: 0,
    refused: 1,
  })
  t.equal(viewer.messages[0]?.retain, true, 'told at once to who subscribes')
  t.same(latest(), told.at(-1))
})
