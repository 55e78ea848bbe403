import t from 'tap'
import { client, RawClient, startBroker, until, users } from './harness.js'

/** More than the sockets between take. */
const COUNT = 300
const BYTES = 60_000

t.test('what is told to who subscribes never comes after a newer value', async t => {
  const { port, broker } = await startBroker({ limits: { publishesPerSecond: 100_000 } })
  t.teardown(() => broker.stop())
  const lamp = await client(port, users.driver)
  const topics = Array.from({ length: COUNT }, (_, n) => `lamp-1/${n}`)
  for (const topic of topics) await lamp.publish(topic, 'old'.padEnd(BYTES), 1, true)
  const reader = new RawClient(port)
  reader.connect('reader', { username: users.driver })
  await reader.packet('connack')
  reader.socket.pause()
  reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'lamp-1/#', qos: 0 }] })
  const sent = (): number => broker.read()?.publishSent ?? 0
  await until(() => sent() > 1, 'the first')
  for (let before = 0; before < sent(); await new Promise(resolve => setTimeout(resolve, 100)))
    before = sent()
  t.ok(sent() < COUNT, 'the last ones have to wait')
  for (const topic of topics) await lamp.publish(topic, 'new', 1, true)
  reader.socket.resume()
  const latest = new Map<string, string>()
  const read = (): void => {
    for (const packet of reader.packets.splice(0))
      if (packet.cmd === 'publish') latest.set(packet.topic, packet.payload.toString().trim())
  }
  await until(() => {
    read()
    return latest.size === COUNT
  }, 'all topics')
  reader.send({ cmd: 'pingreq' })
  await reader.packet('pingresp')
  read()
  t.same(
    topics.filter(topic => latest.get(topic) !== 'new'),
    [],
  )
})
