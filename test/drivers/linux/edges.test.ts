import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { Edges } from '../../../drivers/linux/edges.js'
import { UNTAKEN_MAX } from '../../../drivers/linux/edges-protocol.js'
import { errnoOf } from '../../../drivers/linux/errno.js'
import { EVENT_BYTES, type LineEvent } from '../../../drivers/linux/gpio-uapi.js'
import { openLibc } from '../../../drivers/linux/libc.js'
import { after } from '../../../runtime/core/time.js'

const LIMIT_MS = 30_000
const clock = new LinuxClock(ownAnchor())

async function until(isTrue: () => boolean): Promise<void> {
  const limit = after(clock.monotonicMs(), LIMIT_MS)
  while (!isTrue() && clock.monotonicMs() < limit)
    await new Promise<void>(resolve => clock.runAt(after(clock.monotonicMs(), 1), resolve))
}

function eventBytes(count: number, firstSeqno: number): Uint8Array {
  const bytes = new Uint8Array(count * EVENT_BYTES)
  const view = new DataView(bytes.buffer)
  for (let index = 0; index < count; index++) {
    view.setBigUint64(index * EVENT_BYTES, 5_000_000n, true)
    view.setUint32(index * EVENT_BYTES + 8, 1 + (index % 2), true)
    view.setUint32(index * EVENT_BYTES + 20, firstSeqno + index, true)
  }
  return bytes
}

/** A pipe with a name stands in for a line: the kernel's side of it is ours to write to. */
function pipe(t: Test): { near: number; far: number } {
  const path = join(t.testdir({}), 'line')
  execFileSync('mkfifo', [path])
  const near = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const far = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  return { near, far }
}

/** More than the thread may hold and the pipe can keep, together. */
const EVENTS_MAX = UNTAKEN_MAX + 4096
/** Looks, a millisecond apart; a host that stands still in between does not make them more. */
const LOOKS = 200

/** Writes events, blocking the main thread, until nobody has read any for a while. Returns how many. */
function fill(far: number): number {
  let written = 0
  for (let looks = 0; written < EVENTS_MAX && looks < LOOKS; looks++)
    try {
      written += writeSync(far, eventBytes(64, written + 1)) / EVENT_BYTES
      looks = 0
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  return written
}

t.test('one thread for all edges', async t => {
  const edges = new Edges(await openLibc())
  t.teardown(() => edges.stop())

  t.test('events of a watched line arrive in order', async t => {
    const { near, far } = pipe(t)
    const seen: LineEvent[] = []
    await edges.watch(near, {
      events: events => void seen.push(...events),
      gone: () => {},
    })
    writeSync(far, eventBytes(2, 1))
    await until(() => seen.length === 2)
    writeSync(far, eventBytes(1, 3))
    await until(() => seen.length === 3)
    t.same(
      seen.map(({ seqno, isActive, at }) => `${seqno} ${isActive} ${at}`),
      ['1 true 5', '2 false 5', '3 true 5'],
    )
    await edges.unwatch(near)
    closeSync(far)
    closeSync(near)
  })

  t.test('nothing is heard of a line that is no longer watched', async t => {
    const [ended, kept] = [pipe(t), pipe(t)]
    const heard: string[] = []
    const listen = (name: string) => ({
      events: () => void heard.push(name),
      gone: () => void heard.push(`${name} gone`),
    })
    await edges.watch(ended.near, listen('ended'))
    await edges.watch(kept.near, listen('kept'))
    await edges.unwatch(ended.near)
    writeSync(ended.far, eventBytes(1, 1))
    writeSync(kept.far, eventBytes(1, 1))
    await until(() => heard.includes('kept'))
    t.same(heard, ['kept'])
    await edges.unwatch(kept.near)
    for (const fd of [ended.near, ended.far, kept.near, kept.far]) closeSync(fd)
  })

  t.test('a line that goes away is told once, and the others are still heard', async t => {
    const [lost, kept] = [pipe(t), pipe(t)]
    const heard: string[] = []
    await edges.watch(lost.near, {
      events: () => {},
      gone: () => void heard.push('gone'),
    })
    await edges.watch(kept.near, {
      events: () => void heard.push('kept'),
      gone: () => {},
    })
    closeSync(lost.far)
    await until(() => heard.includes('gone'))
    writeSync(kept.far, eventBytes(1, 1))
    await until(() => heard.includes('kept'))
    t.same(heard, ['gone', 'kept'])
    await edges.unwatch(lost.near)
    await edges.unwatch(kept.near)
    for (const fd of [lost.near, kept.near, kept.far]) closeSync(fd)
  })

  t.test('a main thread that does not keep up leaves events with the kernel', async t => {
    const { near, far } = pipe(t)
    const seen: LineEvent[] = []
    await edges.watch(near, {
      events: events => void seen.push(...events),
      gone: () => {},
    })
    // Nobody takes anything from the thread while we write; so it must stop reading, and the pipe must fill up.
    const written = fill(far)
    t.ok(written > UNTAKEN_MAX && written < EVENTS_MAX, `${written} events went in`)
    t.equal(seen.length, 0, 'nothing has been taken yet')
    await until(() => seen.length === written)
    t.same(
      seen.map(({ seqno }) => seqno),
      Array.from({ length: written }, (_, index) => index + 1),
    )
    await edges.unwatch(near)
    closeSync(far)
    closeSync(near)
  })
})

t.test(
  'stop ends the thread, twice if need be, and a watch that is left is ended with it',
  async t => {
    const edges = new Edges(await openLibc())
    await edges.stop()
    const { near, far } = pipe(t)
    await edges.watch(near, { events: () => {}, gone: () => {} })
    await edges.stop()
    await edges.stop()
    await edges.unwatch(near)
    closeSync(far)
    closeSync(near)
  },
)
