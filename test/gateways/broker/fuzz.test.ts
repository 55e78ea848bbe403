/** Hundreds of connections and payloads that nobody meant: the broker answers, or closes, and goes on. */
import fc from 'fast-check'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import { base, client, connectPacket, RawClient, startBroker, until, users } from './harness.js'

const CONNECTIONS = 500

const packets: readonly Packet[] = [
  { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `${base}/#`, qos: 1 }] },
  { cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 'constructor', qos: 2 }] },
  { cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['__proto__'] },
  {
    cmd: 'publish',
    topic: `${base}/cue`,
    payload: 'GO',
    qos: 1,
    messageId: 4,
    retain: false,
    dup: false,
  },
  {
    cmd: 'publish',
    topic: `${base}/cue`,
    payload: 'GO',
    qos: 2,
    messageId: 5,
    retain: true,
    dup: true,
  },
  { cmd: 'pubrel', messageId: 5 },
  { cmd: 'puback', messageId: 6 },
  { cmd: 'pubrec', messageId: 7 },
  { cmd: 'pubcomp', messageId: 8 },
  { cmd: 'pingreq' },
  { cmd: 'disconnect' },
]

/** A sound conversation in which bytes are changed, left out, doubled or cut off. */
function mutated(random: () => number): Buffer {
  const pick = (count: number): number => Math.floor(random() * count)
  const start =
    random() < 0.8 ? [connectPacket(['constructor', '__proto__', 'x'][pick(3)] ?? 'x')] : []
  const rest = Array.from({ length: 1 + pick(6) }, () => packets[pick(packets.length)])
  const bytes = Buffer.concat(
    [...start, ...rest].flatMap(packet => (packet ? [mqttPacket.generate(packet)] : [])),
  )
  const from = random() < 0.5 ? (start[0] ? mqttPacket.generate(start[0]).length : 0) : 0
  for (let n = 1 + pick(4); n > 0; n--)
    if (bytes.length > from) bytes[from + pick(bytes.length - from)] = pick(256)
  return random() < 0.2 ? bytes.subarray(0, pick(bytes.length)) : bytes
}

t.test(`${CONNECTIONS} conversations with wrong bytes leave the broker serving`, async t => {
  const seed = Number(process.env['SEED'] ?? 25)
  const random = randomFrom(seed)
  const { broker, port, log } = await startBroker({
    limits: { connectionsMax: 2_000, connectionsPerAddressMax: 2_000, connectMs: 500 },
  })
  for (let round = 0; round < CONNECTIONS / 25; round++) {
    const clients = Array.from({ length: 25 }, () => {
      const raw = new RawClient(port)
      raw.socket.write(mutated(random))
      return raw
    })
    await new Promise(resolve => setTimeout(resolve, 20))
    for (const raw of clients) raw.socket.destroy()
  }
  await until(() => broker.read()?.connected === 0, 'all to be gone')
  const technician = await client(port, users.operate)
  await technician.subscribe(`${base}/availability`)
  await technician.received(1)
  await technician.end()
  const read = broker.read()
  t.ok((read?.packetsReceived ?? 0) > CONNECTIONS, `seed ${seed}: the broker understood some of it`)
  t.ok((read?.refused['client.protocol'] ?? 0) > 50, `seed ${seed}: and refused some`)
  t.same(log.events('error'), [])
  await broker.stop()
})

t.test('300 malformed payloads on the command topics are each refused with a reason', async t => {
  const { broker, port, refusals, commands } = await startBroker({
    limits: { publishesPerSecond: 100_000 },
  })
  const technician = await client(port, users.operate)
  const malformed = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.concat([Buffer.from([0xff]), bytes])),
    fc.string().map(text => Buffer.from(`{${text}`)),
    fc.json().map(text => Buffer.from(`{"action":"no","x":${text}}`)),
    fc.string({ minLength: 1 }).map(text => Buffer.from(`~${text}`)),
    fc.integer({ min: 2 }).map(number => Buffer.from(`${number}`)),
  )
  const topics = ['cue', 'front/set', 'request/go', 'request/fly', 'FRONT/set']
  const samples = fc.sample(malformed, { numRuns: 300, seed: 25 })
  for (const [index, payload] of samples.entries()) {
    const topic = `${base}/${topics[index % topics.length]}`
    await technician.mqtt.publishAsync(topic, payload, { qos: 1 })
    t.match(refusals.at(-1), { topic, code: 'command.invalid', message: /^(payload|topic)/ })
  }
  t.equal(refusals.length, 300)
  t.same(commands, [])
  await technician.end()
  await broker.stop()
})
