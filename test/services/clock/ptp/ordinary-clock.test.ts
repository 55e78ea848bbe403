import t from 'tap'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { Flag } from '../../../../runtime/services/clock/ptp/message.js'
import { serialise } from '../../../../runtime/services/clock/ptp/serialise.js'
import { versionOneSync } from './packets.js'
import {
  announce,
  delayResponse,
  HIGHER,
  header,
  LOWER,
  OWN,
  PortRig,
  showAt,
  timed,
} from './port-rig.js'

const OWN_PORT = { clock: OWN, port: 1 }
const better = { grandmaster: { clockClass: 6 } }
const worse = { grandmaster: { clockClass: 255 } }

t.test('who hears nobody listens for its time-out, then leads', async t => {
  const rig = new PortRig()
  rig.pass(2999)
  t.same(rig.states, ['listening'])
  rig.pass(4001)
  t.same(rig.states, ['listening', 'pre-master', 'master'])
})

t.test('who may only follow never leads', async t => {
  const rig = new PortRig({ isSlaveOnly: true })
  rig.pass(60_000)
  t.same(rig.states, ['listening'])
  rig.follow(HIGHER, worse)
  t.equal(rig.clock.state, 'uncalibrated')
  rig.pass(120_000)
  t.equal(rig.clock.state, 'listening')
})

t.test('who hears somebody worse twice leads at once, somebody better twice follows', async t => {
  const leader = new PortRig()
  leader.follow(HIGHER, worse)
  leader.pass(600)
  t.same(leader.states, ['listening', 'pre-master', 'master'])
  const follower = new PortRig()
  follower.follow(HIGHER, better)
  t.same(follower.states, ['listening', 'uncalibrated'])
  t.same(follower.parents, [HIGHER])
})

t.test(
  'a clock that claims the time is passive beside a better one, and follows once it claims nothing',
  async t => {
    const rig = new PortRig({ quality: { clockClass: 14, accuracy: 0x21, variance: 0 } })
    rig.pass(5000)
    rig.follow(HIGHER, { grandmaster: { clockClass: 13 } })
    t.equal(rig.clock.state, 'passive')
    const quality = { clockClass: 248, accuracy: 0xfe, variance: 0xffff }
    rig.take(rig.clock.setQuality(quality, monotonicMs(rig.nowMs)))
    t.equal(rig.clock.state, 'uncalibrated')
  },
)

t.test(
  'a master announces itself and sends its time in two steps, each at its interval',
  async t => {
    const rig = new PortRig()
    rig.pass(10_000)
    const announces = rig.sentOf('announce')
    const syncs = rig.sentOf('sync')
    t.ok(announces.length >= 6 && announces.length <= 8)
    t.equal(syncs.length, announces.length)
    t.same(
      announces.map(one => one.header.sequenceId),
      announces.map((_, index) => index),
    )
    t.match(announces[0], {
      header: { domain: 42, source: OWN_PORT, logInterval: 0 },
      grandmaster: { identity: OWN, clockClass: 248 },
      stepsRemoved: 0,
    })
    t.ok(syncs.every(({ header: { flags } }) => flags === Flag.twoStep))
    const { token, port, address } = rig.lastSend('sync')
    t.same({ port, address }, { port: 'event', address: null })
    rig.departed(token ?? 0, 9_999.5)
    t.match(rig.sentOf('follow-up').at(-1), {
      originNs: showAt(9_999.5),
      header: { sequenceId: syncs.at(-1)?.header.sequenceId },
    })
    rig.departed(token ?? 0, 9_999.5)
    t.equal(rig.sentOf('follow-up').length, 1, 'told twice, it is followed up once')
  },
)

t.test('a master that has slept leaves out what it slept through', async t => {
  const rig = new PortRig()
  rig.pass(5000)
  const before = rig.sent.length
  rig.nowMs = 60_000
  rig.pass(60_000)
  t.ok(rig.sent.length - before <= 2)
})

t.test(
  'a request is answered with the moment it came, to the group or to whom asked alone',
  async t => {
    const rig = new PortRig()
    rig.pass(5000)
    rig.hear(timed('delay-request', HIGHER, 77, 0n, { correctionScaled: 3n << 16n }))
    const response = rig.sentOf('delay-response').at(-1)
    t.match(response, {
      receivedNs: showAt(5000),
      requester: { clock: HIGHER, port: 1 },
      header: { sequenceId: 77, correctionScaled: 3n << 16n, logInterval: 0 },
    })
    t.equal(rig.lastSend('delay-response').address, null)
    t.ok(rig.clock.isFollowed)
    rig.hear(timed('delay-request', HIGHER, 78, 0n, { flags: Flag.unicast }), { from: '10.0.0.9' })
    t.equal(rig.lastSend('delay-response').address, '10.0.0.9')
    t.match(rig.sentOf('delay-response').at(-1), {
      header: { flags: Flag.unicast, logInterval: 0x7f },
    })
  },
)

