import t from 'tap'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { networkOf } from '../../../../runtime/services/clock/wall/networks.js'
import {
  type NtpPacket,
  parse,
  referenceOf,
  serialise,
} from '../../../../runtime/services/clock/wall/ntp-packet.js'
import {
  type NtpReply,
  NtpServer,
  noStanding,
  type Standing,
  stampTransmit,
} from '../../../../runtime/services/clock/wall/ntp-server.js'
import { stampOf, wallOf } from '../../../../runtime/services/clock/wall/ntp-time.js'

const NOW_MS = Date.UTC(2026, 10, 22)
const VENUE = '10.77.0.2'
const STRANGER = '203.0.113.9'

const local: Standing = {
  leap: 0,
  stratum: 10,
  rootDelayMs: 0,
  rootDispersionMs: 2,
  referenceId: referenceOf('LOCL'),
  referenceWallMs: NOW_MS - 5_000,
}

const question: NtpPacket = {
  leap: 3,
  version: 4,
  mode: 3,
  stratum: 0,
  poll: 6,
  precision: 0,
  rootDelayMs: 0,
  rootDispersionMs: 0,
  referenceId: 0,
  reference: 0n,
  origin: 0n,
  receive: 0n,
  transmit: 0x1234_5678_9abc_def0n,
}

const server = (options: Partial<ConstructorParameters<typeof NtpServer>[0]> = {}): NtpServer =>
  new NtpServer({
    allowed: [networkOf('10.77.0.0/24') ?? { first: 0, last: 0 }],
    questionsPerSecond: 1,
    burst: 2,
    clientsMax: 3,
    ...options,
  })

const ask = (
  one: NtpServer,
  { from = VENUE, atMs = 0, asked = question, standing = local } = {},
): NtpReply | null => one.answer(serialise(asked), from, monotonicMs(atMs), NOW_MS, standing)

const read = (reply: NtpReply | null): NtpPacket | null => (reply ? parse(reply.bytes) : null)

t.test('an answer has the moments of its question, its arrival and its departure', async t => {
  const reply = ask(server())
  if (reply) stampTransmit(reply, NOW_MS + 0.25)
  const packet = read(reply)
  t.match(packet, {
    leap: 0,
    version: 4,
    mode: 4,
    stratum: 10,
    poll: 6,
    referenceId: referenceOf('LOCL'),
    origin: question.transmit,
    receive: stampOf(NOW_MS),
    reference: stampOf(NOW_MS - 5_000),
  })
  t.ok(Math.abs((wallOf(packet?.transmit ?? 0n, NOW_MS) ?? 0) - NOW_MS - 0.25) < 0.001)
  t.ok((packet?.rootDispersionMs ?? 0) >= 2)
})

t.test('an answer is in the version of its question', async t => {
  for (const version of [1, 2, 3, 4])
    t.equal(read(ask(server(), { asked: { ...question, version } }))?.version, version)
  for (const version of [5, 6, 7])
    t.equal(ask(server(), { asked: { ...question, version } }), null, `version ${version}`)
})

t.test(
  'only questions of clients are answered: no control message, no peer, no answer',
  async t => {
    const one = server({ questionsPerSecond: 1_000, burst: 1_000 })
    for (const mode of [0, 1, 2, 4, 5, 6, 7])
      t.equal(ask(one, { asked: { ...question, mode } }), null)
    t.equal(one.answer(new Uint8Array(12), VENUE, monotonicMs(0), NOW_MS, local), null)
    t.equal(one.counts.ignored, 8)
    t.equal(one.clientCount, 0, 'and nothing of theirs is remembered')
  },
)

t.test('no answer is longer than its question', async t => {
  const one = server({ questionsPerSecond: 1_000, burst: 1_000 })
  for (const extra of [0, 4, 20, 400]) {
    const bytes = new Uint8Array(48 + extra)
    bytes.set(serialise(question))
    const reply = one.answer(bytes, VENUE, monotonicMs(0), NOW_MS, local)
    t.equal(reply?.bytes.byteLength, 48)
  }
})

t.test('a clock without time gives none', async t => {
  for (const standing of [noStanding, { ...local, leap: 3 as const }, { ...local, stratum: 16 }]) {
    const one = server()
    const reply = ask(one, { standing })
    if (reply) stampTransmit(reply, NOW_MS)
    const packet = read(reply)
    t.match(packet, { leap: 3, stratum: 0, referenceId: referenceOf('INIT') })
    t.equal(packet?.origin, question.transmit, 'who asked knows that it is meant')
    t.equal(packet?.receive, question.transmit, 'and has no date in it')
    t.equal(packet?.transmit, question.transmit)
    t.equal(one.counts.unsynchronised, 1)
  }
})

t.test('who asks too often is told so once a second, and is not answered in between', async t => {
  const one = server()
  const answers = [0, 10, 20, 30, 900].map(atMs => read(ask(one, { atMs })))
  t.same(
    answers.map(packet => packet && (packet.stratum === 0 ? packet.referenceId : 'time')),
    ['time', 'time', referenceOf('RATE'), null, null],
  )
  t.equal(read(ask(one, { atMs: 2_000 }))?.stratum, 10, 'who waits is answered again')
  t.match(one.counts, { served: 3, limited: 3 })
})

t.test('one that asks too often costs the others nothing', async t => {
  const one = server()
  for (let count = 0; count < 50; count++) ask(one)
  t.equal(read(ask(one, { from: '10.77.0.3' }))?.stratum, 10)
})

t.test('a stranger is told to go, once a second, and gets no time', async t => {
  const one = server()
  const answers = [0, 1, 2, 1_500].map(atMs => read(ask(one, { from: STRANGER, atMs })))
  t.same(
    answers.map(packet => packet?.referenceId ?? null),
    [referenceOf('DENY'), null, null, referenceOf('DENY')],
  )
  t.ok(answers.every(packet => packet === null || packet.transmit === question.transmit))
  t.match(one.counts, { served: 0, denied: 4 })
})

t.test('only so many askers are remembered', async t => {
  const one = server()
  for (let host = 1; host < 200; host++) ask(one, { from: `10.77.0.${host}` })
  t.equal(one.clientCount, 3)
})

t.test('a clock that goes back gives nobody more than the burst', async t => {
  const one = server()
  ask(one, { atMs: 100_000 })
  ask(one, { atMs: 50_000 })
  t.equal(read(ask(one, { atMs: 50_000 }))?.stratum, 0)
})
