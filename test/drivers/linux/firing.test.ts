import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { Firing } from '../../../drivers/linux/firing.js'
import type { FiringLine } from '../../../drivers/linux/firing-line.js'
import { lineWriter } from '../../../drivers/linux/line-writer.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { after } from '../../../runtime/core/time.js'
import type { Fired } from '../../../runtime/ports/host.js'

/** A thread of ordinary priority on a busy machine; nothing waits so long when all is well. */
const LIMIT_MS = 10_000
/** Longer than a loaded host stands still, so that nobody is taken for silent who is not. */
const SILENT_MS = 700

const clock = new LinuxClock(ownAnchor())
const inMs = (durationMs: number) => after(clock.monotonicMs(), durationMs)

/** Keeps the main thread busy, as a bug or a big document would. */
function block(durationMs: number): void {
  const end = inMs(durationMs)
  blockUntil(() => clock.monotonicMs() >= end)
}

/** Keeps the main thread busy until it is so, or for too long. */
function blockUntil(isTrue: () => boolean): void {
  const limit = inMs(LIMIT_MS)
  while (!isTrue() && clock.monotonicMs() < limit);
}

const pause = (durationMs: number): Promise<void> =>
  new Promise(resolve => void clock.runAt(inMs(durationMs), resolve))

async function until(isTrue: () => boolean): Promise<void> {
  const limit = inMs(LIMIT_MS)
  while (!isTrue() && clock.monotonicMs() < limit) await pause(1)
}

