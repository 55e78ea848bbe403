/** The broker of one box as the board of all boxes of the venue: over TLS, each with the certificate of its name. */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { connect as connectMqtt } from 'mqtt'
import t, { type Test } from 'tap'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import type { ExternalBrokerConfig } from '../../../runtime/config.js'
import { ExternalLink } from '../../../runtime/gateways/broker/external-link.js'
import { type BrokerWay, MqttPeerBoard } from '../../../runtime/gateways/peers/mqtt-peer-board.js'
import { externalBox } from '../../peers/external-box.js'
import { makePapers } from './certificates.js'
import {
  base,
  box,
  client,
  hastened,
  password,
  startBroker,
  type TestBroker,
  TestClient,
  tour,
  until,
  within,
} from './harness.js'

const papers = await makePapers(t)
await papers.authority('tour')
for (const name of [box, 'foyer', 'bar', 'lamp-1']) await papers.certificate(name, 'tour')

const tls = {
  ...{ port: 0, certificate: `${box}.crt`, key: `${box}.key`, clientAuthority: 'tour.crt' },
  ...{ revoked: null, boxes: ['foyer', 'bar'] },
}

type Subject = 'have' | 'stage'

class Heard {
  readonly board: MqttPeerBoard
  readonly words: string[] = []
  readonly log = new SimulatedLog()

  constructor(t: Test, link: BrokerWay, name: string, username: string | null, subject: Subject) {
    const ports = { clock: hastened(50), log: this.log }
    this.board = new MqttPeerBoard(
      { ...ports, keys: new LinuxKeys(), link },
      { tour, box: name, username, subject },
    )
    this.board.onWord((from, word) => {
      this.words.push(`${from} ${word === null ? 'gone' : new TextDecoder().decode(word)}`)
    })
    t.teardown(() => this.board.stop())
  }

  say(word: string): void {
    this.board.say(new TextEncoder().encode(word))
  }
}

const open = () => startBroker({ files: papers.files, config: { tls } })

/** Of the box that has the broker. */
const inside = ({ port }: TestBroker): BrokerWay => ({
  password: Buffer.from(password),
  load: async () => {},
  open: () => connect({ host: '127.0.0.1', port }),
  explain: () => 'not there',
})

const outsideOf = (url: string, name: string): ExternalBrokerConfig => ({
  ...{ kind: 'external', url, username: null, passwordFile: null },
  ...{ certificateAuthority: 'tour.crt', certificate: `${name}.crt`, key: `${name}.key` },
})

const outside = ({ broker }: TestBroker, name: string): ExternalLink =>
  new ExternalLink(papers.files, outsideOf(`mqtts://localhost:${broker.ports().tls}`, name))

/** With that certificate, under that name. */
async function enter(t: Test, venue: TestBroker, name: string, clientId: string) {
  const paper = (file: string): Promise<Buffer> => readFile(papers.path(file))
  const [ca, cert, key] = [
    await paper('tour.crt'),
    await paper(`${name}.crt`),
    await paper(`${name}.key`),
  ]
  const url = `mqtts://localhost:${venue.broker.ports().tls}`
  const mqtt = connectMqtt(url, {
    ...{ reconnectPeriod: 0, protocolVersion: 4, clientId, ca, cert, key },
  })
  t.teardown(() => mqtt.end(true))
  const entered = new TestClient(mqtt)
  const answer = new Promise<void>((resolve, reject) => {
    mqtt.once('connect', () => resolve())
    mqtt.once('error', reject)
  })
  await within(answer, 'connect')
  return entered
}

