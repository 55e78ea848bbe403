/** The promises of the bridge, at the broker inside the box, and the one that only this broker can keep. */
import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { bridgeContract, type StartEnd } from './bridge.contract.js'
import { base, client, RawClient, startBroker, until, users } from './harness.js'

const embedded: StartEnd = async (t, settings = {}) => {
  const { broker, bus, commands, refusals, port } = await startBroker(settings)
  t.teardown(() => broker.stop())
  return {
    bus,
    commands,
    refusals,
    connect: async (user, options) => {
      const connected = await client(port, user, options)
      t.teardown(() => connected.drop())
      return connected
    },
    goTwice: async () => {
      const go = {
        cmd: 'publish',
        topic: `${base}/cue`,
        payload: 'GO',
        qos: 1,
        retain: false,
        messageId: 4_711,
      } as const
      for (const dup of [false, true]) {
        const phone = new RawClient(port)
        phone.connect('phone')
        await phone.packet('connack')
        phone.send({ ...go, dup })
        await phone.packet('puback')
        phone.socket.destroy()
      }
      await until(() => refusals.length === 1, 'the second to be refused')
    },
    stopBox: () => broker.stop(),
  }
}

bridgeContract('embedded', embedded, false)

// Another broker hands it on without the mark: MQTT-3.3.1-9.
t.test('embedded: a retained GO is refused while the box is there, and is not kept', async t => {
  const { commands, refusals, connect } = await embedded(t)
  const technician = await connect(users.operate)
  await technician.publish(`${base}/cue`, 'GO', 1, true)
  t.same(commands, [])
  t.match(refusals, [{ code: 'command.refused', message: /retained/ }])
  const late = await connect(users.view)
  await late.subscribe([`${base}/cue`, `${base}/availability`])
  t.match(await late.received(1), [{ topic: `${base}/availability` }])
  t.equal(late.messages.length, 1)
})

t.test(
  'embedded: a GO of QoS 2 that is tried again after a restart is carried out once',
  async t => {
    const store = new SimulatedStore()
    const go = {
      cmd: 'publish',
      topic: `${base}/cue`,
      payload: 'GO',
      qos: 2,
      retain: false,
      messageId: 7,
    } as const
    const first = await startBroker({ store })
    const phone = new RawClient(first.port)
    phone.connect('phone', { clean: false })
    await phone.packet('connack')
    phone.send({ ...go, dup: false })
    await phone.packet('pubrec')
    phone.socket.destroy()
    await first.broker.stop()
    t.equal(first.commands.length, 1)
    const second = await startBroker({ store, boot: 2 })
    const again = new RawClient(second.port)
    again.connect('phone', { clean: false })
    await again.packet('connack')
    again.send({ ...go, dup: true })
    await again.packet('pubrec')
    again.send({ cmd: 'pubrel', messageId: 7 })
    await again.packet('pubcomp')
    t.same(second.commands, [])
    again.socket.destroy()
    await second.broker.stop()
  },
)

t.test(
  'embedded: of commands sent again to the next life, GO is refused and PANIC is not',
  async t => {
    const { port, commands, refusals, broker } = await startBroker({ boot: 2 })
    const phone = new RawClient(port)
    phone.connect('phone')
    await phone.packet('connack')
    const again = {
      cmd: 'publish',
      topic: `${base}/cue`,
      qos: 1,
      retain: false,
      dup: true,
    } as const
    for (const [index, payload] of ['GO', 'BACK', 'FIRE 1', 'PANIC', 'GOTO 3'].entries()) {
      phone.send({ ...again, payload, messageId: index + 1 })
    }
    phone.send({ ...again, payload: '{"id":"g1","action":"go"}', messageId: 9 })
    await until(() => commands.length + refusals.length === 6, 'all six')
    t.same(
      commands.map(({ action }) => action),
      ['panic', 'goto', 'go'],
      'what has an id is told apart by whoever carries it out',
    )
    t.match(refusals, [{ code: 'command.refused', message: /send a new one/ }, {}, {}])
    phone.socket.destroy()
    await broker.stop()
  },
)

t.test(
  'embedded: a ticket that is asked for again without an id is refused, with one it is asked for once more',
  async t => {
    const { port, bus, refusals, broker } = await startBroker({ boot: 2 })
    const asked: string[] = []
    bus.subscribe('print/requested', ({ id, template }) => asked.push(`${id} ${template}`))
    bus.subscribe('print/decided', ({ id, decision }) => asked.push(`${id} ${decision}`))
    const phone = new RawClient(port)
    phone.connect('phone')
    await phone.packet('connack')
    const send = (topic: string, payload: object, messageId: number, dup: boolean): void =>
      phone.send({
        ...({ cmd: 'publish', qos: 1, retain: false } as const),
        ...{ topic: `${base}/${topic}`, payload: JSON.stringify(payload), messageId, dup },
      })
    send('print', { template: 'claim' }, 1, true)
    send('print', { id: 'p1', template: 'claim' }, 2, true)
    send('print/decide', { job: 'p1', decision: 'reprint' }, 3, true)
    send('print/decide', { id: 'd1', job: 'p1', decision: 'reprint' }, 4, true)
    send('print', { template: 'label' }, 5, false)
    // The same packet of the same life: the box has heard it.
    send('print', { template: 'label' }, 5, true)
    await until(() => asked.length + refusals.length === 6, 'all six')
    t.match(asked, ['p1 claim', 'd1 reprint', / label$/])
    const why = { code: 'command.refused', message: /send a new one/ }
    t.match(refusals, [why, why, why])
    phone.socket.destroy()
    await broker.stop()
  },
)
