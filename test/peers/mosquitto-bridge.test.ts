/** The promises of the bridge over a real Mosquitto, and those that only a broker of somebody else calls for. */
import t from 'tap'
import type { Payload } from '../../runtime/topics.js'
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

const answered = { origin: 'x', isAccepted: true, code: null, message: null } as const

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

  t.test('whether the broker is reached, and why not, is told as it changes', async t => {
    const mosquitto = await startMosquitto()
    const { port } = mosquitto
    const { broker, bus } = externalBox(urlOf(port))
    const told: Payload<'broker/state'>[] = []
    bus.subscribe('broker/state', state => void told.push(state))
    const toldOf = (isMeant: (state: Payload<'broker/state'>) => boolean): Promise<void> =>
      until(
        () => told.some(isMeant),
        () => JSON.stringify(told.at(-1)),
      )
    await broker.start()
    await toldOf(({ isConnected }) => isConnected)
    t.match(told[0], { kind: 'external', url: urlOf(port), isConnected: false, trouble: null })
    t.match(told.at(-1), { clients: null, waiting: 0, trouble: null })
    await mosquitto.stop()
    await toldOf(({ isConnected, trouble }) => !isConnected && trouble !== null)
    const fired = { fire: 'f', cue: '1', epoch: 1, atShowMs: 0, origin: 'x', lateMs: 0 }
    bus.publish('cue/fired', fired)
    await toldOf(({ trouble, waiting }) => !!trouble?.message.includes('nobody') && waiting === 1)
    t.match(told.at(-1)?.trouble?.message, /^box\.broker\.url: nobody listens there/)
    told.length = 0
    const again = await startMosquitto(port)
    await toldOf(({ isConnected, waiting }) => isConnected && waiting === 0)
    t.match(told.at(-1)?.trouble?.message, /^box\.broker\.url: nobody/, 'it is not forgotten')
    const technician = await client(port, 'anyone')
    await technician.subscribe(`${base}/broker`)
    const [retained] = await technician.received(1)
    t.match(retained, { retain: true })
    t.match(JSON.parse(retained?.payload ?? ''), { isConnected: true, url: urlOf(port) })
    await technician.end()
    await broker.stop()
    await again.stop()
  })

  t.test('a GO that waited is refused also when the box itself has much to send again', async t => {
    const mosquitto = await startMosquitto()
    const cable = await startCable(mosquitto.port)
    const { broker, bus, commands, refusals } = externalBox(urlOf(cable.port))
    const technician = await client(mosquitto.port, 'anyone')
    await technician.subscribe(`${base}/#`)
    const heard = (end: string, word: string): boolean =>
      technician.messages.some(
        ({ topic, payload }) => topic === `${base}/${end}` && payload.includes(word),
      )
    await broker.start()
    bus.publish('box/availability', { state: 'ready', boot: 1 })
    await until(() => heard('availability', 'ready'), 'the box')
    cable.mute()
    for (let n = 0; n < 50; n++) bus.publish('command/answered', { ...answered, id: `${n}` })
    cable.cut()
    await until(() => heard('availability', 'lost'), 'the box to be lost')
    for (let n = 0; n < 5; n++) await technician.publish(`${base}/cue`, 'GO')
    cable.mend()
    await until(() => refusals.length + commands.length >= 5, 'all five')
    t.same(commands, [], 'none is carried out')
    t.match(refusals, Array(5).fill({ message: /while the box was away/ }))
    await until(() => heard('response/49', '49'), 'what the box had to say')
    for (let n = 0; commands.length === 0 && n < 20; n++)
      await technician.publish(`${base}/cue`, 'GO')
    t.match(commands[0], { action: 'go' }, 'what is sent now is carried out')
    await technician.end()
    await broker.stop()
    cable.stop()
    await mosquitto.stop()
  })

  t.test('after a stall of the network every state is told as it is then', async t => {
    const mosquitto = await startMosquitto()
    const cable = await startCable(mosquitto.port)
    const { broker, bus } = externalBox(urlOf(cable.port))
    const watcher = await client(mosquitto.port, 'anyone')
    await watcher.subscribe(`${base}/front/state`)
    const lamp = (level: number): void =>
      bus.publish('output/state', { output: 'front', kind: 'dimmer', level, parts: [level] })
    const last = (): string => watcher.messages.at(-1)?.payload ?? ''
    await broker.start()
    await until(() => broker.read().isConnected, 'the connection')
    lamp(0.1)
    await until(() => last().includes('0.1'), 'the level')
    cable.stall()
    for (let n = 0; n < 1_200; n++) bus.publish('command/answered', { ...answered, id: `${n}` })
    for (const level of [0.2, 0.3, 0.4]) lamp(level)
    t.match(last(), '0.1', 'nothing gets through')
    cable.loosen()
    await until(() => last().includes('0.4'), 'the level of now')
    t.equal(broker.read().connections, 1, 'on the same connection')
    await watcher.end()
    await broker.stop()
    cable.stop()
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
      for (let n = 0; n < 1_100; n++) bus.publish('command/answered', { ...answered, id: `${n}` })
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
