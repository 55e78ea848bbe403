import t from 'tap'
import type { FetchedObject } from '../../../ota/fetch/fetched-object.js'
import { ROOM_LEFT_BYTES } from '../../../ota/fetch/shelf.js'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { wait } from '../../../runtime/core/wait.js'
import type { PieceSource } from '../../../runtime/ports/piece-source.js'
import { objectOf, randomObject } from './objects.js'
import { codeOf, isRight, Setting, sourceOf } from './setting.js'

const test = randomObject(9 * PIECE_BYTES + 1)

const right = (fetched: FetchedObject | null | undefined): Promise<boolean> =>
  isRight(fetched, test)

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
    t.ok(await right(second?.fetched), `cut after ${calls} calls`)
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
    t.ok(await right(second?.fetched))
    t.equal(second?.progress?.uplinkByteCount, PIECE_BYTES)
  },
)

t.test('a mirror with wrong bytes costs one run, and is left alone for a while', async t => {
  const setting = new Setting(test)
  const bad = sourceOf('bad', 'uplink', (at, to) => ({ at, bytes: new Uint8Array(to - at) }))
  setting.sources = [bad, setting.venue.hub('box')]
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await right(outcome?.fetched))
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
  t.ok(await right(outcome?.fetched))
  t.ok((outcome?.progress?.wastedByteCount ?? 0) >= PIECE_BYTES)
})

t.test('a source without ranges is taken as it is, and asked once', async t => {
  const setting = new Setting(test)
  const whole = sourceOf('old', 'uplink', () => ({ at: 0, bytes: test.bytes }))
  setting.sources = [whole]
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await right(outcome?.fetched))
  t.equal(whole.asked, 1)
  t.equal(outcome?.progress?.wastedByteCount, 0)
})

t.test('a stick comes first, and what it lacks comes over the uplink', async t => {
  const setting = new Setting(test)
  const half = 4 * PIECE_BYTES
  const stick = sourceOf('stick', 'folder', (at, to) => honest(at, Math.min(to, half)))
  setting.sources = [setting.venue.hub('box'), stick]
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await right(outcome?.fetched))
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
  t.ok(await right((await setting.fetch(setting.shelf()))?.fetched))
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
  t.ok(await right((await setting.fetch(setting.shelf()))?.fetched))
})

t.test('the limit of the uplink is kept', async t => {
  const setting = new Setting(test)
  setting.options = { ...setting.options, bytesPerSecond: () => 100_000 }
  const outcome = await setting.fetch(setting.shelf())
  const seconds = setting.clock.monotonicMs() / 1000
  t.ok(await right(outcome?.fetched))
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
  t.ok(await right((await setting.fetch(setting.shelf()))?.fetched))
})

t.test('a disk without room is told before a byte is fetched', async t => {
  const setting = new Setting(test)
  setting.disk.roomByteCount = test.bytes.length + ROOM_LEFT_BYTES - 1
  t.equal(codeOf(await setting.fetch(setting.shelf())), 'storage.full')
  t.equal(setting.venue.uplinkByteCount, 0)
  setting.disk.roomByteCount++
  t.ok(await right((await setting.fetch(setting.shelf()))?.fetched))
})

t.test('a disk that fails in the middle ends the fetch, and blames nobody', async t => {
  const setting = new Setting(test)
  const shelf = setting.shelf()
  setting.disk.fault = 'storage.full'
  t.equal(codeOf(await setting.fetch(shelf)), 'storage.full')
  setting.disk.fault = null
  t.ok(await right((await setting.fetch(shelf))?.fetched))
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
  const { sha256, byteCount } = test.object
  t.same(await shelf.heldByteCounts([sha256]), { wanted: byteCount, others: 0 })
  t.same(await shelf.heldByteCounts([]), { wanted: 0, others: byteCount })
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
