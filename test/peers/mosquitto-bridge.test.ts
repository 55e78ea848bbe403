/** The promises of the bridge over a real Mosquitto, and those that only a broker of somebody else calls for. */
import t from 'tap'
import { bridgeContract, type StartEnd } from '../gateways/broker/bridge.contract.js'
import { base, client, until } from '../gateways/broker/harness.js'
import { externalBox } from './external-box.js'
import { hasMosquitto, startCable, startMosquitto } from './mosquitto-broker.js'

const external: StartEnd = async (t, { isReady = true, ...settings } = {}) => {
  const mosquitto = await startMosquitto()
  t.teardown(() => mosquitto.stop())
  const cable = await startCable(mosquitto.port)
  t.teardown(() => cable.stop())
  const { bus, commands, refusals, broker } = externalBox(urlOf(cable.port), settings)
  t.teardown(() => broker.stop())
  const connect: Awaited<ReturnType<StartEnd>>['connect'] = async (user, options) => {
    const connected = await client(mosquitto.port, user, options)
    t.teardown(() => connected.drop())
    return connected
  }
  await broker.start()
  if (isReady) bus.publish('box/availability', { state: 'ready', boot: 1 })
  // The subscriptions of the box are there when its state is.
  const watcher = await connect('anyone')
  await watcher.subscribe(`${base}/availability`)
  const state = isReady ? 'ready' : 'init'
  await until(() => watcher.messages.some(({ payload }) => payload.includes(state)), 'the box')
  return {
    bus,
    commands,
    refusals,
    connect,
    goTwice: async () => {
      cable.mute()
      await watcher.publish(`${base}/cue`, 'GO')
      await until(() => commands.length === 1, 'the first')
      cable.pull()
      await until(() => refusals.length === 1, 'the second to be refused')
    },
    stopBox: () => broker.stop(),
  }
}

const urlOf = (port: number): string => `mqtt://127.0.0.1:${port}`

bridgeContract('Mosquitto', external, !hasMosquitto && 'there is no mosquitto')

t.test('Mosquitto', { skip: !hasMosquitto && 'there is no mosquitto' }, async t => {
  t.test('a retained GO is not carried out when the box starts', async t => {
    const mosquitto = await startMosquitto()
    const technician = await client(mosquitto.port, 'anyone')
    await technician.publish(`${base}/cue`, 'GO', 1, true)
    const { broker, bus, commands, refusals } = externalBox(urlOf(mosquitto.port))
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

  t.test('what was retained before is not heard by the show', async t => {
    const mosquitto = await startMosquitto()
    const lamp = await client(mosquitto.port, 'lamp-1')
    await lamp.publish('lamp-1/door', 'open', 1, true)
    const { broker, bus } = externalBox(urlOf(mosquitto.port), { heardTopics: ['lamp-1/door'] })
    const heard: string[] = []
    bus.subscribe('message/heard', ({ payload }) => void heard.push(payload))
    await broker.start()
    bus.publish('box/availability', { state: 'ready', boot: 1 })
    await until(() => broker.read().isConnected, 'the connection')
    await lamp.subscribe(`${base}/availability`)
    await until(() => lamp.messages.some(({ payload }) => payload.includes('ready')), 'the box')
    await lamp.publish('lamp-1/door', 'shut')
    await until(() => heard.length > 0, 'the door')
    t.same(heard, ['shut'])
    await lamp.end()
    await broker.stop()
    await mosquitto.stop()
  })

  t.test('a GO that waited while the box was away is refused, and the next one is not', async t => {
    const mosquitto = await startMosquitto()
    const first = externalBox(urlOf(mosquitto.port))
    await first.broker.start()
    await until(() => first.broker.read().isConnected, 'the connection')
    const technician = await client(mosquitto.port, 'anyone')
    await technician.subscribe(`${base}/availability`)
    await technician.received(1)
    await first.broker.stop()
    // More than the twenty that Mosquitto sends before the first acknowledgement.
    for (let n = 0; n < 60; n++) await technician.publish(`${base}/cue`, 'GO')
    const second = externalBox(urlOf(mosquitto.port))
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
    const { broker, bus } = externalBox(urlOf(cable.port))
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

  t.test('two boxes of one name do not throw each other out without end', async t => {
    const mosquitto = await startMosquitto()
    const cable = await startCable(mosquitto.port)
    const twins = [1, 2].map(boot => externalBox(urlOf(cable.port), { boot }))
    for (const { broker } of twins) await broker.start()
    await until(() => cable.tries() >= 7, 'some tries')
    const early = twins.flatMap(({ log }) => log.lines)
    t.ok(early.some(({ facts }) => /second box of this name/.test(`${facts['message']}`)))
    const waits = Math.max(...twins.map(({ broker }) => broker.read().connections))
    t.ok(waits < 7, 'each waits longer from time to time')
    for (const { broker } of twins) await broker.stop()
    cable.stop()
    await mosquitto.stop()
  })

  t.test(
    'the box starts without its broker, and tells its states and events when it comes',
    async t => {
      const probe = await startMosquitto()
      await probe.stop()
      const { broker, bus } = externalBox(urlOf(probe.port))
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