t.test('three boxes hear each other on the broker of one of them', async t => {
  const venue = await open()
  const boards = (['have', 'stage'] as const).map(subject => [
    new Heard(t, inside(venue), box, 'operator', subject),
    new Heard(t, outside(venue, 'foyer'), 'foyer', null, subject),
    new Heard(t, outside(venue, 'bar'), 'bar', null, subject),
  ])
  const all = boards.flat()
  for (const { board } of all) await board.start()
  await until(() => all.every(({ board }) => board.isOpen()), 'both boards of each box are open')
  for (const [own, foyer, bar] of boards) {
    own?.say('one')
    foyer?.say('two')
    bar?.say('three')
    await until(
      () => [own, foyer, bar].every(heard => heard?.words.length === 2),
      'each hears both others',
    )
    t.same(own?.words.sort(), ['bar three', 'foyer two'])
    t.same(foyer?.words.sort(), ['bar three', `${box} one`])
    t.same(bar?.words.sort(), ['foyer two', `${box} one`])
    await foyer?.board.stop()
    await until(() => own?.words.at(-1) === 'foyer gone', 'a box that goes takes its word away')
  }
  t.same(venue.refusals, [])
})

t.test('a box speaks for itself alone, and gives no orders to another box', async t => {
  const venue = await open()
  const ear = await enter(t, venue, 'bar', 'bar')
  t.same(await ear.subscribe(`vb/${tour}/#`), [1])
  const foyer = await enter(t, venue, 'foyer', 'foyer:tests')
  for (const topic of [`vb/${tour}/bar/ota/have`, `${base}/ota/have`, `${base}/cue`])
    await foyer.publish(topic, '{}')
  await foyer.publish(`vb/${tour}/foyer/ota/have`, 'own')
  await until(() => ear.messages.some(({ payload }) => payload === 'own'), 'its own word')
  t.same(
    ear.messages.filter(({ topic }) => /\/(have|cue)$/.test(topic)).map(({ topic }) => topic),
    [`vb/${tour}/foyer/ota/have`],
  )
  t.equal(venue.refusals.length, 3)
})

t.test('what is no box has one name, and hears nothing of the tour', async t => {
  const venue = await open()
  const lamp = await enter(t, venue, 'lamp-1', 'lamp-1')
  t.same(await lamp.subscribe(`vb/${tour}/#`), [128])
  for (const [name, clientId] of [
    ['lamp-1', 'lamp-1:more'],
    ['foyer', 'bar:ota-have'],
    ['foyer', 'foyer-2'],
    ['foyer', ':'],
  ] as const)
    await t.rejects(enter(t, venue, name, clientId), { code: 2 }, `${name} as ${clientId}`)
})

t.test('a box that is not let in says once which field to look at', async t => {
  const venue = await open()
  const lamp = new Heard(t, outside(venue, 'lamp-1'), 'lamp-1', null, 'have')
  await lamp.board.start()
  const url = 'mqtts://localhost:1'
  const link = new ExternalLink(papers.files, outsideOf(url, 'foyer'), 'ota.venue.broker')
  const lost = new Heard(t, link, 'foyer', null, 'have')
  await lost.board.start()
  await until(() => [lamp, lost].every(({ log }) => log.lines.length > 0), 'both have said it')
  t.match(lost.log.lines, [
    {
      event: 'peers.board-failed',
      facts: { error: 'ota.venue.broker.url: nobody listens there: does the broker run?' },
    },
  ])
  t.match(lamp.log.lines, [
    {
      event: 'peers.board-failed',
      facts: { error: /^box\.broker\.url: the broker does not take the name/ },
    },
  ])
})

t.test('a box may have the broker of another box in the place of its own', async t => {
  const venue = await open()
  const config = outsideOf(`mqtts://localhost:${venue.broker.ports().tls}`, 'foyer')
  const foyer = externalBox(config.url, { name: 'foyer', files: papers.files, config })
  t.teardown(() => foyer.broker.stop())
  await foyer.broker.start()
  const technician = await client(venue.port, 'operator')
  await technician.subscribe(`vb/${tour}/foyer/#`)
  foyer.bus.publish('box/availability', { state: 'ready', boot: 1 })
  await until(
    () => technician.messages.some(({ payload }) => payload.includes('"ready"')),
    'that it is ready',
  )
  t.equal(technician.messages.at(-1)?.topic, `vb/${tour}/foyer/availability`)
  await until(() => foyer.broker.read().isConnected, 'its link')
  await technician.publish(`vb/${tour}/all/cue`, 'GO')
  await until(() => foyer.commands.length === 1, 'what all are told')
  t.same(venue.refusals, [])
})
