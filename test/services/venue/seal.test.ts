/** What is believed, and what is not. */
import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { SEAL_BYTES, Seal } from '../../../runtime/services/venue/seal.js'

const KEY = new Uint8Array(32).fill(1)
const hello = new TextEncoder().encode('hello')
const sealOf = (seed: number, key = KEY, venue = 'tour'): Seal =>
  new Seal(new SimulatedKeys(randomFrom(seed)), key, venue)

t.test('a message of the venue is opened, and names the session of its sender', async t => {
  const [one, other] = [sealOf(1), sealOf(2)]
  const opened = other.open(one.seal(hello))
  t.match(opened, { kind: 'opened', session: one.session })
  t.same(opened.kind === 'opened' && [...opened.body], [...hello])
})

t.test('the same message again is a replay, in whatever order they come', async t => {
  const [one, other] = [sealOf(1), sealOf(2)]
  const sent = Array.from({ length: 300 }, () => one.seal(hello))
  const mixed = [3, 1, 2, 0, 200, 199, 299].flatMap(index => sent[index] ?? [])
  t.same(
    mixed.map(datagram => other.open(datagram).kind),
    mixed.map(() => 'opened'),
  )
  t.same(
    mixed.map(datagram => other.open(datagram).kind),
    mixed.map(() => 'replayed'),
  )
  t.equal(other.open(sent[10] ?? hello).kind, 'replayed', 'too old to be told from one')
  t.equal(other.open(sent[250] ?? hello).kind, 'opened')
})

t.test('another key, another venue, any changed byte and any missing one are refused', async t => {
  const other = sealOf(2)
  t.equal(other.open(sealOf(1, new Uint8Array(32).fill(2)).seal(hello)).kind, 'other-key')
  t.equal(other.open(sealOf(1, KEY, 'other').seal(hello)).kind, 'other-key')
  const good = sealOf(1).seal(hello)
  for (let at = 0; at < good.length; at++) {
    const changed = Uint8Array.from(good)
    changed[at] = (changed[at] ?? 0) ^ 0x10
    t.equal(other.open(changed).kind, at < 4 ? 'forged' : 'other-key', `byte ${at}`)
  }
  for (let length = 0; length < good.length; length++)
    t.equal(
      other.open(good.subarray(0, length)).kind,
      length <= SEAL_BYTES ? 'forged' : 'other-key',
    )
  t.equal(other.open(good).kind, 'opened')
})

t.test('what a box hears of itself is nothing new', async t => {
  const one = sealOf(1)
  t.equal(one.open(one.seal(hello)).kind, 'own')
})

t.test('a hundred thousand mutated datagrams open nothing and throw nothing', async t => {
  const random = randomFrom(5)
  const [one, other] = [sealOf(1), sealOf(2)]
  const sealed = one.seal(new Uint8Array(300).map((_, at) => at))
  let openedCount = 0
  for (let round = 0; round < 100_000; round++) {
    const mutated = sealed.slice(
      0,
      random() < 0.2 ? Math.floor(random() * sealed.length) : undefined,
    )
    for (let change = 1 + Math.floor(random() * 3); change > 0 && mutated.length > 0; change--) {
      const at = Math.floor(random() * Math.min(mutated.length, SEAL_BYTES + 20))
      mutated[at] = ((mutated[at] ?? 0) + 1 + Math.floor(random() * 254)) % 256
    }
    const isSame =
      mutated.length === sealed.length && mutated.every((byte, at) => byte === sealed[at])
    if (!isSame && other.open(mutated).kind === 'opened') openedCount++
  }
  t.equal(openedCount, 0)
})
