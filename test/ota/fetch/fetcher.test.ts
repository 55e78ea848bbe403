import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedVenueOfPieces } from '../../../drivers/simulated/piece-network.js'
import { SimulatedPieceDisk } from '../../../drivers/simulated/piece-store.js'
import type { FetchProgress } from '../../../ota/fetch/fetch-progress.js'
import type { FetchedObject } from '../../../ota/fetch/fetched-object.js'
import { Fetcher, type FetcherOptions } from '../../../ota/fetch/fetcher.js'
import { ROOM_LEFT_BYTES, Shelf } from '../../../ota/fetch/shelf.js'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { wait } from '../../../runtime/core/wait.js'
import type { PieceSource } from '../../../runtime/ports/piece-source.js'
import { objectOf, randomObject, type TestObject } from './objects.js'
import { fastVenue } from './simulated-venue.js'

const test = randomObject(9 * PIECE_BYTES + 1)

interface Outcome {
  readonly fetched: FetchedObject | null
  readonly error: unknown
  readonly progress: FetchProgress | null
}

class Setting {
  readonly clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  readonly log = new SimulatedLog()
  readonly disk: SimulatedPieceDisk
  readonly venue: SimulatedVenueOfPieces
  readonly of: TestObject
  sources: readonly PieceSource[]
  options: FetcherOptions = {
    seed: 1,
    bytesPerSecond: () => null,
    mayUseUplink: () => true,
    giveUpMs: 60_000,
  }

  constructor(of: TestObject, seed = 1) {
    const random = randomFrom(seed)
    this.of = of
    this.disk = new SimulatedPieceDisk(random)
    this.venue = new SimulatedVenueOfPieces(this.clock, random, fastVenue)
    this.venue.publish(of.object.sha256, of.bytes)
    this.sources = [this.venue.hub('box')]
  }

  shelf(callsUntilPowerCut = Number.POSITIVE_INFINITY): Shelf {
    return new Shelf(this.disk.boot({ callsUntilPowerCut }), new SimulatedKeys(randomFrom(1)))
  }

  /** Null when it has not ended in so long. */
  async fetch(
    shelf: Shelf,
    secondsMax = 600,
    isCancelled: () => boolean = () => false,
  ): Promise<Outcome | null> {
    const { clock, log } = this
    const ports = { clock, log, shelf, sources: () => this.sources, neighbours: null }
    let progress: FetchProgress | null = null
    const told = (last: FetchProgress): void => {
      progress = last
    }
    const call = { progress: told, isCancelled }
    const outcome: { ended: Outcome | null } = { ended: null }
    new Fetcher(ports, this.options).fetch(this.of.object, call).then(
      fetched => {
        outcome.ended = { fetched, error: null, progress }
      },
      (error: unknown) => {
        outcome.ended = { fetched: null, error, progress }
      },
    )
    for (let second = 0; second < secondsMax && outcome.ended === null; second++)
      await clock.advance(1_000)
    return outcome.ended
  }
}

async function isRight(fetched: FetchedObject | null | undefined, of = test): Promise<boolean> {
  const bytes = new Uint8Array(of.bytes.length + 1)
  const byteCount = (await fetched?.read(0, bytes)) ?? 0
  return Buffer.compare(bytes.subarray(0, byteCount), of.bytes) === 0
}

const codeOf = (outcome: Outcome | null): string | null =>
  outcome?.error instanceof BoxError ? outcome.error.code : null

/** A source that brings what a function says of each byte of the object, in one go. */
const sourceOf = (
  name: string,
  kind: PieceSource['kind'],
  give: (at: number, to: number) => { at: number; bytes: Uint8Array },
): PieceSource & { asked: number; byteCount: number } => {
  const source = {
    name,
    kind,
    asked: 0,
    byteCount: 0,
    ask: ({ from, to }: { from: number; to: number }, take: Parameters<PieceSource['ask']>[1]) => {
      source.asked++
      const given = give(from, to)
      source.byteCount += given.bytes.length
      const carry = async (): Promise<void> => {
        for (let at = 0; at < given.bytes.length; at += 50_000)
          if (!(await take(given.at + at, given.bytes.slice(at, at + 50_000)))) return
      }
      return { done: carry(), cancel: () => {} }
    },
  }
  return source
}

const honest = (at: number, to: number): { at: number; bytes: Uint8Array } => ({
  at,
  bytes: test.bytes.slice(at, to),
})