/** A port that follows, has heard one Sync and sent one request. */
function asked(changes: ConstructorParameters<typeof PortRig>[0] = {}): PortRig {
  const rig = new PortRig(changes)
  rig.follow(HIGHER, better)
  rig.nowMs = 1000
  rig.hear(timed('sync', HIGHER, 5, 0n))
  rig.hear(timed('follow-up', HIGHER, 5, 900_000_000n))
  rig.pass(2500)
  return rig
}

/** Answers the last request so that the way takes a tenth of a millisecond. */
function answer(rig: PortRig, changes: { clock?: string; more?: number } = {}): void {
  const { token } = rig.lastSend('delay-request')
  const request = rig.sentOf('delay-request').at(-1)
  const sentMs = rig.sent.filter(({ message }) => message === request).at(-1)?.atMs ?? 0
  if (token !== null) rig.departed(token, sentMs)
  const receivedNs = 900_000_000n + BigInt(Math.round((sentMs - 1000 + 0.2) * 1e6))
  const sequenceId = (request?.header.sequenceId ?? 0) + (changes.more ?? 0)
  rig.hear(delayResponse(changes.clock ?? HIGHER, sequenceId, receivedNs, OWN_PORT))
}

t.test('four moments make an exchange', async t => {
  const rig = asked()
  t.match(rig.sentOf('delay-request')[0], { header: { logInterval: 0x7f, flags: 0 } })
  answer(rig)
  t.equal(rig.exchanges.length, 1)
  const [exchange] = rig.exchanges
  t.equal(exchange?.syncSentNs, 900_000_000n)
  t.equal(exchange?.syncReceived, 1000)
  answer(rig)
  t.equal(rig.exchanges.length, 1, 'an answer counts once')
})

t.test(
  'after four exchanges the master counts as followed, and no longer when they stop',
  async t => {
    const rig = asked()
    let sequenceId = 102
    for (let turn = 0; turn < 40 && rig.clock.state !== 'slave'; turn++) {
      rig.hear(announce(HIGHER, sequenceId++, better))
      const before = rig.sentOf('delay-request').length
      rig.hear(timed('sync', HIGHER, 20 + turn, 0n))
      const sentNs = 900_000_000n + BigInt(Math.round((rig.nowMs - 1000) * 1e6))
      rig.hear(timed('follow-up', HIGHER, 20 + turn, sentNs))
      rig.pass(rig.nowMs + 1000)
      if (rig.sentOf('delay-request').length > before) answer(rig)
    }
    t.equal(rig.clock.state, 'slave')
    t.ok(rig.exchanges.length >= 4)
    const silentFrom = rig.nowMs
    while (rig.nowMs < silentFrom + 9000) {
      rig.hear(announce(HIGHER, sequenceId++, better))
      rig.pass(rig.nowMs + 1000)
    }
    t.equal(rig.clock.state, 'uncalibrated', 'it still announces itself, and nothing more')
  },
)

t.test('a Follow_Up may overtake its Sync, and corrections are added', async t => {
  const rig = new PortRig()
  rig.follow(HIGHER, better)
  rig.nowMs = 1000
  rig.hear(timed('follow-up', HIGHER, 5, 900_000_000n, { correctionScaled: 7n << 16n }))
  rig.hear(timed('sync', HIGHER, 5, 0n, { correctionScaled: 5n << 16n, flags: Flag.twoStep }))
  rig.pass(2500)
  answer(rig)
  t.equal(rig.exchanges[0]?.syncSentNs, 900_000_012n)
})

t.test(
  'a Sync that comes twice counts by its first arrival, one that was overtaken not at all',
  async t => {
    const rig = new PortRig()
    rig.follow(HIGHER, better)
    rig.nowMs = 1000
    for (const sequenceId of [5, 5, 4]) {
      rig.hear(timed('sync', HIGHER, sequenceId, 0n))
      rig.hear(timed('follow-up', HIGHER, sequenceId, 900_000_000n))
      rig.nowMs += 50
    }
    rig.pass(2500)
    answer(rig)
    t.equal(rig.exchanges[0]?.syncReceived, 1000)
  },
)

t.test('a Sync of one step needs no Follow_Up', async t => {
  const rig = new PortRig()
  rig.follow(HIGHER, better)
  rig.nowMs = 1000
  rig.hear(timed('sync', HIGHER, 5, 900_000_000n, { flags: 0 }))
  rig.pass(2500)
  answer(rig)
  t.equal(rig.exchanges[0]?.syncSentNs, 900_000_000n)
})

