/** Who sends much waits for who sends little, and the main loop waits for nobody. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { after, monotonicMs } from '../../../runtime/core/time.js'
import { Intake, Usage } from '../../../runtime/gateways/broker/intake.js'
import type { MonotonicMs } from '../../../runtime/ports/clock.js'
import { base, client, RawClient, startBroker, until, users } from './harness.js'

/** A machine on which work takes time. */
class BusyClock extends SimulatedClock {
  #workedMs = 0

  constructor() {
    super({ showStartMs: 0, driftPpm: 0 })
  }

  work(ms: number): void {
    this.#workedMs += ms
  }

  override monotonicMs(): MonotonicMs {
    return after(super.monotonicMs(), this.#workedMs)
  }

  override runAt(at: MonotonicMs, run: () => void): () => void {
    return super.runAt(monotonicMs(at - this.#workedMs), run)
  }
}

t.test(
  'there is time until a quarter of a frame is used up, and again in the next turn',
  async t => {
    const clock = new BusyClock()
    const intake = new Intake(clock)
    t.equal(intake.isFree(new Usage()), true)
    clock.work(5)
    t.equal(intake.isFree(new Usage()), true)
    clock.work(5)
    t.equal(intake.isFree(new Usage()), false)
    await clock.advance(1)
    t.equal(intake.isFree(new Usage()), true)
  },
)

t.test('who has sent the least has the first turn, as many as there is time for', async t => {
  const clock = new BusyClock()
  const intake = new Intake(clock)
  const turns: string[] = []
  const flood = new Usage()
  const go = new Usage()
  const again = (name: string, usage: Usage, times: number): void =>
    intake.wait(usage, () => {
      turns.push(name)
      clock.work(4)
      intake.note(usage, false, 0)
      if (times > 1) again(name, usage, times - 1)
    })
  flood.note(50, clock.monotonicMs())
  again('flood', flood, 3)
  again('go', go, 1)
  t.same(turns, [], 'not in the caller’s own turn')
  t.equal(intake.isFree(flood), false, 'nobody goes before those who have sent less')
  await clock.advance(0.06)
  t.same(turns, ['go', 'flood'])
  await clock.advance(10)
  t.same(turns, ['go', 'flood', 'flood', 'flood'])
})

t.test('packets that cost no time have their end in a turn of the loop too', async t => {
  const clock = new BusyClock()
  const intake = new Intake(clock)
  const usage = new Usage()
  let count = 0
  for (; intake.isFree(usage); count++) intake.note(usage, false, 0)
  t.equal(count, 32)
  await clock.advance(1)
  for (count = 0; intake.isFree(usage); count++) intake.note(usage, false, 1_792)
  t.equal(count, 4, 'those with many filters sooner')
  await clock.advance(1)
  for (count = 0; intake.isFree(usage); count++) intake.note(usage, true, 2)
  t.equal(count, 32 * 64, 'and acknowledgements much later')
})

t.test('what a client has sent is forgiven by and by', async t => {
  const clock = new BusyClock()
  const usage = new Usage()
  usage.note(80, clock.monotonicMs())
  await clock.advance(3_000)
  t.equal(usage.read(clock.monotonicMs()), 10)
})

t.test(
  'a flood is read a packet at a time, in order, and others are answered meanwhile',
  async t => {
    const { broker, port, commands } = await startBroker({
      limits: { publishesPerSecond: 100_000 },
    })
    const raw = new RawClient(port)
    raw.connect('flood', { username: users.operate })
    await raw.packet('connack')
    const technician = await client(port, users.operate)
    const count = 3_000
    for (let n = 0; n < count; n++)
      raw.send({
        cmd: 'publish',
        topic: `${base}/cue`,
        payload: JSON.stringify({ id: `flood-${n}`, action: 'goto', cue: '1' }),
        qos: 0,
        retain: false,
        dup: false,
      })
    await until(() => commands.length > 10, 'the flood to begin')
    await technician.mqtt.publishAsync(`${base}/cue`, '{"id":"desk","action":"go"}', { qos: 1 })
    await until(() => commands.length === count + 1, 'all of it')
    const floods = commands.filter(({ id }) => id !== 'desk').map(({ id }) => id)
    t.same(
      floods,
      Array.from({ length: count }, (_, n) => `flood-${n}`),
      'nothing is lost or overtaken',
    )
    t.ok(
      commands.findIndex(({ id }) => id === 'desk') < count,
      'who asks once does not wait for the end of it',
    )
    raw.socket.destroy()
    await technician.end()
    await broker.stop()
  },
)

t.test('bytes that come while a client waits for its turn are read afterwards', async t => {
  const { broker, port, commands } = await startBroker({ limits: { publishesPerSecond: 20 } })
  const sender = await client(port, users.operate)
  for (let n = 0; n < 60; n++) {
    sender.mqtt.publish(`${base}/cue`, `{"id":"n-${n}","action":"go"}`, {
      qos: n % 2 === 0 ? 0 : 1,
    })
    if (n % 10 === 9) await new Promise(resolve => setTimeout(resolve, 30))
  }
  await until(() => commands.length === 60, 'all of them')
  t.same(
    commands.map(({ id }) => id),
    Array.from({ length: 60 }, (_, n) => `n-${n}`),
  )
  await sender.end()
  await broker.stop()
})