t.test('a power cut at every call of the disk costs at most what was not synced', async t => {
  let [cuts, resumed, lost] = [0, 0, 0]
  for (let calls = 0; ; calls++) {
    const setting = new Setting(test, calls + 1)
    const first = await setting.fetch(setting.shelf(calls), 30)
    if (first?.fetched) break
    cuts++
    setting.clock.forget()
    setting.disk.cutPower()
    const safe = piecesIn(setting.disk.safeBytesOf(test.object.sha256))
    const second = await setting.fetch(setting.shelf())
    t.ok(await isRight(second?.fetched), `cut after ${calls} calls`)
    const came = second?.progress?.uplinkByteCount ?? 0
    t.ok(came <= test.bytes.length - safe * PIECE_BYTES + PIECE_BYTES, `${came} with ${safe} safe`)
    if (safe >= 4) resumed++
    lost += setting.disk.lostBlocks + setting.disk.tornBlocks
  }
  t.ok(cuts > 15 && resumed > 5 && lost > 20, `${cuts} cuts, ${resumed} resumed, ${lost} lost`)
})

function piecesIn(bytes: Uint8Array): number {
  let count = 0
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const right = test.bytes.subarray(at, at + PIECE_BYTES)
    if (Buffer.compare(bytes.subarray(at, at + right.length), right) === 0) count++
  }
  return count
}

t.test(
  'a piece that rots on the disk is found when it is read, and fetched again alone',
  async t => {
    const setting = new Setting(test)
    const shelf = setting.shelf()
    const first = await setting.fetch(shelf)
    setting.disk.rot(test.object.sha256, 3 * PIECE_BYTES + 5)
    const into = new Uint8Array(10)
    t.equal(await first?.fetched?.read(0, into), 10)
    await t.rejects(async () => first?.fetched?.read(3 * PIECE_BYTES, into), {
      code: 'storage.rotten',
    })
    const second = await setting.fetch(shelf)
    t.ok(await isRight(second?.fetched))
    t.equal(second?.progress?.uplinkByteCount, PIECE_BYTES)
  },
)

t.test('a mirror with wrong bytes costs one run, and is left alone for a while', async t => {
  const setting = new Setting(test)
  const bad = sourceOf('bad', 'uplink', (at, to) => ({ at, bytes: new Uint8Array(to - at) }))
  setting.sources = [bad, setting.venue.hub('box')]
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await isRight(outcome?.fetched))
  t.equal(bad.asked, 1)
  t.ok(setting.log.events().includes('fetch.lie'))
})

t.test('one wrong byte in one piece is found', async t => {
  const setting = new Setting(test)
  const once = { isLeft: true }
  setting.sources = [
    sourceOf('mirror', 'uplink', (at, to) => {
      const bytes = test.bytes.slice(at, to)
      if (once.isLeft && at === 0)
        bytes[4 * PIECE_BYTES + 9] = (bytes[4 * PIECE_BYTES + 9] ?? 0) ^ 1
      once.isLeft = false
      return { at, bytes }
    }),
  ]
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await isRight(outcome?.fetched))
  t.ok((outcome?.progress?.wastedByteCount ?? 0) >= PIECE_BYTES)
})

t.test('a source without ranges is taken as it is, and asked once', async t => {
  const setting = new Setting(test)
  const whole = sourceOf('old', 'uplink', () => ({ at: 0, bytes: test.bytes }))
  setting.sources = [whole]
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await isRight(outcome?.fetched))
  t.equal(whole.asked, 1)
  t.equal(outcome?.progress?.wastedByteCount, 0)
})

t.test('a stick comes first, and what it lacks comes over the uplink', async t => {
  const setting = new Setting(test)
  const half = 4 * PIECE_BYTES
  const stick = sourceOf('stick', 'folder', (at, to) => honest(at, Math.min(to, half)))
  setting.sources = [setting.venue.hub('box'), stick]
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await isRight(outcome?.fetched))
  t.equal(outcome?.progress?.folderByteCount, half)
  t.equal(outcome?.progress?.uplinkByteCount, test.bytes.length - half)
})

t.test('nobody who brings nothing, or nothing useful, holds up a fetch for ever', async t => {
  const setting = new Setting(test)
  const mute = sourceOf('mute', 'uplink', at => ({ at, bytes: new Uint8Array() }))
  const elsewhere = sourceOf('elsewhere', 'uplink', at => ({
    at: at + 1,
    bytes: new Uint8Array(9),
  }))
  const silent: PieceSource = {
    name: 'silent',
    kind: 'uplink',
    ask: () => ({ done: new Promise(() => {}), cancel: () => {} }),
  }
  setting.sources = [mute, elsewhere, silent]
  const outcome = await setting.fetch(setting.shelf())
  t.equal(codeOf(outcome), 'fetch.unavailable')
  t.ok(mute.asked > 3 && mute.asked < 15, `asked ${mute.asked} times`)
  setting.sources = [mute, silent, setting.venue.hub('box')]
  t.ok(await isRight((await setting.fetch(setting.shelf()))?.fetched))
})