t.test('an answer counts for its own request, of the own port, from the own master', async t => {
  const rig = asked()
  answer(rig, { clock: LOWER })
  answer(rig, { more: 1 })
  const request = rig.sentOf('delay-request').at(-1)
  const sequenceId = request?.header.sequenceId ?? 0
  rig.hear(delayResponse(HIGHER, sequenceId, 900_000_000n, { clock: OWN, port: 2 }))
  rig.hear(delayResponse(HIGHER, sequenceId, 900_000_000n, { clock: LOWER, port: 1 }))
  t.equal(rig.exchanges.length, 0)
  answer(rig)
  t.equal(rig.exchanges.length, 1)
})

t.test('the answer may come before the link tells when the request left', async t => {
  const rig = asked()
  const { token } = rig.lastSend('delay-request')
  const request = rig.sentOf('delay-request').at(-1)
  const sequenceId = request?.header.sequenceId ?? 0
  rig.hear(delayResponse(HIGHER, sequenceId, 2_400_200_000n, OWN_PORT))
  t.equal(rig.exchanges.length, 0)
  rig.departed(token ?? 0, 2499.9)
  t.equal(rig.exchanges[0]?.requestSent, 2499.9)
})

t.test('a way that would take less than nothing is refused', async t => {
  const rig = asked()
  const { token } = rig.lastSend('delay-request')
  const request = rig.sentOf('delay-request').at(-1)
  rig.departed(token ?? 0, 2500)
  rig.hear(delayResponse(HIGHER, request?.header.sequenceId ?? 0, 2_399_000_000n, OWN_PORT))
  t.equal(rig.exchanges.length, 0)
  t.equal(rig.clock.counts.refused, 1)
})

t.test('a correction that cannot be is refused with its message', async t => {
  const rig = new PortRig()
  rig.follow(HIGHER, better)
  rig.nowMs = 1000
  const tooBig = (1n << 63n) - 1n
  rig.hear(timed('sync', HIGHER, 5, 900_000_000n, { flags: 0, correctionScaled: tooBig }))
  rig.pass(2500)
  t.equal(rig.sentOf('delay-request').length, 0)
})

t.test(
  'the master is asked alone, and the group where the master does not answer that',
  async t => {
    const rig = new PortRig({ delayRequests: 'unicast' })
    rig.follow(HIGHER, better)
    let sequenceId = 102
    for (let turn = 0; turn < 20; turn++) {
      rig.hear(announce(HIGHER, sequenceId++, better))
      rig.hear(timed('sync', HIGHER, turn, 900_000_000n, { flags: 0 }))
      rig.pass(rig.nowMs + 1000)
    }
    const addresses = rig.sent
      .filter(({ message }) => message.type === 'delay-request')
      .map(({ send }) => send.address)
    t.same(addresses.slice(0, 4), Array(4).fill('10.0.0.1'))
    t.ok(addresses.length > 6)
    t.same(new Set(addresses.slice(4)), new Set([null]))
  },
)

t.test(
  'requests are spread at random around their interval, which the master may make longer',
  async t => {
    const gaps = (logInterval: number): number => {
      const rig = asked()
      const request = rig.sentOf('delay-request').at(-1)
      const last = request?.header.sequenceId ?? 0
      rig.hear(delayResponse(HIGHER, last, 2_400_200_000n, OWN_PORT, { logInterval }))
      const [fromMs, before] = [rig.nowMs, rig.sentOf('delay-request').length]
      let sequenceId = 102
      while (rig.nowMs < fromMs + 400_000) {
        rig.hear(announce(HIGHER, sequenceId++, better))
        rig.pass(rig.nowMs + 1000)
      }
      return 400_000 / (rig.sentOf('delay-request').length - before)
    }
    t.ok(Math.abs(gaps(0) - 1000) < 150)
    t.ok(Math.abs(gaps(3) - 8000) < 2500)
    t.ok(Math.abs(gaps(-5) - 1000) < 150, 'never shorter than the own')
    t.ok(Math.abs(gaps(0x7f) - 1000) < 150, 'no interval at all')
  },
)

t.test('whose master falls silent leads itself, and follows when a better one is back', async t => {
  const rig = new PortRig()
  rig.follow(HIGHER, better)
  rig.pass(3499)
  t.equal(rig.clock.state, 'uncalibrated')
  rig.pass(3600)
  t.equal(rig.clock.state, 'master')
  t.same(rig.parents, [HIGHER, null])
  rig.follow(HIGHER, better)
  t.equal(rig.clock.state, 'uncalibrated')
})

