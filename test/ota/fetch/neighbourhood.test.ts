import t from 'tap'
import { type CandidatesAsk, LEASE_MS, Neighbourhood } from '../../../ota/fetch/neighbourhood.js'
import { type PeerWord, readWord, wordBytes } from '../../../ota/fetch/peer-word.js'
import { PieceAssembly } from '../../../ota/fetch/piece-assembly.js'
import { PieceList } from '../../../ota/fetch/piece-list.js'
import { PieceSet } from '../../../ota/fetch/piece-set.js'
import { deafMs, judged, newStanding } from '../../../ota/fetch/standing.js'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { randomObject } from './objects.js'

const SHA = 'a'.repeat(64)
type WordObject = PeerWord['objects'][number]

const word = (sequence: number, more: Partial<WordObject> = {}): Uint8Array =>
  wordBytes({
    format: 1,
    sequence,
    addresses: ['http://10.0.0.1:8000'],
    objects: [
      {
        sha256: SHA,
        pieceCount: 10,
        pieces: '*',
        isWanted: true,
        mayUseUplink: true,
        claim: 0,
        ...more,
      },
    ],
  })
const askAt = (nowMs: number): CandidatesAsk => ({
  own: 'own',
  rankOf: box => box,
  isReachable: (_, addresses) => addresses.length > 0,
  nowMs,
})

t.test('a set of pieces is told and read again, and nothing else is read', async t => {
  const random = randomFrom(3)
  for (let count = 1; count < 200; count += 7) {
    const set = new PieceSet(count)
    for (let index = 0; index < count; index++) if (random() < 0.5) set.add(index)
    const again = PieceSet.fromText(set.toText(), count)
    t.same(
      [...Array(count).keys()].filter(i => again?.has(i)),
      [...Array(count).keys()].filter(i => set.has(i)),
    )
    t.equal(again?.size, set.size)
  }
  t.equal(PieceSet.fromText('*', 33)?.size, 33)
  for (const bad of ['AAAA', '', '!', 'A']) t.equal(PieceSet.fromText(bad, 10), null, bad)
  t.equal(PieceSet.fromText('//8=', 10)?.size, 10, 'bits beyond the last piece are none')
})

t.test('a word counts until its lease ends, and a kept one is no sign of life', async t => {
  const neighbourhood = new Neighbourhood()
  const holders = (nowMs: number): number => neighbourhood.holders(SHA, 10, nowMs).length
  neighbourhood.hear('b', word(1), 0)
  t.equal(holders(LEASE_MS), 1)
  t.equal(holders(LEASE_MS + 1), 0)
  neighbourhood.hear('b', word(1), LEASE_MS)
  t.equal(holders(LEASE_MS + 1), 0, 'the same word again')
  neighbourhood.hear('b', word(2), LEASE_MS)
  t.equal(holders(LEASE_MS + 1), 1)
  t.equal(neighbourhood.holders(SHA, 11, LEASE_MS).length, 0, 'another count of pieces')
  neighbourhood.avoid('b', LEASE_MS + 100, LEASE_MS)
  t.equal(holders(LEASE_MS + 99), 0)
  t.equal(holders(LEASE_MS + 100), 1)
  neighbourhood.hear('b', null, LEASE_MS + 100)
  t.equal(holders(LEASE_MS + 100), 0)
})

t.test('a claim over and over again without a piece gains no time', async t => {
  const neighbourhood = new Neighbourhood()
  for (let sequence = 0; sequence < 20; sequence++)
    neighbourhood.hear('b', word(sequence, { pieces: 'AAA=', claim: sequence }), sequence * 5_000)
  const [claimant] = neighbourhood.candidates(SHA, askAt(95_000))
  t.ok(claimant === undefined || claimant.gainedMs <= 10_000, JSON.stringify(claimant))
})

t.test('who claims for nothing is believed while this box does no better', async t => {
  const heardOf = (ownClaims: number): number => {
    const neighbourhood = new Neighbourhood()
    for (let claim = 1; claim <= 2; claim++) {
      const beginMs = claim * 300_000
      neighbourhood.hear('b', word(claim, { pieces: 'AAA=', claim }), beginMs)
      const own = { box: 'own', rank: '', isWanting: true, mayUseUplink: true, gainedMs: 0 }
      if (claim <= ownClaims) neighbourhood.noteIfStalled({ ...own, claim }, SHA, beginMs)
      for (let sequence = 0; sequence < 15; sequence++) {
        const nowMs = beginMs + 10_000 * (sequence + 1)
        neighbourhood.hear('b', word(100 * claim + sequence, { pieces: 'AAA=', claim }), nowMs)
        neighbourhood.candidates(SHA, askAt(nowMs))
      }
    }
    return neighbourhood.candidates(SHA, askAt(750_000)).length
  }
  t.same([heardOf(0), heardOf(1)], [0, 1])
})

