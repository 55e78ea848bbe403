import t from 'tap'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { ManagementDesk } from '../../../../runtime/services/clock/ptp/management.js'
import type { ClockView } from '../../../../runtime/services/clock/ptp/management-values.js'
import { Flag, type Management } from '../../../../runtime/services/clock/ptp/message.js'
import { noTiming } from '../../../../runtime/services/clock/ptp/ordinary-clock.js'
import { parse } from '../../../../runtime/services/clock/ptp/parse.js'
import type { Packet } from '../../../../runtime/services/clock/ptp/port.js'
import { ALL_CLOCKS, ALL_PORTS, viewOf } from '../../../../runtime/services/clock/ptp/wire.js'
import { answersOfPtp4l, bytesOf, hexOf } from './packets.js'
import { portOptions } from './port-rig.js'

const PTP4L = '3ee558fffe4dad8a'
const PMC = '16e5a2fffe1c7ada'

const own = {
  identity: PTP4L,
  priority1: 100,
  priority2: 128,
  clockClass: 248,
  accuracy: 0xfe,
  variance: 0xffff,
}

/** As ptp4l was when its answers were recorded. */
const view: ClockView = {
  options: portOptions({
    identity: { clock: PTP4L, port: 1 },
    domain: 0,
    priority1: 100,
    logSyncInterval: -2,
    description: {
      hardwareAddress: bytesOf('3ee5584dad8a'),
      address: '10.9.0.1',
      product: ';;',
      revision: ';;',
      name: 'venue;left',
    },
  }),
  state: 'master',
  own,
  grandmaster: own,
  parent: { clock: PTP4L, port: 0 },
  stepsRemoved: 0,
  timeProperties: { utcOffsetS: 37, flags: 0, timeSource: 0xa0 },
  timing: noTiming,
}

const question = (id: number, changes: Partial<Management> = {}): Management => ({
  type: 'management',
  header: {
    sdo: 0,
    minorVersion: 0,
    domain: 0,
    flags: 0,
    correctionScaled: 0n,
    source: { clock: PMC, port: 1 },
    sequenceId: 0,
    logInterval: 0x7f,
  },
  target: { clock: ALL_CLOCKS, port: ALL_PORTS },
  startingHops: 1,
  hops: 1,
  action: 0,
  tlvs: [{ type: 1, value: Uint8Array.of(id >> 8, id & 0xff) }],
  ...changes,
})

const packet = (atMs: number): Packet => ({
  bytes: new Uint8Array(),
  at: monotonicMs(atMs),
  from: '10.9.0.2',
  port: 'general',
})

const answerTo = (request: Management): Management | null => {
  const send = new ManagementDesk().answer(request, packet(0), view)
  const message = send === null ? null : parse(send.bytes)
  return message?.type === 'management' ? message : null
}

/** Of what is answered: the part that counts. */
const bodyOf = (message: Management | null): string =>
  hexOf(message?.tlvs[0]?.value ?? new Uint8Array())

t.test('what pmc asks is answered byte for byte as ptp4l answers it', async t => {
  for (const [name, bytes] of answersOfPtp4l) {
    const theirs = parse(bytes)
    if (theirs?.type !== 'management') throw new Error('an answer')
    const [id = 0] = theirs.tlvs.map(({ value }) => viewOf(value).getUint16(0))
    const { sequenceId } = theirs.header
    const request = question(id)
    const ours = answerTo({ ...request, header: { ...request.header, sequenceId } })
    // That version counts the hops of an answer from one, where the standard has their difference.
    t.same(ours, { ...theirs, startingHops: 0, hops: 0 }, name)
  }
})

t.test('who follows tells how far it is off, and how long the way is', async t => {
  const timing = { offsetNs: -1500.5, pathDelayNs: 52_000, rate: 20e-6, ingressNs: 77n }
  const following = { ...view, stepsRemoved: 1, timing }
  const send = new ManagementDesk().answer(question(0x2001), packet(0), following)
  const answer = parse(send?.bytes ?? new Uint8Array())
  const value = viewOf(answer?.tlvs[0]?.value ?? new Uint8Array(20))
  t.equal(value.getUint16(2), 1)
  t.equal(Number(value.getBigInt64(4)) / 65_536, -1500.5)
  t.equal(Number(value.getBigInt64(12)) / 65_536, 52_000)
  const status = new ManagementDesk().answer(question(0xc000), packet(0), following)
  const np = viewOf(parse(status?.bytes ?? new Uint8Array())?.tlvs[0]?.value ?? new Uint8Array(60))
  t.equal(np.getBigInt64(10), 77n)
  t.equal(np.getInt32(18), Math.round(20e-6 * 2 ** 41))
})

t.test('nothing can be set, and what is not known does not exist', async t => {
  const refusals: readonly (readonly [id: number, action: number, reason: string])[] = [
    [0x2005, 1, '0005'],
    [0x0003, 3, '0006'],
    [0x2011, 0, '0006'],
    [0x7777, 0, '0002'],
    [0x2011, 1, '0006'],
  ]
  for (const [id, action, reason] of refusals) {
    const answer = answerTo(question(id, { action }))
    t.equal(answer?.tlvs[0]?.type, 2)
    t.equal(bodyOf(answer), `${reason}${id.toString(16).padStart(4, '0')}00000000`)
    t.equal(answer?.action, action === 3 ? 4 : 2)
  }
})

t.test('what is not asked of this clock, or is no question, stays unanswered', async t => {
  const target = (clock: string, port: number): Partial<Management> => ({ target: { clock, port } })
  const silences = [
    target(PMC, 1),
    target(PTP4L, 2),
    { action: 2 },
    { action: 4 },
    { tlvs: [] },
    { tlvs: [{ type: 1, value: new Uint8Array(1) }] },
    { tlvs: [{ type: 2, value: new Uint8Array(8) }] },
  ]
  for (const changes of silences) t.equal(answerTo(question(0x2000, changes)), null)
  t.ok(answerTo(question(0x2000, target(PTP4L, 1))))
})

t.test('an answer goes to the group, or to whom asked alone', async t => {
  const desk = new ManagementDesk()
  t.equal(desk.answer(question(0x2000), packet(0), view)?.address, null)
  const { header } = question(0x2000)
  const alone = question(0x2000, { header: { ...header, flags: Flag.unicast } })
  const send = desk.answer(alone, packet(0), view)
  t.equal(send?.address, '10.9.0.2')
  t.equal(parse(send?.bytes ?? new Uint8Array())?.header.flags, Flag.unicast)
})

t.test('a flood of questions is answered thirty-two times a second', async t => {
  const desk = new ManagementDesk()
  const answered = (atMs: number): number =>
    Array.from({ length: 1000 }, () => desk.answer(question(0x2000), packet(atMs), view)).filter(
      send => send !== null,
    ).length
  t.equal(answered(0), 32)
  t.equal(answered(999), 0)
  t.equal(answered(1000), 32)
})