t.test('a better master than the one that is followed is followed instead', async t => {
  const rig = new PortRig()
  rig.follow(HIGHER, better)
  rig.follow(LOWER, better)
  t.same(rig.parents, [HIGHER, LOWER])
  t.same(rig.states, ['listening', 'uncalibrated'])
})

t.test('what the master tells anew of itself is passed on', async t => {
  const rig = new PortRig()
  rig.follow(HIGHER, better)
  rig.hear(announce(HIGHER, 102, better))
  t.equal(rig.parents.length, 1)
  rig.hear(announce(HIGHER, 103, { grandmaster: { clockClass: 7 } }))
  rig.hear(announce(HIGHER, 104, { grandmaster: { identity: LOWER, clockClass: 7 } }))
  t.same(rig.parents, [HIGHER, HIGHER, LOWER])
})

t.test(
  'what is not of this domain, of this profile or of another clock, or came by the wrong port, has no effect',
  async t => {
    const rig = new PortRig()
    const strangers = [
      { domain: 0 },
      { sdo: 1 },
      { flags: Flag.alternateMaster },
      { flags: Flag.unicast },
      { source: { clock: OWN, port: 9 } },
    ]
    for (const changes of strangers)
      for (const sequenceId of [1, 2, 3])
        rig.hear({
          ...announce(HIGHER, 0, better),
          header: header(HIGHER, { sequenceId, ...changes }),
        })
    for (const sequenceId of [1, 2, 3])
      rig.hear(announce(HIGHER, sequenceId, better), { port: 'event' })
    t.same(rig.states, ['listening'])
    t.equal(rig.clock.counts.masters, 0)
    rig.pass(5000)
    rig.hear(timed('delay-request', HIGHER, 1, 0n), { port: 'general' })
    t.equal(rig.sentOf('delay-response').length, 0)
  },
)

t.test('version 1 and noise are counted, and nothing more', async t => {
  const rig = new PortRig()
  for (const bytes of [versionOneSync, new Uint8Array(), new Uint8Array(2000).fill(0xff)])
    rig.take(
      rig.clock.receive({ bytes, at: monotonicMs(1), from: '10.6.6.6', port: 'event' }, showAt),
    )
  t.match(rig.clock.counts, { malformed: 2, otherVersion: 1, otherDomain: 0 })
  t.same(rig.states, ['listening'])
})

t.test('ten thousand masters at once neither grow the port nor make it stumble', async t => {
  const rig = new PortRig()
  for (let count = 0; count < 10_000; count++) {
    const clock = count.toString(16).padStart(16, 'b')
    for (const sequenceId of [1, 2]) rig.hear(announce(clock, sequenceId, worse))
  }
  t.ok(rig.clock.counts.masters <= 32)
  rig.pass(100)
  t.equal(rig.clock.state, 'master', 'all of them are worse')
})

t.test('a grandmaster that is not believed is left at once', async t => {
  const rig = new PortRig()
  rig.follow(HIGHER, better)
  rig.take(rig.clock.distrust(HIGHER, monotonicMs(60_000), monotonicMs(rig.nowMs)))
  rig.follow(HIGHER, better)
  rig.pass(rig.nowMs + 10)
  t.equal(rig.clock.state, 'master')
})

t.test('a lost link stops everything until it is back', async t => {
  const rig = new PortRig()
  rig.pass(5000)
  rig.take(rig.clock.fail())
  const before = rig.sent.length
  rig.pass(20_000)
  rig.follow(HIGHER, better)
  t.equal(rig.sent.length, before)
  t.equal(rig.clock.state, 'faulty')
  t.equal(rig.clock.nextTickAt, null)
  rig.take(rig.clock.start(monotonicMs(rig.nowMs)))
  rig.pass(rig.nowMs + 5000)
  t.equal(rig.clock.state, 'master')
})

t.test('a request in flight when the master changes counts for nobody', async t => {
  const rig = asked()
  rig.follow(LOWER, better)
  answer(rig)
  t.equal(rig.exchanges.length, 0)
})

t.test('messages are read as bytes of any view', async t => {
  const rig = new PortRig()
  const bytes = serialise(announce(HIGHER, 1, better))
  const wide = new Uint8Array(bytes.byteLength + 7)
  wide.set(bytes, 3)
  const packet = {
    bytes: wide.subarray(3, 3 + bytes.byteLength),
    at: monotonicMs(1),
    from: 'x',
    port: 'general',
  } as const
  rig.take(rig.clock.receive(packet, showAt))
  t.equal(rig.clock.counts.masters, 1)
})