const folder = mkdtempSync(join(tmpdir(), 'roadcase-firing-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const stateOf = (name: string): string => readFileSync(join(folder, name), 'latin1')

async function startFiring(t: Test, heartbeatMs: number) {
  const log = new SimulatedLog()
  const firing = new Firing(clock, log, lineWriter(null), { lineCount: 2, heartbeatMs })
  await firing.start()
  t.teardown(() => firing.stop())
  return { firing, log }
}

/** A line that is an ordinary file: what is written to it is the state of the output. */
function takeFile(t: Test, firing: Firing, name: string, isSafeActive: boolean): FiringLine {
  const fd = openSync(join(folder, name), 'w+')
  const line = firing.takeLine(name, { fd, method: 'file', isSafeActive })
  t.teardown(() => {
    firing.releaseLine(line)
    closeSync(fd)
  })
  return line
}

t.test('a firing thread with time for its main thread', async t => {
  const { firing, log } = await startFiring(t, 60_000)

  t.test('a change fires at its moment although the main thread is blocked', async t => {
    const lamp = takeFile(t, firing, 'lamp', false)
    const fired: Fired[] = []
    const at = inMs(100)
    lamp.setAt(true, at, report => void fired.push(report))
    blockUntil(() => stateOf('lamp') === '1')
    const freeMs = clock.monotonicMs()
    t.equal(stateOf('lamp'), '1')
    await until(() => fired.length > 0)
    t.equal(fired[0]?.source, 'firing')
    t.ok((fired[0]?.firedMs ?? 0) >= at, 'not early')
    t.ok((fired[0]?.firedMs ?? freeMs) < freeMs, 'while nobody else could have done it')
  })

  t.test('a change is cancelled or reported, and never both or neither', async t => {
    const lamp = takeFile(t, firing, 'lamp', false)
    /** One change, cancelled around its very moment: was it on when `cancel` returned, a little later, and reported? */
    const race = async (cancelAfterMs: number) => {
      lamp.set(false)
      let reports = 0
      const cancel = lamp.setAt(true, inMs(0.8), () => void reports++)
      block(cancelAfterMs)
      cancel()
      const isOn = stateOf('lamp') === '1'
      block(1)
      const isOnLater = stateOf('lamp') === '1'
      await until(() => !isOn || reports > 0)
      await pause(0.5)
      return { isOn, isOnLater, reports }
    }
    const races = []
    for (let round = 0; round < 400; round++) races.push(await race((round % 40) / 40))
    const fired = races.filter(({ isOn }) => isOn)
    t.same(
      fired.filter(({ isOnLater, reports }) => !isOnLater || reports !== 1),
      [],
    )
    const cancelled = races.filter(({ isOn }) => !isOn)
    t.same(
      cancelled.filter(({ isOnLater, reports }) => isOnLater || reports !== 0),
      [],
    )
    t.ok(fired.length > 10 && cancelled.length > 10, `${fired.length} and ${cancelled.length}`)
  })

  t.test('a change that was due is not overtaken by a later set', async t => {
    const lamp = takeFile(t, firing, 'lamp', false)
    let overtaken = 0
    let reports = 0
    for (let round = 0; round < 200; round++) {
      lamp.setAt(true, inMs(0.3), () => void reports++)
      block(0.3)
      lamp.set(false)
      block(0.3)
      if (stateOf('lamp') !== '0') overtaken++
    }
    t.equal(overtaken, 0)
    await until(() => reports === 200)
    t.equal(reports, 200)
  })

  t.test('closing a line leaves it safe and drops what is planned', async t => {
    const fd = openSync(join(folder, 'relay'), 'w+')
    const relay = firing.takeLine('relay', { fd, method: 'file', isSafeActive: true })
    relay.set(false)
    relay.setAt(false, inMs(5), () => {})
    firing.releaseLine(relay)
    t.equal(stateOf('relay'), '1')
    const again = firing.takeLine('relay', { fd, method: 'file', isSafeActive: true })
    block(20)
    t.equal(stateOf('relay'), '1', 'nor does the next owner of the line inherit it')
    firing.releaseLine(again)
    closeSync(fd)
  })

  t.test('a line that can no longer be written to is reported and refuses more', async t => {
    const fd = openSync('/dev/full', 'w')
    const lamp = firing.takeLine('broken', { fd, method: 'file', isSafeActive: false })
    let reports = 0
    lamp.setAt(true, inMs(5), () => void reports++)
    await until(() => log.events().includes('firing.write-failed'))
    t.throws(() => lamp.setAt(true, inMs(5), () => {}), { code: 'device.io', message: /broken/ })
    t.equal(reports, 0)
    t.throws(() => firing.releaseLine(lamp), { code: 'device.io' })
    closeSync(fd)
  })

  t.test('the log says which priority the thread got', async t => {
    const line = log.lines.find(({ event }) => event === 'firing.priority')
    t.match(line?.facts, { policy: /^(fifo|other)$/, reason: String, spinMs: Number })
  })

  t.test('safeNow makes every line safe, and nothing fires afterwards', async t => {
    const lamp = takeFile(t, firing, 'lamp', false)
    takeFile(t, firing, 'relay', true)
    lamp.set(true)
    lamp.setAt(true, inMs(5), () => {})
    firing.safeNow()
    block(20)
    t.equal(stateOf('lamp'), '0')
    t.equal(stateOf('relay'), '1')
  })
})

t.test('outputs become safe when the main thread is silent, and their owners are told', async t => {
  const { firing, log } = await startFiring(t, SILENT_MS)
  const lamp = takeFile(t, firing, 'lamp', false)
  const relay = takeFile(t, firing, 'relay', true)
  const losses: number[] = []
  firing.heartbeatLost.listen(({ silentMs }) => void losses.push(silentMs))
  let reports = 0
  lamp.set(true)
  relay.set(false)
  // Later than the thread has noticed the silence, however late that is on a host that stands still for a moment.
  lamp.setAt(true, inMs(3 * SILENT_MS), () => void reports++)
  block(3 * SILENT_MS + 100)
  t.equal(stateOf('lamp'), '0')
  t.equal(stateOf('relay'), '1')
  await until(() => losses.length > 0)
  t.equal(losses.length, 1)
  t.ok((losses[0] ?? 0) >= SILENT_MS)
  t.equal(reports, 0, 'what was planned is dropped')
  t.ok(log.events('error').includes('firing.heartbeat-lost'))
  lamp.set(true)
  t.equal(stateOf('lamp'), '1', 'and can be set again')
  lamp.setAt(false, inMs(20), () => void reports++)
  await until(() => reports > 0)
  t.equal(stateOf('lamp'), '0')
})

t.test('a machine too slow for its heartbeat rehearses to the end, and starts', async t => {
  const { log } = await startFiring(t, 1)
  t.ok(log.events().includes('firing.priority'))
})
