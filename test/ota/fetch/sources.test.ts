/** How several sources are used at once, and what a fetch thinks of those that disappoint it. */
import t from 'tap'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { wait } from '../../../runtime/core/wait.js'
import type { PieceSource } from '../../../runtime/ports/piece-source.js'
import { randomObject } from './objects.js'
import { codeOf, isRight, Setting, sourceOf } from './setting.js'

const test = randomObject(40 * PIECE_BYTES + 1)

/** Counts what is under way with it at once. */
const counted = (source: PieceSource, counts: { now: number; most: number; asked: number }) => ({
  name: source.name,
  kind: source.kind,
  ask: (...words: Parameters<PieceSource['ask']>) => {
    counts.asked++
    counts.most = Math.max(counts.most, ++counts.now)
    const transfer = source.ask(...words)
    const done = transfer.done.finally(() => counts.now--)
    return { ...transfer, done }
  },
})

const failing = (name: string, error: BoxError): PieceSource => ({
  name,
  kind: 'uplink',
  ask: () => ({ done: Promise.reject(error), cancel: () => {} }),
})
const absent = (name: string): PieceSource => failing(name, new BoxError('fetch.absent', '404'))

t.test('a source that is another object each time is asked no more for it', async t => {
  const setting = new Setting(test)
  const counts = { now: 0, most: 0, asked: 0 }
  setting.remake = () => [counted({ ...setting.venue.hub('box'), kind: 'folder' }, counts)]
  t.ok(await isRight((await setting.fetch(setting.shelf()))?.fetched, test))
  t.equal(counts.most, 1)
})

t.test('mirrors share the uplink, and the first is asked while it gives', async t => {
  const setting = new Setting(test)
  const counts = { now: 0, most: 0, asked: 0 }
  const later = { now: 0, most: 0, asked: 0 }
  const mirrors = [1, 2, 3].map(number => setting.venue.hub('box', `mirror-${number}`))
  const [first, ...others] = mirrors.map(mirror => counted(mirror, counts))
  if (!first) throw new Error('three mirrors')
  setting.sources = [first, ...others.map(other => counted(other, later))]
  t.ok(await isRight((await setting.fetch(setting.shelf()))?.fetched, test))
  t.same([counts.most, later.asked], [2, 0])
})

t.test('an uplink too slow for two at once gives all of it all the same', async t => {
  const small = randomObject(17 * PIECE_BYTES, 3)
  const setting = new Setting(small)
  let freeMs = 0
  const hub: PieceSource = {
    name: 'hub',
    kind: 'uplink',
    ask: ({ from, to }, take) => {
      let isOver = false
      const carry = async (): Promise<void> => {
        for (let at = from; at < to && !isOver; at += 4_096) {
          const nowMs = setting.clock.monotonicMs()
          freeMs = Math.max(nowMs, freeMs) + (4_096 * 1000) / 6_000
          await wait(setting.clock, freeMs - nowMs)
          if (isOver || !(await take(at, small.bytes.slice(at, Math.min(at + 4_096, to))))) return
        }
      }
      const cancel = (): void => {
        isOver = true
      }
      return { done: carry(), cancel }
    },
  }
  setting.sources = [hub]
  setting.options = { ...setting.options, giveUpMs: 150_000 }
  t.ok(await isRight((await setting.fetch(setting.shelf(), 900))?.fetched, small))
})

t.test('a link that breaks after each piece is not left alone for longer and longer', async t => {
  const setting = new Setting(test)
  setting.sources = [
    {
      name: 'hub',
      kind: 'uplink',
      ask: ({ from }, take) => {
        const carry = async (): Promise<void> => {
          await take(from, test.bytes.slice(from, from + PIECE_BYTES + 99))
          throw new BoxError('link.down', 'a reset')
        }
        return { done: carry(), cancel: () => {} }
      },
    },
  ]
  t.ok(await isRight((await setting.fetch(setting.shelf()))?.fetched, test))
  t.ok(setting.clock.monotonicMs() < 30_000, `${setting.clock.monotonicMs()} ms`)
})

t.test('what nobody has is told soon; what nobody can be asked for, is waited for', async t => {
  const setting = new Setting(test)
  setting.options = { ...setting.options, giveUpMs: 600_000 }
  const stick: PieceSource = { ...failing('stick', new BoxError('link.down', '')), kind: 'folder' }
  setting.sources = [stick, absent('hub'), absent('mirror')]
  t.equal(codeOf(await setting.fetch(setting.shelf())), 'fetch.absent')
  t.ok(setting.clock.monotonicMs() < 100_000, `${setting.clock.monotonicMs()} ms`)
  setting.sources = [absent('hub'), failing('mirror', new BoxError('link.down', 'no way'))]
  t.equal(codeOf(await setting.fetch(setting.shelf(), 700)), 'fetch.unavailable')
  setting.sources = [absent('hub')]
  setting.options = { ...setting.options, mayUseUplink: () => false }
  t.equal(codeOf(await setting.fetch(setting.shelf(), 700)), 'fetch.unavailable')
})

t.test('a mirror with a rotten copy of one object is believed of the next', async t => {
  const setting = new Setting(test)
  setting.isOneFetcher = true
  setting.options = { ...setting.options, giveUpMs: 3_600_000 }
  const other = randomObject(PIECE_BYTES, 9)
  const hub = { isRotten: true, of: test.bytes }
  setting.sources = [
    sourceOf('hub', 'uplink', (at, to) => ({
      at,
      bytes: hub.isRotten ? new Uint8Array(to - at) : hub.of.slice(at, to),
    })),
  ]
  const shelf = setting.shelf()
  t.equal(codeOf(await setting.fetch(shelf, 4_000)), 'fetch.unavailable')
  const beginMs = setting.clock.monotonicMs()
  Object.assign(hub, { isRotten: false, of: other.bytes })
  const outcome = await setting.fetch(shelf, 60, () => false, other)
  t.ok(await isRight(outcome?.fetched, other))
  t.ok(setting.clock.monotonicMs() - beginMs <= 2_000)
})

t.test('two boxes that are asked for the same give each what the other has not', async t => {
  const setting = new Setting(test)
  const counts = { now: 0, most: 0, asked: 0 }
  const slow = (name: string): PieceSource => ({
    name,
    kind: 'peer',
    ask: ({ from, to }, take) => {
      const carry = async (): Promise<void> => {
        await wait(setting.clock, 100)
        await take(from, test.bytes.slice(from, to))
      }
      return { done: carry(), cancel: () => {} }
    },
  })
  setting.sources = ['box-2', 'box-3'].map(name => counted(slow(name), counts))
  const outcome = await setting.fetch(setting.shelf())
  t.ok(await isRight(outcome?.fetched, test))
  t.equal(counts.most, 4)
  t.equal(outcome?.progress?.wastedByteCount, 0)
})
