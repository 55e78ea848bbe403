import t from 'tap'
import { randomFrom } from '../../../../runtime/core/random.js'
import { after, monotonicMs as at } from '../../../../runtime/core/time.js'
import {
  type NtpPacket,
  parse,
  referenceOf,
  serialise,
} from '../../../../runtime/services/clock/wall/ntp-packet.js'
import { NtpSource, type Verdict } from '../../../../runtime/services/clock/wall/ntp-source.js'
import { stampOf } from '../../../../runtime/services/clock/wall/ntp-time.js'

type Moment = ReturnType<typeof at>

const FLOOR_MS = Date.UTC(2026, 10, 22)
const NOW_MS = FLOOR_MS + 1_000_000
const FUZZED = 100_000

class Rig {
  readonly random = randomFrom(3)
  #nonce = 0x1000n
  now: Moment = at(0)
  readonly source = new NtpSource(
    { host: 'time.example.org', address: '192.0.2.1', pollMin: 6, pollMax: 10 },
    at(0),
    () => (this.#nonce += 2n),
    this.random,
  )

  /** Asks when it is time to. */
  ask(): NtpPacket {
    const { nextPollAt } = this.source
    if (nextPollAt === null) throw new Error('it wants to be asked never again')
    this.now = nextPollAt
    const asked = parse(this.source.ask(this.now))
    if (asked === null) throw new Error('no question')
    return asked
  }

  /** A good answer that took 20 ms, from a server that is as far ahead as said; parts of it may be otherwise. */
  answer(asked: NtpPacket, changes: Partial<NtpPacket> = {}, aheadMs = 0, tookMs = 20): Verdict {
    const middleMs = NOW_MS + this.now + aheadMs + tookMs / 2
    this.now = after(this.now, tookMs)
    const packet: NtpPacket = {
      leap: 0,
      version: 4,
      mode: 4,
      stratum: 2,
      poll: 6,
      precision: -23,
      rootDelayMs: 5,
      rootDispersionMs: 1,
      referenceId: 1,
      reference: stampOf(NOW_MS),
      origin: asked.transmit,
      receive: stampOf(middleMs),
      transmit: stampOf(middleMs),
      ...changes,
    }
    return this.source.receive(serialise(packet), this.now, FLOOR_MS)
  }
}

t.test('a question tells nothing of the box', async t => {
  const asked = new Rig().ask()
  t.match(asked, { mode: 3, version: 4, stratum: 0, reference: 0n, receive: 0n, origin: 0n })
  t.not(asked.transmit, 0n)
})

t.test('an answer tells how the server is ahead, and how long the way is', async t => {
  const rig = new Rig()
  t.equal(rig.answer(rig.ask(), {}, 7), 'sample')
  const heard = rig.source.heardAt(rig.now)
  t.ok(Math.abs((heard?.best.differenceMs ?? 0) - NOW_MS - 7) < 0.01)
  t.ok(Math.abs((heard?.best.delayMs ?? 0) - 20) < 0.01)
  t.match(heard, { stratum: 2, leap: 0, host: 'time.example.org' })
})

t.test('what was not asked for is no answer', async t => {
  const table: [string, Partial<NtpPacket>][] = [
    ['to another question', { origin: 5n }],
    ['to none', { origin: 0n }],
    ['a question itself', { mode: 3 }],
    ['a broadcast', { mode: 5 }],
    ['a control message', { mode: 6 }],
  ]
  for (const [name, changes] of table) {
    const rig = new Rig()
    t.equal(rig.answer(rig.ask(), changes), 'stray', name)
    t.equal(rig.source.heardAt(rig.now), null)
  }
  const late = new Rig()
  t.equal(late.answer(late.ask(), {}, 0, 6_000), 'stray', 'after five seconds')
})

t.test('a second answer to one question is none', async t => {
  const rig = new Rig()
  const asked = rig.ask()
  t.equal(rig.answer(asked), 'sample')
  t.equal(rig.answer(asked, {}, 9_000), 'stray')
})

t.test('a server without time, or that says nonsense, is not used', async t => {
  const table: [string, Partial<NtpPacket>, Verdict][] = [
    ['leap 3', { leap: 3 }, 'unusable'],
    ['stratum 16', { stratum: 16 }, 'unusable'],
    ['no date', { transmit: 0n }, 'unusable'],
    ['no arrival', { receive: 0n }, 'unusable'],
    ['it left before it came', { receive: stampOf(NOW_MS + 5_000) }, 'unusable'],
    ['seventeen seconds of doubt', { rootDispersionMs: 17_000 }, 'unusable'],
    ['INIT', { stratum: 0, leap: 3, referenceId: referenceOf('INIT') }, 'unusable'],
    ['1970', { receive: stampOf(1_000), transmit: stampOf(1_000) }, 'past'],
  ]
  for (const [name, changes, verdict] of table) {
    const rig = new Rig()
    rig.answer(rig.ask())
    t.equal(rig.answer(rig.ask(), changes), verdict, name)
    t.equal(rig.source.heardAt(rig.now), null, 'and what it said before counts no more')
  }
})

t.test('a server that took longer than the whole exchange is not used', async t => {
  const rig = new Rig()
  const asked = rig.ask()
  const receive = stampOf(NOW_MS + rig.now - 500)
  t.equal(rig.answer(asked, { receive }), 'unusable')
})

t.test('it is asked four times at once, and then no more often than is allowed', async t => {
  const rig = new Rig()
  const pausesMs: number[] = []
  let last = rig.now
  for (let count = 0; count < 80; count++) {
    const asked = rig.ask()
    pausesMs.push(rig.now - last)
    last = rig.now
    rig.answer(asked)
  }
  t.ok(pausesMs.slice(1, 4).every(ms => ms === 2_000))
  t.ok(pausesMs.slice(4).every(ms => ms >= 64_000))
  t.ok((pausesMs.at(-1) ?? 0) >= 1_024_000, 'steady servers are asked seldom')
})

t.test('one that is silent is asked more and more seldom, and counts no more', async t => {
  const rig = new Rig()
  rig.answer(rig.ask())
  for (let count = 0; count < 8; count++) rig.ask()
  t.equal(rig.source.heardAt(rig.now), null)
  t.notOk(rig.source.isReachable)
  for (let count = 0; count < 8; count++) rig.ask()
  t.ok((rig.source.nextPollAt ?? 0) - rig.now >= 1_024_000)
})

t.test('RATE makes the pauses longer each time, for good', async t => {
  const rig = new Rig()
  const kiss = { stratum: 0, leap: 3 as const, referenceId: referenceOf('RATE') }
  t.equal(rig.answer(rig.ask(), kiss), 'rate')
  t.ok((rig.source.nextPollAt ?? 0) - rig.now >= 128_000)
  t.equal(rig.answer(rig.ask(), kiss), 'rate')
  t.ok((rig.source.nextPollAt ?? 0) - rig.now >= 256_000)
  rig.answer(rig.ask())
  t.ok((rig.source.nextPollAt ?? 0) - rig.now >= 250_000, 'an answer does not shorten them')
})

t.test('DENY and RSTR end it, but only from whom was asked', async t => {
  for (const code of ['DENY', 'RSTR']) {
    const rig = new Rig()
    const kiss = { stratum: 0, leap: 3 as const, referenceId: referenceOf(code) }
    t.equal(rig.answer(rig.ask(), { ...kiss, origin: 77n }), 'stray', 'somebody else says so')
    t.not(rig.source.nextPollAt, null)
    t.equal(rig.answer(rig.ask(), kiss), 'denied')
    t.equal(rig.source.nextPollAt, null)
  }
})

t.test('whatever comes, nothing is thrown, and nothing but an answer is taken', async t => {
  const rig = new Rig()
  const asked = serialise(rig.ask())
  const random = randomFrom(17)
  let samples = 0
  for (let count = 0; count < FUZZED; count++) {
    const bytes = Uint8Array.from(asked)
    for (let change = 0; change < 6; change++)
      bytes[Math.floor(random() * 48)] = Math.floor(random() * 256)
    if (rig.source.receive(bytes, rig.now, FLOOR_MS) === 'sample') samples++
  }
  t.equal(samples, 0)
})
