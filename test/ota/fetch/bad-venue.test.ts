/** What venues do to boxes that fetch together: long outages, boxes without an address, words that somebody made up. */
import t from 'tap'
import { LEASE_MS } from '../../../ota/fetch/neighbourhood.js'
import { type PeerWord, readWord, wordBytes } from '../../../ota/fetch/peer-word.js'
import { randomObject } from './objects.js'
import { fastVenue, type SimulatedBox, SimulatedFetchers } from './simulated-venue.js'

const test = randomObject(3 * 1024 * 1024, 4)
const HOUR_MS = 60 * 60_000

async function venueOf(count: number, seed: number): Promise<SimulatedFetchers> {
  const fetchers = new SimulatedFetchers(test, seed, fastVenue)
  for (let number = 1; number <= count; number++) await fetchers.add(`box-${number}`)
  return fetchers
}

const claims = ({ log }: SimulatedBox): number =>
  log.events().filter(event => event === 'fetch.claimed').length

t.test('after an uplink that was down for long, one box fetches for all', async t => {
  const fetchers = await venueOf(2, 2)
  fetchers.venue.isUplinkUp = false
  for (const box of fetchers.boxes) fetchers.fetch(box, HOUR_MS)
  for (let minute = 0; minute < 20; minute++) await fetchers.clock.advance(60_000)
  for (const box of fetchers.boxes) t.ok(claims(box) >= 2, 'they have tried in turn')
  fetchers.venue.isUplinkUp = true
  fetchers.venue.conditions = { ...fastVenue, uplinkBytesPerSecond: 20_000 }
  t.ok(await fetchers.untilAllHaveIt(600))
  // Of twelve pieces two may be under way twice when one of two lets go.
  t.ok(fetchers.uplinkShare <= 1.2, `${fetchers.uplinkShare} of one box`)
})

t.test('nobody waits for a box from which nothing can be got', async t => {
  const fetchers = await venueOf(3, 5)
  const [mute, ...others] = fetchers.boxes
  if (!mute) throw new Error('three boxes')
  fetchers.venue.setAddressed(mute.name, false)
  fetchers.venue.conditions = { ...fastVenue, uplinkBytesPerSecond: 20_000 }
  fetchers.fetch(mute)
  await fetchers.until(() => claims(mute) > 0, 30)
  for (const box of others) fetchers.fetch(box)
  await fetchers.until(() => others.some(box => claims(box) > 0), 30)
  t.equal(others.filter(box => claims(box) > 0).length, 1, 'one of the others fetches for both')
  fetchers.venue.setAddressed(mute.name, true)
  await fetchers.clock.advance(LEASE_MS)
  t.equal(
    fetchers.boxes.filter(({ progress }) => (progress?.uplinkByteCount ?? 0) > 0).length,
    2,
    'with an address it is one of them',
  )
  t.ok(await fetchers.untilAllHaveIt(600))
  t.ok(fetchers.uplinkShare <= 1.6, `${fetchers.uplinkShare} of one box`)
})

t.test('a word with the highest term of all does not end what boxes do together', async t => {
  const fetchers = await venueOf(3, 6)
  const { sha256 } = test.object
  const object: PeerWord['objects'][number] = {
    sha256,
    pieceCount: test.object.byteCount / test.object.pieceByteCount,
    pieces: 'AAA=',
    isWanted: true,
    mayUseUplink: true,
    claim: 1_000_000,
  }
  const word = (sequence: number): Uint8Array =>
    wordBytes({ format: 1, sequence, addresses: ['http://10.0.0.9:8000'], objects: [object] })
  for (const box of fetchers.boxes) fetchers.fetch(box)
  for (let sequence = 0; sequence < 30; sequence++) {
    fetchers.venue.tell('nobody', word(sequence))
    await fetchers.clock.advance(5_000)
  }
  t.ok(readWord(word(1)), 'it is a word')
  t.ok(await fetchers.untilAllHaveIt(60), 'it has held them up for two minutes, and no longer')
  t.ok(fetchers.uplinkShare <= 1.1, `${fetchers.uplinkShare} of one box`)
})
