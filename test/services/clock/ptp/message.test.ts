import t from 'tap'
import { randomFrom } from '../../../../runtime/core/random.js'
import { Flag, type Message } from '../../../../runtime/services/clock/ptp/message.js'
import { parse } from '../../../../runtime/services/clock/ptp/parse.js'
import { serialise } from '../../../../runtime/services/clock/ptp/serialise.js'
import { clockIdentity } from '../../../../runtime/services/clock/ptp/wire.js'
import { everyPacket, hexOf, ptp4l, versionOneSync } from './packets.js'

const PTP4L = '3ee558fffe4dad8a'
const packet = (name: 'sync' | 'followUp' | 'delayResponse' | 'announce'): Uint8Array =>
  ptp4l.get(name) ?? new Uint8Array()

/** A copy in which some bytes are others. */
function changed(bytes: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array {
  const copy = bytes.slice()
  for (const [at, value] of Object.entries(changes)) copy[Number(at)] = value
  return copy
}

t.test('what ptp4l announces is read as it means it', async t => {
  const message = parse(packet('announce'))
  t.match(message, {
    type: 'announce',
    header: {
      sdo: 0,
      domain: 0,
      flags: 0,
      source: { clock: PTP4L, port: 1 },
      sequenceId: 2,
      logInterval: 0,
    },
    utcOffsetS: 37,
    stepsRemoved: 0,
    timeSource: 0xa0,
    grandmaster: {
      identity: PTP4L,
      priority1: 100,
      clockClass: 248,
      accuracy: 0xfe,
      variance: 0xffff,
      priority2: 128,
    },
  })
})

t.test('a moment is seconds of 48 bits and nanoseconds', async t => {
  const message = parse(packet('followUp'))
  const seconds = 0x6b0305c7n
  const nanoseconds = 0x0c0fe729n
  t.equal(message?.type === 'follow-up' && message.originNs, seconds * 1_000_000_000n + nanoseconds)
  const late = parse(changed(packet('followUp'), { 34: 0x01 }))
  const more = (1n << 40n) * 1_000_000_000n
  t.equal(
    late?.type === 'follow-up' && late.originNs,
    seconds * 1_000_000_000n + nanoseconds + more,
  )
})

t.test('the answer to a request names who asked', async t => {
  t.match(parse(packet('delayResponse')), {
    type: 'delay-response',
    requester: { clock: '16e5a2fffe1c7ada', port: 1 },
    header: { sequenceId: 2, logInterval: 0 },
  })
})

t.test('a correction is signed, in units of 2^-16 nanoseconds', async t => {
  const minusOneAndHalf = {
    8: 0xff,
    9: 0xff,
    10: 0xff,
    11: 0xff,
    12: 0xff,
    13: 0xfe,
    14: 0x80,
    15: 0,
  }
  const message = parse(changed(packet('sync'), minusOneAndHalf))
  t.equal(message?.header.correctionScaled, -98_304n)
})

t.test('every packet of ptp4l is written as it came', async t => {
  for (const bytes of everyPacket) {
    const message = parse(bytes)
    t.ok(message)
    // The minor version and what is reserved are zero there too.
    if (message) t.equal(hexOf(serialise(message)), hexOf(bytes), message.type)
  }
})

t.test('the minor version of 1588-2019 is tolerated', async t => {
  const message = parse(changed(packet('sync'), { 1: 0x12 }))
  t.equal(message?.header.minorVersion, 1)
  t.equal(message?.header.flags, Flag.twoStep)
})

t.test('version 1 is not ours', async t => {
  t.equal(versionOneSync.byteLength, 124)
  t.equal(parse(versionOneSync), null)
})

t.test('what is torn, too long for itself, or has a second of nanoseconds is null', async t => {
  const sync = packet('sync')
  for (let length = 0; length < sync.byteLength; length++)
    t.equal(parse(sync.subarray(0, length)), null)
  t.equal(parse(changed(sync, { 3: 45 })), null, 'says it is longer than it is')
  t.equal(parse(changed(sync, { 3: 43 })), null, 'says it is shorter than a Sync')
  const followUp = packet('followUp')
  t.equal(parse(changed(followUp, { 40: 0x3b, 41: 0x9a, 42: 0xca, 43: 0 })), null)
  t.ok(parse(changed(followUp, { 40: 0x3b, 41: 0x9a, 42: 0xc9, 43: 0xff })))
  for (const type of [2, 3, 10, 4, 15])
    t.equal(parse(changed(sync, { 0: type })), null, `type ${type}`)
})

t.test(
  'a part that reaches past the end makes the whole void, and so do too many parts',
  async t => {
    const bytes = new Uint8Array(64 + 4 + 2)
    bytes.set(packet('announce'))
    bytes.set([0, 70], 2)
    bytes.set([0x00, 0x08, 0, 2, 7, 9], 64)
    const message = parse(bytes)
    t.match(message?.tlvs, [{ type: 8, value: Uint8Array.of(7, 9) }])
    t.equal(parse(changed(bytes, { 67: 3 })), null)
    t.equal(parse(changed(bytes, { 67: 1 })), null, 'one byte is left, which is no part')
    const many = new Uint8Array(64 + 17 * 4)
    many.set(packet('announce'))
    many.set([0, many.byteLength], 2)
    t.equal(parse(many), null)
  },
)

t.test('bytes behind the message are not looked at', async t => {
  const padded = new Uint8Array(60).fill(0xee)
  padded.set(packet('sync'))
  t.same(parse(padded), parse(packet('sync')))
})

t.test('moments that no 48 bits hold are written as the nearest', async t => {
  const message = parse(packet('followUp'))
  if (message?.type !== 'follow-up') throw new Error('a Follow_Up')
  const written = (originNs: bigint): Message | null => parse(serialise({ ...message, originNs }))
  t.match(written(-5n), { originNs: 0n })
  t.match(written(1n << 90n), { originNs: (1n << 48n) * 1_000_000_000n - 1n })
})

t.test('the identity of a clock is its hardware address with ff fe in the middle', async t => {
  t.equal(clockIdentity(Uint8Array.of(0x3e, 0xe5, 0x58, 0x4d, 0xad, 0x8a)), PTP4L)
})

const PACKETS = 1_000_000

t.test(
  'a million packets of noise never make it throw, and what is read is written and read the same',
  async t => {
    const random = randomFrom(20_080)
    let readCount = 0
    let differing = 0
    for (let count = 0; count < PACKETS; count++) {
      const bytes = mutated(random)
      const message = parse(bytes)
      if (message === null) continue
      readCount++
      // Comparing all of them deeply would take a minute.
      if (count % 20 > 0) continue
      const again = parse(serialise(message))
      if (!isSame(message, again)) differing++
    }
    t.equal(differing, 0)
    t.ok(readCount > PACKETS / 10, `${readCount} were messages: the noise is not only refused`)
    t.ok(readCount < (PACKETS * 9) / 10, 'and not only accepted')
  },
)

function mutated(random: () => number): Uint8Array {
  if (random() < 0.2) return Uint8Array.from({ length: random() * 128 }, () => random() * 256)
  const bytes = everyPacket[Math.floor(random() * everyPacket.length)]?.slice() ?? new Uint8Array()
  for (let times = random() * 6; times > 0; times--)
    bytes[Math.floor(random() * bytes.length)] = random() * 256
  if (random() < 0.2) return bytes.subarray(0, random() * bytes.length)
  return bytes
}

const isSame = (one: Message, other: Message | null): boolean => plain(one) === plain(other)

const plain = (message: Message | null): string =>
  JSON.stringify(message, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
