import t from 'tap'
import { randomFrom } from '../../../../runtime/core/random.js'
import {
  type NtpPacket,
  PACKET_BYTES,
  parse,
  referenceOf,
  referenceText,
  serialise,
} from '../../../../runtime/services/clock/wall/ntp-packet.js'

const FUZZED = 1_000_000

/** What chronyd 4.3 with `local stratum 10` answered to a question whose stamp was 0123456789abcdef. */
const fromChrony = Buffer.from(
  '240a06e700000000000000007f7f0101eeadb5aa9f6003d40123456789abcdefeeadb5ac866a93a3eeadb5ac86725978',
  'hex',
)

const sample: NtpPacket = {
  leap: 1,
  version: 4,
  mode: 4,
  stratum: 2,
  poll: 6,
  precision: -23,
  rootDelayMs: 12.5,
  rootDispersionMs: 0.75,
  referenceId: 0x0a4d0001,
  reference: 0x1122_3344_5566_7788n,
  origin: 0xffff_ffff_ffff_ffffn,
  receive: 1n,
  transmit: 0x8000_0000_0000_0000n,
}

t.test('fields stand where figure 8 has them', async t => {
  t.match(parse(fromChrony), {
    leap: 0,
    version: 4,
    mode: 4,
    stratum: 10,
    poll: 6,
    precision: -25,
    referenceId: 0x7f7f0101,
    reference: 0xeeadb5aa9f6003d4n,
    origin: 0x0123456789abcdefn,
    receive: 0xeeadb5ac866a93a3n,
    transmit: 0xeeadb5ac86725978n,
  })
})

t.test('what was written is read again', async t => {
  const bytes = serialise(sample)
  t.equal(bytes.byteLength, PACKET_BYTES)
  const read = parse(bytes)
  t.match(read, { ...sample, rootDelayMs: Number, rootDispersionMs: Number })
  t.ok(Math.abs((read?.rootDelayMs ?? 0) - 12.5) < 0.016)
  t.ok(Math.abs((read?.rootDispersionMs ?? 0) - 0.75) < 0.016)
})

t.test('a bound is never told too small, and one that does not fit is the greatest', async t => {
  for (const ms of [0.001, 0.01, 1, 333.333, 1_000])
    t.ok(
      (parse(serialise({ ...sample, rootDispersionMs: ms }))?.rootDispersionMs ?? 0) >= ms,
      `${ms}`,
    )
  const beyond = parse(serialise({ ...sample, rootDispersionMs: 1e12, rootDelayMs: -5 }))
  t.ok((beyond?.rootDispersionMs ?? 0) > 65_535_000)
  t.equal(beyond?.rootDelayMs, 0)
})

t.test('what is too short, or of no version, is no packet', async t => {
  t.equal(parse(new Uint8Array(0)), null)
  t.equal(parse(serialise(sample).slice(0, 47)), null)
  t.equal(parse(new Uint8Array(48)), null)
})

t.test('a packet is read from the middle of a buffer', async t => {
  const around = new Uint8Array(100)
  around.set(serialise(sample), 13)
  t.equal(parse(around.subarray(13, 61))?.transmit, sample.transmit)
})

t.test('a million packets of chance are read without a throw, and mean the same again', async t => {
  const random = randomFrom(5905)
  const bytes = new Uint8Array(60)
  let [readCount, wrongCount] = [0, 0]
  for (let count = 0; count < FUZZED; count++) {
    for (let at = 0; at < 4; at++) bytes[Math.floor(random() * 60)] = Math.floor(random() * 256)
    const packet = parse(bytes.subarray(0, Math.floor(40 + random() * 21)))
    if (packet === null) continue
    readCount++
    if (count % 16 !== 0) continue
    const again = parse(serialise(packet))
    if (again === null || again.transmit !== packet.transmit || again.stratum !== packet.stratum)
      wrongCount++
  }
  t.ok(readCount > FUZZED / 4, `${readCount} were packets`)
  t.equal(wrongCount, 0)
})

t.test('identifiers are letters of a clock, or the address that is followed', async t => {
  t.equal(referenceText(referenceOf('LOCL'), 1), 'LOCL')
  t.equal(referenceText(referenceOf('GPS'), 1), 'GPS')
  t.equal(referenceText(referenceOf('RATE'), 0), 'RATE')
  t.equal(referenceText(0x0a4d0001, 3), '10.77.0.1')
  t.equal(referenceText(0, 0), '0.0.0.0')
  t.equal(referenceText(0x01020304, 1), '1.2.3.4', 'what cannot be shown is shown as numbers')
})
