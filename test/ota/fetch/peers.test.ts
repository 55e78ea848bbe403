import t, { type Test } from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import { randomObject, type TestObject } from './objects.js'
import { fastVenue, type SimulatedBox, SimulatedFetchers } from './simulated-venue.js'

const MEBIBYTE = 1024 * 1024
const test = randomObject(6 * MEBIBYTE + 12_345)
/** What a fetcher has in its hands when it dies: two pieces under way, two that nobody has taken yet. */
const UNTOLD = (4 * 262_144) / test.bytes.length
const five = ['box-1', 'box-2', 'box-3', 'box-4', 'box-5']

async function venueOf(
  names: readonly string[],
  seed: number,
  conditions = fastVenue,
): Promise<SimulatedFetchers> {
  const fetchers = new SimulatedFetchers(test, seed, conditions)
  for (const name of names) await fetchers.add(name)
  return fetchers
}

t.test('one box fetches alone, and its object is right', async t => {
  const fetchers = await venueOf(['box-1'], 1)
  const [box] = fetchers.boxes
  if (!box) throw new Error('no box')
  fetchers.fetch(box)
  t.ok(await fetchers.untilAllHaveIt(120))
  const bytes = new Uint8Array(test.bytes.length)
  t.equal(await box.fetched?.read(0, bytes), bytes.length)
  t.ok(Buffer.compare(bytes, test.bytes) === 0)
  t.equal(fetchers.uplinkShare, 1)
})

t.test('five boxes take little more over the uplink than one', async t => {
  for (const seed of [1, 2]) {
    const fetchers = await venueOf(five, seed)
    for (const box of fetchers.boxes) fetchers.fetch(box)
    const isDone = await fetchers.untilAllHaveIt(300)
    t.ok(isDone, `seed ${seed}: all have it`)
    t.ok(fetchers.uplinkShare <= 1.1, `seed ${seed}: ${fetchers.uplinkShare} of one box`)
  }
})

t.test('so they do with loss, and come to the same bytes', async t => {
  const fetchers = await venueOf(five, 4, { ...fastVenue, loss: 0.03 })
  for (const box of fetchers.boxes) fetchers.fetch(box)
  t.ok(await fetchers.untilAllHaveIt(600))
  // What a reset cuts off in the middle of a piece comes twice.
  t.ok(fetchers.uplinkShare <= 1.25, `${fetchers.uplinkShare} of one box`)
  for (const { fetched } of fetchers.boxes) {
    const bytes = new Uint8Array(test.bytes.length)
    await fetched?.read(0, bytes)
    t.ok(Buffer.compare(bytes, test.bytes) === 0)
  }
})

t.test('when the fetcher dies half-way, another goes on where it was', async t => {
  const fetchers = await venueOf(five, 5)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  const claimant = await claimantOf(fetchers)
  t.ok(await fetchers.until(() => (claimant.progress?.haveByteCount ?? 0) > test.bytes.length / 2))
  fetchers.kill(claimant)
  t.ok(await fetchers.untilAllHaveIt(300), 'the others have it')
  t.ok(fetchers.uplinkShare <= 1 + UNTOLD, `${fetchers.uplinkShare} of one box`)
  await fetchers.revive(claimant)
  fetchers.fetch(claimant)
  t.ok(await fetchers.untilAllHaveIt(300), 'it comes back and gets the rest from the others')
  t.ok(fetchers.uplinkShare <= 1 + UNTOLD, `${fetchers.uplinkShare} of one box`)
})

t.test('a fetcher that comes upon a metered link hands over', async t => {
  const fetchers = await venueOf(five, 6)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  const claimant = await claimantOf(fetchers)
  t.ok(await fetchers.until(() => (claimant.progress?.haveByteCount ?? 0) > test.bytes.length / 3))
  claimant.mayUseUplink = false
  t.ok(await fetchers.untilAllHaveIt(300), 'all have it, that box too')
  t.ok(fetchers.uplinkShare <= 1.15, `${fetchers.uplinkShare} of one box`)
  const last = claimant.progress
  t.ok((last?.peerByteCount ?? 0) > test.bytes.length / 3, 'it took the rest from the others')
})

