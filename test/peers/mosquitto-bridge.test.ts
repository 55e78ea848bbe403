/** The bridge between bus and MQTT behaves the same over the broker inside and over a real Mosquitto. */
import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { Bus } from '../../runtime/core/bus.js'
import { randomFrom } from '../../runtime/core/random.js'
import { ExternalBroker } from '../../runtime/gateways/broker/external-broker.js'
import type { Messages, Payload, ShowCommand } from '../../runtime/topics.js'
import {
  base,
  box,
  client,
  startBroker,
  type TestClient,
  tour,
  until,
  users,
} from '../gateways/broker/harness.js'
import { hasMosquitto, startCable, startMosquitto } from './mosquitto-broker.js'

interface End {
  readonly bus: Bus<Messages>
  readonly commands: ShowCommand[]
  readonly refusals: Payload<'message/refused'>[]
  readonly technician: TestClient
  stop(): Promise<void>
}

async function embedded(): Promise<End> {
  const { broker, bus, commands, refusals, port } = await startBroker()
  const technician = await client(port, users.operate)
  return {
    bus,
    commands,
    refusals,
    technician,
    stop: async () => {
      await technician.end()
      await broker.stop()
    },
  }
}

function externalBox(port: number, boot = 1) {
  const bus = new Bus<Messages>()
  const commands: ShowCommand[] = []
  const refusals: Payload<'message/refused'>[] = []
  bus.subscribe('command/received', command => void commands.push(command))
  bus.subscribe('message/refused', refusal => void refusals.push(refusal))
  const broker = new ExternalBroker(
    {
      clock: new LinuxClock(ownAnchor()),
      log: new SimulatedLog(),
      bus,
      keys: new SimulatedKeys(randomFrom(boot)),
      files: null,
    },
    {
      tour,
      box,
      boot,
      config: {
        kind: 'external',
        url: `mqtt://127.0.0.1:${port}`,
        username: null,
        passwordFile: null,
        certificateAuthority: null,
      },
      homeAssistant: { isEnabled: false, prefix: 'homeassistant' },
    },
  )
  return { bus, commands, refusals, broker }
}

async function external(): Promise<End> {
  const mosquitto = await startMosquitto()
  const { bus, commands, refusals, broker } = externalBox(mosquitto.port)
  await broker.start()
  bus.publish('box/availability', { state: 'ready', boot: 1 })
  const technician = await client(mosquitto.port, 'anyone')
  // The subscriptions of the box are there when its state is.
  await technician.subscribe(`${base}/availability`)
  await until(() => technician.messages.some(({ payload }) => payload.includes('ready')), 'the box')
  await technician.mqtt.unsubscribeAsync(`${base}/availability`)
  technician.messages.length = 0
  return {
    bus,
    commands,
    refusals,
    technician,
    stop: async () => {
      await technician.end()
      await broker.stop()
      await mosquitto.stop()
    },
  }
}

const ends = { embedded, ...(hasMosquitto ? { external } : {}) }

