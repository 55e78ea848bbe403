import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { BoxError } from '../../runtime/core/errors.js'
import { monotonicMs, wallTimeMs } from '../../runtime/core/time.js'
import type { Files } from '../../runtime/ports/files.js'
import { readTimeline, showAtZero, Timeline } from '../../runtime/services/timeline.js'

const saved = { bootId: 'a', showAtZeroMs: 5_000_000, reachedShowMs: 5_090_000 }

function memory(): Files & { readonly bytes: Map<string, Uint8Array> } {
  const bytes = new Map<string, Uint8Array>()
  return {
    bytes,
    read: async name => bytes.get(name) ?? null,
    replace: async (name, content) => void bytes.set(name, content),
    remove: async name => void bytes.delete(name),
  }
}

const log = (lines: string[]) => ({
  info() {},
  warn: (event: string) => void lines.push(event),
  error() {},
})

t.test('a first start takes the timeline from the wall clock', async t => {
  const now = { bootId: 'a', monotonic: monotonicMs(100), wall: wallTimeMs(1_000_100) }
  t.equal(showAtZero(null, now), 1_000_000)
})

t.test('within one boot the timeline goes on exactly, whatever the wall clock did', async t => {
  const now = { bootId: 'a', monotonic: monotonicMs(95_000), wall: wallTimeMs(0) }
  t.equal(showAtZero(saved, now), 5_000_000)
})

t.test('after a reboot the wall clock tells how long the box was off', async t => {
  const now = { bootId: 'b', monotonic: monotonicMs(10), wall: wallTimeMs(5_100_010) }
  t.equal(showAtZero(saved, now), 5_100_000)
})

t.test('a wall clock that went backwards cannot turn the timeline back', async t => {
  const now = { bootId: 'b', monotonic: monotonicMs(10), wall: wallTimeMs(0) }
  t.equal(showAtZero(saved, now) + now.monotonic, saved.reachedShowMs)
})

t.test('what was saved is read back after a restart', async t => {
  const files = memory()
  const clock = new SimulatedClock({ showStartMs: 7000, driftPpm: 0 })
  const lines: string[] = []
  const timeline = new Timeline(clock, log(lines), files, { bootId: 'a' })
  await timeline.start()
  await clock.advance(60_500)
  t.same(await readTimeline(files, log(lines)), {
    bootId: 'a',
    showAtZeroMs: 7000,
    reachedShowMs: 67_000,
  })
  await timeline.stop()
  t.equal((await readTimeline(files, log(lines)))?.reachedShowMs, 67_500)
  t.same(lines, [])
})

t.test('a full disk is reported and stops nothing', async t => {
  const files: Files = {
    ...memory(),
    replace: () => Promise.reject(new BoxError('storage.full', 'no space')),
  }
  const lines: string[] = []
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const timeline = new Timeline(clock, log(lines), files, { bootId: 'a' })
  await timeline.start()
  await clock.advance(60_000)
  t.same(lines, ['timeline.not-saved', 'timeline.not-saved'])
})

t.test('a file that cannot be read is reported and counts as nothing', async t => {
  const files = memory()
  files.bytes.set('timeline.json', new TextEncoder().encode('{"bootId":'))
  const lines: string[] = []
  t.equal(await readTimeline(files, log(lines)), null)
  t.same(lines, ['timeline.unreadable'])
})