t.test('a fetcher that is heard but brings nothing is taken over', async t => {
  const fetchers = await venueOf(five, 7)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  const claimant = await claimantOf(fetchers)
  // Its way to the hub alone is gone; the broker and the others are there.
  fetchers.venue.hangUplinkOf(claimant.name)
  t.ok(await fetchers.untilAllHaveIt(300))
  t.ok(fetchers.uplinkShare <= 1.15, `${fetchers.uplinkShare} of one box`)
})

t.test('a lying peer costs its pieces, and is then avoided', async t => {
  const fetchers = await venueOf(['box-1', 'box-2', 'box-3', 'box-4'], 8)
  const liar = await fetchers.add('box-5', { isLiar: true })
  fetchers.fetch(liar)
  t.ok(await fetchers.until(() => liar.fetched !== null))
  const before = fetchers.venue.uplinkByteCount
  const honest = fetchers.boxes.filter(box => box !== liar)
  for (const box of honest) fetchers.fetch(box)
  t.ok(await fetchers.untilAllHaveIt(300), 'everybody has it in spite of the liar')
  const share = (fetchers.venue.uplinkByteCount - before) / test.bytes.length
  t.ok(share <= 1.1, `${share} of one box`)
  for (const { log, name, progress } of honest) {
    const lies = log.events().filter(event => event === 'fetch.lie').length
    t.ok(lies <= 2, `${name}: ${lies} lies`)
    t.ok((progress?.wastedByteCount ?? 0) <= 2 * 262_144, `${name}: ${progress?.wastedByteCount}`)
  }
  t.ok(honest.some(({ log }) => log.events().includes('fetch.lie')))
})

t.test('a venue that was split heals without fetching it all again', async t => {
  const fetchers = await venueOf(five, 9)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  const claimant = await claimantOf(fetchers)
  t.ok(await fetchers.until(() => (claimant.progress?.haveByteCount ?? 0) > test.bytes.length / 2))
  // Two boxes hear nobody; the LAN between the two is as cut.
  const [one, other] = fetchers.boxes.filter(box => box !== claimant)
  if (!one || !other) throw new Error('five boxes')
  fetchers.venue.setIsland(one.name, 1)
  fetchers.venue.setIsland(other.name, 2)
  await fetchers.clock.advance(10_000)
  fetchers.venue.setIsland(one.name, 0)
  fetchers.venue.setIsland(other.name, 0)
  t.ok(await fetchers.untilAllHaveIt(300))
  t.ok(fetchers.uplinkShare <= 1.1, `${fetchers.uplinkShare} of one box`)
})

t.test('without a broker each box fetches for itself', async t => {
  const fetchers = new SimulatedFetchers(test, 10)
  fetchers.venue.setBroker(false)
  for (const name of ['box-1', 'box-2']) await fetchers.add(name)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  t.ok(await fetchers.untilAllHaveIt(120))
  t.equal(fetchers.uplinkShare, 2)
})

t.test('when the broker dies for good, each box ends by itself', async t => {
  const fetchers = await venueOf(five, 11)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  const claimant = await claimantOf(fetchers)
  t.ok(await fetchers.until(() => (claimant.progress?.haveByteCount ?? 0) > test.bytes.length / 2))
  fetchers.venue.setBroker(false)
  t.ok(await fetchers.untilAllHaveIt(600))
  t.ok(fetchers.uplinkShare < 4, `${fetchers.uplinkShare} of one box`)
})