for (const [name, start] of Object.entries(ends)) {
  t.test(`${name}: commands as words and as JSON reach the bus, in order`, async t => {
    const { technician, commands, stop } = await start()
    await technician.publish(`${base}/cue`, 'GO')
    await technician.publish(`vb/${tour}/all/cue`, 'panic')
    await technician.publish(`${base}/front/set`, '{"level":0.5,"fadeMs":500}', 0)
    await technician.publish(`${base}/request/fire`, '{"tx":"t1","cue":"7"}')
    await until(() => commands.length === 4, '4 commands')
    t.match(commands, [
      { action: 'go' },
      { action: 'panic' },
      { action: 'level', target: 'front', level: 0.5, fadeMs: 500 },
      { action: 'fire', id: 't1', cue: '7' },
    ])
    await stop()
  })

  t.test(`${name}: states are retained, events are not, answers carry the transaction`, async t => {
    const { technician, bus, stop } = await start()
    const device = {
      device: 'front',
      driver: 'gpio-light',
      kind: 'light',
      state: 'ready',
      code: null,
      message: null,
    } as const
    bus.publish('device/state', { ...device, levels: [0.5] })
    await technician.subscribe(`${base}/#`)
    await until(
      () =>
        technician.messages.some(({ topic, retain }) => retain && topic === `${base}/front/state`),
      'the retained state',
    )
    bus.publish('command/answered', {
      id: 't1',
      origin: 'x',
      isAccepted: true,
      code: null,
      message: null,
    })
    await until(
      () => technician.messages.some(({ topic }) => topic === `${base}/response/t1`),
      'an answer',
    )
    const before = technician.messages.length
    await technician.publish(`${base}/front/get`, '')
    await until(
      () => technician.messages.slice(before).some(({ topic }) => topic === `${base}/front/state`),
      'the state once more',
    )
    t.match(
      technician.messages.findLast(({ topic }) => topic === `${base}/front/state`),
      { payload: /"levels":\[0\.5\]/ },
    )
    await stop()
  })

  t.test(
    `${name}: what is refused is told on refused, with the reason, and is not carried out`,
    async t => {
      const { technician, commands, stop } = await start()
      await technician.subscribe(`${base}/refused`)
      for (const [topic, payload, message] of [
        ['cue', 'GOO', 'payload: must be one of'],
        ['front/set', '{"level":7}', 'payload.level: must be between 0 and 1, is 7'],
        ['request/go', '{}', 'payload.tx: is missing'],
        ['nothing/get', '', 'there is no'],
      ] as const) {
        technician.messages.length = 0
        await technician.publish(`${base}/${topic}`, payload)
        const [refusal] = await technician.received(1)
        t.match(JSON.parse(refusal?.payload ?? ''), {
          topic: `${base}/${topic}`,
          code: 'command.invalid',
        })
        t.match(refusal?.payload, message)
      }
      t.same(commands, [])
      await stop()
    },
  )

  t.test(
    `${name}: a cue may publish to a gadget, retained or not, but not to the box itself`,
    async t => {
      const { technician, bus, refusals, commands, stop } = await start()
      await technician.subscribe(`vb/${tour}/other/#`)
      const message = { payload: 'on', qos: 1, isRetained: false } as const
      bus.publish('message/requested', { ...message, topic: `vb/${tour}/other/lamp` })
      t.match(await technician.received(1), [{ payload: 'on' }])
      for (const topic of [
        `${base}/cue`,
        `vb/${tour}/all/cue`,
        `${base}/availability`,
        '$SYS/x',
        'a/+',
      ])
        bus.publish('message/requested', { ...message, topic })
      t.equal(refusals.filter(({ code }) => code === 'publish.denied').length, 5)
      t.same(commands, [])
      await stop()
    },
  )

  t.test(`${name}: a bare GO that is sent again is carried out once`, async t => {
    const { technician, commands, refusals, stop } = await start()
    const mid = 4_711
    const go = {
      cmd: 'publish',
      topic: `${base}/cue`,
      payload: 'GO',
      qos: 1,
      retain: false,
    } as const
    const send = (dup: boolean): void => {
      technician.mqtt.stream.write(mqttPacket.generate({ ...go, dup, messageId: mid }))
    }
    send(false)
    await until(() => commands.length === 1, 'the first')
    if (name === 'embedded') {
      send(true)
      await until(() => refusals.length === 1, 'the second to be refused')
      t.match(refusals, [{ code: 'command.refused', message: /already/ }])
    }
    t.equal(commands.length, 1)
    await stop()
  })
}