t.test('a drip of bytes is cut off', async t => {
  const setting = new Setting(test)
  let dripped = 0
  const drip: PieceSource = {
    name: 'drip',
    kind: 'uplink',
    ask: ({ from }, take) => {
      const carry = async (): Promise<void> => {
        for (let at = from; ; at++) {
          await wait(setting.clock, 5_000)
          if (!(await take(at, test.bytes.slice(at, at + 1)))) return
          dripped++
        }
      }
      return { done: carry(), cancel: () => {} }
    },
  }
  setting.sources = [drip]
  setting.options = { ...setting.options, giveUpMs: 200_000 }
  t.equal(codeOf(await setting.fetch(setting.shelf())), 'fetch.unavailable')
  t.ok(dripped > 10 && dripped < 100, `${dripped} bytes`)
  setting.sources = [drip, setting.venue.hub('box')]
  t.ok(await isRight((await setting.fetch(setting.shelf()))?.fetched))
})

t.test('the limit of the uplink is kept', async t => {
  const setting = new Setting(test)
  setting.options = { ...setting.options, bytesPerSecond: () => 100_000 }
  const outcome = await setting.fetch(setting.shelf())
  const seconds = setting.clock.monotonicMs() / 1000
  t.ok(await isRight(outcome?.fetched))
  t.ok(seconds > 22 && seconds < 27, `${seconds} s`)
})

t.test('a metered uplink is not used, and a fetch that is called off ends', async t => {
  const setting = new Setting(test)
  const state = { may: false, isCancelled: false }
  setting.options = { ...setting.options, mayUseUplink: () => state.may }
  t.equal(codeOf(await setting.fetch(setting.shelf())), 'fetch.unavailable')
  t.equal(setting.venue.uplinkByteCount, 0)
  t.equal(codeOf(await setting.fetch(setting.shelf(), 5, () => true)), 'fetch.cancelled')
  state.may = true
  t.ok(await isRight((await setting.fetch(setting.shelf()))?.fetched))
})

t.test('a disk without room is told before a byte is fetched', async t => {
  const setting = new Setting(test)
  setting.disk.roomByteCount = test.bytes.length + ROOM_LEFT_BYTES - 1
  t.equal(codeOf(await setting.fetch(setting.shelf())), 'storage.full')
  t.equal(setting.venue.uplinkByteCount, 0)
  setting.disk.roomByteCount++
  t.ok(await isRight((await setting.fetch(setting.shelf()))?.fetched))
})

t.test('a disk that fails in the middle ends the fetch, and blames nobody', async t => {
  const setting = new Setting(test)
  const shelf = setting.shelf()
  setting.disk.fault = 'storage.full'
  t.equal(codeOf(await setting.fetch(shelf)), 'storage.full')
  setting.disk.fault = null
  t.ok(await isRight((await setting.fetch(shelf))?.fetched))
})

t.test('an object whose pieces and hash do not fit is refused', async t => {
  const other = objectOf(test.bytes.slice(0, 5))
  const short = { ...test, object: { ...test.object, pieces: other.object.pieces } }
  t.equal(codeOf(await new Setting(short).fetch(new Setting(short).shelf())), 'fetch.invalid')
  const setting = new Setting({ ...test, object: { ...test.object, sha256: other.object.sha256 } })
  setting.sources = [sourceOf('mirror', 'uplink', honest)]
  t.equal(codeOf(await setting.fetch(setting.shelf())), 'fetch.invalid')
})

t.test('a restart believes nothing that it has not hashed again', async t => {
  const setting = new Setting(test)
  await setting.fetch(setting.shelf())
  setting.disk.rot(test.object.sha256, 3 * PIECE_BYTES + 5)
  const { have, list } = await setting.shelf().open(test.object)
  t.equal(have.has(3), false)
  t.equal(have.size, list.count - 1)
})

t.test('what is no longer wanted is removed', async t => {
  const setting = new Setting(test)
  const shelf = setting.shelf()
  await setting.fetch(shelf)
  await shelf.keepOnly([test.object.sha256])
  t.equal(shelf.find(test.object.sha256)?.have.isFull, true)
  await shelf.keepOnly([])
  t.equal(shelf.find(test.object.sha256), null)
  t.equal(setting.disk.safeBytesOf(test.object.sha256).length, 0)
})

t.test('an empty read, one over pieces, and one over the end', async t => {
  const setting = new Setting(test)
  const fetched = (await setting.fetch(setting.shelf()))?.fetched
  t.equal(await fetched?.read(0, new Uint8Array()), 0)
  const over = new Uint8Array(3 * PIECE_BYTES)
  t.equal(await fetched?.read(PIECE_BYTES - 3, over), over.length)
  t.ok(Buffer.compare(over, test.bytes.subarray(PIECE_BYTES - 3, 4 * PIECE_BYTES - 3)) === 0)
  t.equal(await fetched?.read(test.bytes.length - 2, over), 2)
  t.equal(await fetched?.read(test.bytes.length, over), 0)
})