t.test('who comes late gets all of it from the others', async t => {
  const fetchers = await venueOf(['box-1', 'box-2'], 12)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  t.ok(await fetchers.untilAllHaveIt(120))
  const late = await fetchers.add('box-3')
  late.mayUseUplink = false
  fetchers.fetch(late)
  t.ok(await fetchers.untilAllHaveIt(120))
  t.equal(late.progress?.uplinkByteCount, 0)
  t.equal(late.progress?.peerByteCount, test.bytes.length)
})

t.test('a box that gets an address late goes to those that it could not go to before', async t => {
  const fetchers = await venueOf(['box-1', 'box-2'], 13)
  for (const box of fetchers.boxes) fetchers.fetch(box)
  t.ok(await fetchers.untilAllHaveIt(120))
  fetchers.venue.setAddressed('box-3', false)
  const late = await fetchers.add('box-3')
  late.mayUseUplink = false
  fetchers.fetch(late)
  await fetchers.clock.advance(30_000)
  t.equal(late.progress?.haveByteCount ?? 0, 0)
  t.same(late.log.events('info'), ['peers.no-address'], 'told once')
  fetchers.venue.setAddressed('box-3', true)
  t.ok(await fetchers.untilAllHaveIt(120))
  t.equal(late.progress?.peerByteCount, test.bytes.length)
})

t.test('a storm of seeds: kills, islands, liars, and still everybody has it', async t => {
  const small = randomObject(2 * MEBIBYTE, 2)
  const reached = { kills: 0, islands: 0, lies: 0 }
  for (let seed = 100; seed < 106; seed++) await weather(t, small, seed, reached)
  t.ok(reached.kills > 10 && reached.islands > 10 && reached.lies > 3, JSON.stringify(reached))
})

interface Reached {
  kills: number
  islands: number
  lies: number
}

async function weather(t: Test, of: TestObject, seed: number, reached: Reached): Promise<void> {
  const random = randomFrom(seed)
  const slow = { ...fastVenue, uplinkBytesPerSecond: 100_000, loss: 0.02 }
  const fetchers = new SimulatedFetchers(of, seed, slow)
  for (const name of five) await fetchers.add(name, { isLiar: name === 'box-5' })
  for (const box of fetchers.boxes) fetchers.fetch(box)
  for (let second = 0; second < 30; second++) {
    await fetchers.clock.advance(1_000)
    await disturb(fetchers, random, reached)
  }
  for (const box of fetchers.boxes) {
    fetchers.venue.setIsland(box.name, 0)
    if (box.isDead) await restart(fetchers, box)
  }
  t.ok(await fetchers.untilAllHaveIt(900), `seed ${seed}`)
  for (const { fetched, isLiar, log } of fetchers.boxes) {
    const bytes = new Uint8Array(of.bytes.length)
    await fetched?.read(0, bytes)
    t.ok(isLiar || Buffer.compare(bytes, of.bytes) === 0)
    reached.lies += log.events().filter(event => event === 'fetch.lie').length
  }
}

async function restart(fetchers: SimulatedFetchers, box: SimulatedBox): Promise<void> {
  await fetchers.revive(box)
  fetchers.fetch(box)
}

async function disturb(
  fetchers: SimulatedFetchers,
  random: () => number,
  reached: Reached,
): Promise<void> {
  const box = fetchers.boxes[Math.floor(random() * fetchers.boxes.length)]
  const what = random()
  if (!box) return
  if (box.isDead) {
    if (what < 0.5) await restart(fetchers, box)
  } else if (what < 0.08) {
    fetchers.kill(box)
    reached.kills++
  } else if (what < 0.2) {
    fetchers.venue.setIsland(box.name, Math.floor(random() * 3))
    reached.islands++
  }
}

async function claimantOf(fetchers: SimulatedFetchers): Promise<SimulatedBox> {
  const claimed = (box: SimulatedBox): boolean => box.log.events().includes('fetch.claimed')
  await fetchers.until(() => fetchers.boxes.some(claimed), 30)
  const claimant = fetchers.boxes.find(claimed)
  if (!claimant) throw new Error('nobody has claimed')
  return claimant
}