t.test('what is no word is counted and changes nothing', async t => {
  const neighbourhood = new Neighbourhood()
  const right = new TextDecoder().decode(word(1))
  const bad = [
    '',
    'x',
    '{}',
    '[]',
    'null',
    right.replace('"format":1', '"format":2'),
    right.slice(0, -1),
    right.replace('10,', '-1,'),
    `${right}${' '.repeat(70_000)}`,
  ]
  for (const text of bad) neighbourhood.hear('b', new TextEncoder().encode(text), 0)
  t.equal(neighbourhood.unreadable, bad.length)
  t.same(neighbourhood.candidates(SHA, askAt(0)), [])
  t.ok(readWord(new TextEncoder().encode(right)))
  for (let box = 0; box < 200; box++) neighbourhood.hear(`box-${box}`, word(1), 0)
  t.equal(neighbourhood.holders(SHA, 10, 0).length, 64, 'a broker full of boxes')
})

t.test('boxes that are gone make room, and lies of long ago do, too', async t => {
  const neighbourhood = new Neighbourhood()
  for (let box = 0; box < 64; box++) {
    neighbourhood.hear(`old-${box}`, word(1), 0)
    neighbourhood.avoid(`old-${box}`, 1_000, 0)
  }
  neighbourhood.hear('new', word(1), LEASE_MS)
  t.equal(neighbourhood.holders(SHA, 10, LEASE_MS).length, 64, 'who is there is not pushed out')
  neighbourhood.hear('new', word(2), LEASE_MS + 1)
  neighbourhood.avoid('new', LEASE_MS + 100, LEASE_MS + 1)
  t.same(neighbourhood.holders(SHA, 10, LEASE_MS + 99), [])
  t.match(neighbourhood.holders(SHA, 10, LEASE_MS + 100), [{ box: 'new' }])
})

t.test('a flood of words is looked at in part, and farewells always', async t => {
  const neighbourhood = new Neighbourhood()
  const long = `${new TextDecoder().decode(word(1))}${' '.repeat(60_000)}`
  for (let count = 0; count < 1_000; count++)
    neighbourhood.hear('flood', new TextEncoder().encode(long), 0)
  t.ok(neighbourhood.unreadable > 900, `${neighbourhood.unreadable} not looked at`)
  neighbourhood.hear('b', word(1), 0)
  neighbourhood.hear('flood', null, 0)
  t.match(
    neighbourhood.holders(SHA, 10, 0).map(({ box }) => box),
    ['b'],
    'a short one is still affordable',
  )
})

t.test('pieces are put together from parts of any size', async t => {
  const test = randomObject(3 * PIECE_BYTES + 5, 4)
  const random = randomFrom(5)
  const assembly = new PieceAssembly(new PieceList(test.object))
  const found: number[] = []
  // In the middle of the first piece: that one will never be whole.
  for (let at = 100; at < test.bytes.length; ) {
    const part = test.bytes.subarray(at, at + 1 + Math.floor(random() * 2 * PIECE_BYTES))
    for (const { index, bytes } of assembly.take(at, part)) {
      found.push(index)
      t.ok(
        Buffer.compare(
          bytes,
          test.bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
        ) === 0,
      )
    }
    at += part.length
  }
  t.same(found, [1, 2, 3])
  t.same([...assembly.take(test.bytes.length, Uint8Array.of(1))], [])
})

t.test('a source is left alone the longer the more it fails, and a lying box for long', async t => {
  const fail = (times: number, chance: number): number => {
    let standing = newStanding
    for (let count = 0; count < times; count++)
      standing = judged(standing, 'failed', { kind: 'uplink', nowMs: 0, chance })
    return standing.pausedUntilMs
  }
  t.same(
    [1, 2, 3, 20].map(times => fail(times, 1)),
    [500, 1_000, 2_000, 60_000],
  )
  t.equal(fail(1, 0), 250)
  const context = { kind: 'peer', nowMs: 0, chance: 0 } as const
  const liar = judged(newStanding, 'lied', context)
  t.equal(liar.pausedUntilMs, 3_600_000)
  t.equal(deafMs(liar), 3_600_000)
  const forgiven = judged(judged(newStanding, 'failed', context), 'gave', context)
  t.equal(forgiven.failures, 0)
  t.equal(deafMs(forgiven), 0)
  const mirror = judged(newStanding, 'lied', { ...context, kind: 'uplink' })
  t.ok(mirror.pausedUntilMs < 60_000)
})
