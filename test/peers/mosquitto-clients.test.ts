/** What a technician has at hand: mosquitto_pub and mosquitto_sub against the broker inside. */
import { writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { makePapers, type Papers } from '../gateways/broker/certificates.js'
import {
  base,
  hastened,
  password,
  startBroker,
  tour,
  until,
  users,
} from '../gateways/broker/harness.js'
import { hasMosquittoClients, run, subscribe } from './mosquitto-broker.js'

const skip = !hasMosquittoClients && 'there are no mosquitto clients'

const at = (port: number, user: string, secret = password): string[] => [
  ...['-h', '127.0.0.1', '-p', `${port}`, '-V', 'mqttv311'],
  ...['-u', user, '-P', secret],
]

t.test('GO as a word, and a level as JSON, with QoS 0, 1 and 2', { skip }, async t => {
  const { broker, port, commands } = await startBroker()
  for (const qos of ['0', '1', '2']) {
    const args = [...at(port, users.operate), '-q', qos]
    t.same(await run('mosquitto_pub', [...args, '-t', `${base}/cue`, '-m', 'GO']), {
      code: 0,
      output: '',
    })
    t.match(
      await run('mosquitto_pub', [...args, '-t', `${base}/front/set`, '-m', '{"level":0.25}']),
      { code: 0 },
    )
  }
  await until(() => commands.length === 6, '6 commands')
  t.match(commands.slice(0, 2), [
    { action: 'go' },
    { action: 'level', target: 'front', level: 0.25 },
  ])
  await broker.stop()
})

t.test('a wrong password, and none, are "not authorised"', { skip }, async t => {
  const { broker, port } = await startBroker()
  const topic = ['-t', `${base}/cue`, '-m', 'GO']
  for (const who of [at(port, users.operate, 'wrong'), ['-h', '127.0.0.1', '-p', `${port}`]])
    t.match(await run('mosquitto_pub', [...who, ...topic]), { code: 5, output: /not authorised/i })
  await broker.stop()
})

t.test('a refused subscription is told in SUBACK', { skip }, async t => {
  const { broker, port } = await startBroker()
  const { output } = await run('mosquitto_sub', [
    ...at(port, users.view),
    ...['-t', '#', '-W', '5'],
  ])
  t.match(output, /all subscription requests were denied/i)
  await broker.stop()
})

t.test('a retained state is seen by who comes later', { skip }, async t => {
  const { broker, port, bus } = await startBroker()
  bus.publish('cue/late', { count: 3, p50: 1, p95: 2, p99: 3, max: 4 })
  t.match(
    await run('mosquitto_sub', [
      ...at(port, users.view),
      ...['-t', `${base}/cue/late`, '-C', '1', '-v', '-W', '10'],
    ]),
    { code: 0, output: `${base}/cue/late {"count":3,"p50":1,"p95":2,"p99":3,"max":4}\n` },
  )
  await broker.stop()
})

t.test(
  'a refused command is acknowledged, and the reason is there for who reads it',
  { skip },
  async t => {
    const { broker, port, commands } = await startBroker()
    const watcher = subscribe([
      ...at(port, users.view),
      ...['-t', `${base}/refused`, '-t', `${base}/availability`],
    ])
    await watcher.until(lines => lines.some(line => line.includes('ready')), 'the subscription')
    for (const [user, topic, message, retain] of [
      [users.operate, `${base}/cue`, 'FLY', ''],
      [users.operate, `${base}/cue`, 'GO', '-r'],
      [users.view, `${base}/cue`, 'GO', ''],
      [users.operate, `${base}/availability`, '{}', '-r'],
    ] as const)
      t.match(
        await run('mosquitto_pub', [
          ...at(port, user),
          ...['-q', '1', '-t', topic, '-m', message],
          ...(retain === '' ? [] : [retain]),
        ]),
        { code: 0 },
      )
    await watcher.until(
      lines => lines.filter(line => line.includes('"code"')).length === 4,
      '4 reasons',
    )
    t.match(
      watcher.lines.filter(line => line.includes('"code"')).map(line => JSON.parse(line).code),
      ['command.invalid', 'command.refused', 'publish.denied', 'publish.denied'],
    )
    t.same(commands, [])
    await watcher.stop()
    await broker.stop()
  },
)

t.test(
  'a persistent session gets what it missed, over a restart of the broker',
  { skip },
  async t => {
    const store = new SimulatedStore()
    const first = await startBroker({ store })
    const session = ['-i', 'hub', '-c', '-q', '1', '-t', `vb/${tour}/stage-right/#`]
    const opened = await run('mosquitto_sub', [...at(first.port, users.hub), ...session, '-E'])
    t.match(opened, { code: 0 })
    for (const n of ['1', '2', '3'])
      await run('mosquitto_pub', [
        ...at(first.port, users.box),
        ...['-q', '1', '-t', `vb/${tour}/stage-right/n`, '-m', n],
      ])
    await first.broker.stop()
    const second = await startBroker({ store, boot: 2 })
    t.same(
      await run('mosquitto_sub', [
        ...at(second.port, users.hub),
        ...session,
        '-C',
        '3',
        '-W',
        '10',
      ]),
      { code: 0, output: '1\n2\n3\n' },
    )
    await second.broker.stop()
  },
)

t.test('$SYS tells what Mosquitto would tell, from the start', { skip }, async t => {
  const { broker, port } = await startBroker()
  for (const [topic, output] of [
    ['clients/connected', /^\d+\n$/],
    ['uptime', /^\d+ seconds\n$/],
    ['publish/messages/dropped', '0\n'],
  ] as const)
    t.match(
      await run('mosquitto_sub', [
        ...at(port, users.view),
        ...['-t', `$SYS/broker/${topic}`, '-C', '1', '-W', '5'],
      ]),
      { code: 0, output },
    )
  await broker.stop()
})

const tls = {
  port: 0,
  certificate: 'box.crt',
  key: 'box.key',
  clientAuthority: 'tour-authority.crt',
  revoked: 'revoked',
  boxes: [],
}

async function makeCertificates(t: Test): Promise<Papers> {
  const papers = await makePapers(t)
  for (const name of ['tour-authority', 'stranger']) await papers.authority(name)
  for (const name of ['box', 'lamp-1', 'lamp-2']) await papers.certificate(name, 'tour-authority')
  await papers.certificate('intruder', 'stranger')
  await papers.certificate('old', 'tour-authority', { days: -1 })
  await writeFile(papers.path('revoked'), '# names or serial numbers\nlamp-2\n')
  return papers
}

const withTls = (port: number | null, papers: Papers, name: string | null): string[] => [
  ...['-h', '127.0.0.1', '-p', `${port}`, '-V', 'mqttv311'],
  ...['--cafile', papers.path('tour-authority.crt')],
  ...(name === null ? [] : ['--cert', papers.path(`${name}.crt`)]),
  ...(name === null ? [] : ['--key', papers.path(`${name}.key`)]),
]

t.test(
  'a certificate of the tour is a name, and no other way in from outside',
  { skip },
  async t => {
    const papers = await makeCertificates(t)
    const { broker, refusals } = await startBroker({ files: papers.files, config: { tls } })
    const publish = (name: string | null, id: string) =>
      run('mosquitto_pub', [
        ...withTls(broker.ports().tls, papers, name),
        ...['-i', id, '-q', '1', '-t', `wled/${name}/state`, '-m', 'on'],
      ])
    t.match(
      await publish('lamp-1', 'lamp-1'),
      { code: 0 },
      'the name in the certificate is the client',
    )
    t.not((await publish('lamp-1', 'lamp-9')).code, 0, 'and no other may be taken')
    t.not((await publish('lamp-2', 'lamp-2')).code, 0, 'revoked')
    t.not((await publish('intruder', 'intruder')).code, 0, 'of another authority')
    t.not((await publish('old', 'old')).code, 0, 'run out')
    t.not((await publish(null, 'nobody')).code, 0, 'without one')
    t.match(
      refusals,
      [
        { code: 'client.identifier', client: 'lamp-9' },
        { code: 'client.revoked', client: 'lamp-2' },
        { code: 'client.tls', client: '127.0.0.1', message: /is not signed by who is in box/ },
        { code: 'client.tls', client: '127.0.0.1', message: /has run out: renew it/ },
        { code: 'client.tls', client: '127.0.0.1', message: 'it has no certificate' },
      ],
      'and each is told why',
    )
    t.equal(refusals.length, 5)
    t.equal(broker.read()?.publishReceived, 1)
    await broker.stop()
  },
)

t.test('a mosquitto_sub that is revoked is cut off, and hears nothing more', { skip }, async t => {
  const papers = await makeCertificates(t)
  const { broker, port, refusals } = await startBroker({
    files: papers.files,
    config: { tls },
    clock: hastened(20),
  })
  const lamp = subscribe([
    ...withTls(broker.ports().tls, papers, 'lamp-1'),
    ...['-i', 'lamp-1', '-c', '-q', '1', '-t', 'lamp-1/#'],
  ])
  await until(() => broker.read()?.subscriptions === 1, 'the subscription')
  const say = (message: string) =>
    run('mosquitto_pub', [
      ...at(port, users.driver),
      ...['-q', '1', '-t', 'lamp-1/n', '-m', message],
    ])
  await say('before')
  await lamp.until(lines => lines.includes('before'), 'the first message')
  await writeFile(papers.path('revoked'), 'lamp-1\n')
  await until(() => refusals.length > 0, 'the revocation')
  await say('after')
  await lamp.until(lines => lines.some(line => /connection was lost/i.test(line)), 'the end')
  t.match(refusals, [{ code: 'client.revoked', client: 'lamp-1' }])
  t.notOk(lamp.lines.includes('after'))
  t.match(broker.read(), { sessions: 0, queued: 0, subscriptions: 0 })
  await lamp.stop()
  await broker.stop()
})