t.test('external', { skip: !hasMosquitto && 'there is no mosquitto' }, async t => {
  t.test('a retained GO is not carried out when the box starts', async t => {
    const mosquitto = await startMosquitto()
    const technician = await client(mosquitto.port, 'anyone')
    await technician.publish(`${base}/cue`, 'GO', 1, true)
    const { broker, bus, commands, refusals } = externalBox(mosquitto.port)
    await broker.start()
    bus.publish('box/availability', { state: 'ready', boot: 1 })
    await until(() => refusals.length === 1, 'the refusal')
    t.match(refusals, [{ code: 'command.refused', message: /retained/ }])
    t.same(commands, [])
    await technician.publish(`${base}/cue`, '', 1, true)
    await technician.end()
    await broker.stop()
    await mosquitto.stop()
  })

  t.test('a GO that waited while the box was away is refused, and the next one is not', async t => {
    const mosquitto = await startMosquitto()
    const first = externalBox(mosquitto.port)
    await first.broker.start()
    await until(() => first.broker.read().isConnected, 'the connection')
    const technician = await client(mosquitto.port, 'anyone')
    await technician.subscribe(`${base}/availability`)
    await technician.received(1)
    await first.broker.stop()
    // More than the twenty that Mosquitto sends before the first acknowledgement.
    for (let n = 0; n < 60; n++) await technician.publish(`${base}/cue`, 'GO')
    const second = externalBox(mosquitto.port)
    await second.broker.start()
    second.bus.publish('box/availability', { state: 'ready', boot: 2 })
    await until(
      () => second.refusals.length === 60,
      () => `60 refusals, got ${second.refusals.length}`,
    )
    t.same(second.commands, [])
    t.match(second.refusals[59], { message: /while the box was away/ })
    for (let n = 0; second.commands.length === 0 && n < 20; n++)
      await technician.publish(`${base}/cue`, 'GO')
    t.ok(second.commands.length > 0, 'what is sent now is carried out')
    await technician.end()
    await second.broker.stop()
    await mosquitto.stop()
  })

  t.test('a box that breaks off is told as lost, one that stops as sleeping', async t => {
    const mosquitto = await startMosquitto()
    const watcher = await client(mosquitto.port, 'anyone')
    await watcher.subscribe(`${base}/availability`)
    const cable = await startCable(mosquitto.port)
    const { broker, bus } = externalBox(cable.port)
    await broker.start()
    bus.publish('box/availability', { state: 'ready', boot: 1 })
    await until(() => watcher.messages.some(({ payload }) => payload.includes('ready')), 'ready')
    cable.pull()
    await until(() => watcher.messages.some(({ payload }) => payload.includes('lost')), 'lost')
    await until(() => broker.read().connections === 2, 'the box to be back')
    await until(() => watcher.messages.at(-1)?.payload.includes('ready') ?? false, 'ready again')
    await broker.stop()
    await until(() => watcher.messages.at(-1)?.payload.includes('sleeping') ?? false, 'sleeping')
    t.match(watcher.messages.at(-1), { payload: '{"state":"sleeping","boot":1}' })
    await watcher.end()
    cable.stop()
    await mosquitto.stop()
  })

  t.test(
    'the box starts without its broker, and tells its states and events when it comes',
    async t => {
      const probe = await startMosquitto()
      await probe.stop()
      const { broker, bus } = externalBox(probe.port)
      await broker.start()
      bus.publish('box/availability', { state: 'ready', boot: 1 })
      for (let n = 0; n < 1_100; n++)
        bus.publish('command/answered', {
          id: `${n}`,
          origin: 'x',
          isAccepted: true,
          code: null,
          message: null,
        })
      t.equal(broker.read().waiting, 1_000, 'what waits has a bound')
      t.ok(broker.read().dropped >= 100, 'and what is dropped is counted')
      const mosquitto = await startMosquitto(probe.port)
      const hub = await client(mosquitto.port, 'anyone')
      await hub.subscribe(`${base}/#`)
      await until(
        () => broker.read().isConnected && broker.read().waiting === 0,
        'the queue to be sent',
      )
      await until(
        () => hub.messages.some(({ topic }) => topic.endsWith('/response/1099')),
        'the last event',
      )
      await hub.end()
      await broker.stop()
      await mosquitto.stop()
    },
  )
})
