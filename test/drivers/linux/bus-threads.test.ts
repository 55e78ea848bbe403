import t, { type Test } from 'tap'
import { BusThreads } from '../../../drivers/linux/bus-threads.js'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { after } from '../../../runtime/core/time.js'
import type { RegisterWrite, WriteOutcome } from '../../../runtime/ports/host.js'

/** No machine has so many. */
const BUS = 254
/** A thread of ordinary priority on a busy machine; nothing waits so long when all is well. */
const LIMIT_MS = 10_000
/** Longer than a loaded host stands still, so that nobody is taken for silent who is not. */
const SILENT_MS = 700

const clock = new LinuxClock(ownAnchor())
const inMs = (durationMs: number) => after(clock.monotonicMs(), durationMs)
const pause = (durationMs: number): Promise<void> =>
  new Promise(resolve => void clock.runAt(inMs(durationMs), resolve))

async function until(isTrue: () => boolean): Promise<void> {
  const limit = inMs(LIMIT_MS)
  while (!isTrue() && clock.monotonicMs() < limit) await pause(1)
}

function bench(t: Test, options: { heartbeatMs?: number; hasLibc?: boolean } = {}) {
  const log = new SimulatedLog()
  const { heartbeatMs = 60_000, hasLibc = true } = options
  const threads = new BusThreads(clock, log, { heartbeatMs, hasLibc })
  t.teardown(() => threads.stop())
  const written: string[] = []
  const device = (address: number) => ({
    address,
    writeRegister: async (register: number, bytes: Uint8Array) =>
      void written.push(`${address}:${register}=${bytes}`),
  })
  const plan = (address: number, lastWords: readonly RegisterWrite[] = []) =>
    threads.planWrites(device(address), BUS, lastWords)
  return { threads, log, plan, written }
}

const one = [{ register: 6, bytes: Uint8Array.of(1) }]

t.test('a bus that is not there fails what is planned, at its moment', async t => {
  const { plan, log } = bench(t)
  const planned = await plan(0x40)
  const heard: WriteOutcome[] = []
  planned.add(one, inMs(30), outcome => void heard.push(outcome))
  t.same(heard, [])
  await until(() => heard.length > 0)
  t.match(heard, [{ kind: 'failed', error: { code: 'device.absent', message: /ENOENT/ } }])
  await planned.close()
  t.equal(log.events().filter(event => event === 'firing.bus-priority').length, 1)
})

for (const way of ['cancel', 'drop'] as const)
  t.test(`what is planned after a ${way} is not overslept`, async t => {
    const { plan } = bench(t)
    const planned = await plan(0x40)
    const heard: WriteOutcome[] = []
    const { cancel } = planned.add(one, inMs(300), () => {})
    if (way === 'cancel') cancel()
    else planned.drop()
    // The thread has time to find nothing, and to go to sleep for long.
    await pause(50)
    planned.add(one, inMs(300), outcome => void heard.push(outcome))
    await until(() => heard.length > 0)
    t.equal(heard.length, 1)
    await planned.close()
  })

t.test('chips of one bus share its thread, and each is planned for by one at a time', async t => {
  const { plan, log } = bench(t)
  const [first, second] = await Promise.all([plan(0x40), plan(0x41)])
  await t.rejects(plan(0x40), { code: 'device.busy' })
  await first?.close()
  await (await plan(0x40)).close()
  await second?.close()
  t.equal(log.events().length, 1)
})

t.test('a silent main thread is told of it when it is back', async t => {
  const { threads, plan, log } = bench(t, { heartbeatMs: SILENT_MS })
  const planned = await plan(0x40, one)
  const heard: WriteOutcome[] = []
  const silences: number[] = []
  threads.silence.listen(({ silentMs }) => void silences.push(silentMs))
  planned.add(one, inMs(60_000), outcome => void heard.push(outcome))
  const end = inMs(3 * SILENT_MS)
  while (clock.monotonicMs() < end);
  await until(() => silences.length > 0)
  t.same(heard, [{ kind: 'dropped' }])
  t.equal(silences.length, 1)
  t.ok((silences[0] ?? 0) >= SILENT_MS)
  t.match(
    log.lines.filter(({ level }) => level === 'error'),
    [{ event: 'firing.not-safe', facts: { bus: BUS, address: 0x40, error: 'ENOENT' } }],
  )
  await planned.close()
})

t.test('without the C library the main thread writes, and says so', async t => {
  const { plan, written, log } = bench(t, { hasLibc: false })
  const planned = await plan(0x40)
  const heard: WriteOutcome[] = []
  planned.add(one, inMs(5), outcome => void heard.push(outcome))
  await until(() => heard.length > 0)
  t.match(heard, [{ kind: 'written', source: 'program' }])
  t.same(written, ['64:6=1'])
  t.same(log.lines, [])
  await planned.close()
})

t.test('nothing is planned any more once the host is safe or stopped', async t => {
  const { threads, plan } = bench(t)
  const planned = await plan(0x40)
  let reports = 0
  planned.add(one, inMs(20), () => void reports++)
  threads.safeNow()
  await pause(50)
  t.equal(reports, 0)
  await t.rejects(plan(0x41), { code: 'device.absent' })
  await threads.stop()
  await threads.stop()
})
