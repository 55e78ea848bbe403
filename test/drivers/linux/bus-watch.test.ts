import t from 'tap'
import { chipsBuffer, SharedChips } from '../../../drivers/linux/bus-chips.js'
import { BusPlans } from '../../../drivers/linux/bus-plans.js'
import {
  PlannedTransfers,
  TransferEnd,
  transfersBuffer,
} from '../../../drivers/linux/bus-transfers.js'
import { BusWatch } from '../../../drivers/linux/bus-watch.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { monotonicMs } from '../../../runtime/core/time.js'

const [CHIP, NEIGHBOUR] = [0x40, 0x41]

/** A bus's thread that does as it is told. */
function bench() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  const memory = transfersBuffer()
  const chips = new SharedChips(chipsBuffer())
  const thread = {
    transfers: new PlannedTransfers(memory),
    chips: new SharedChips(chips.buffer),
  }
  const plans = new BusPlans(new PlannedTransfers(memory), 1)
  const watch = new BusWatch(clock, log, chips, plans, { bus: 1 })
  const heard: string[] = []
  const plan = (address: number, at: number) =>
    plans.add(
      {
        address,
        epoch: 0,
        at: monotonicMs(at),
        writes: [{ register: 0, bytes: Uint8Array.of(1) }],
      },
      outcome => {
        const { error = null } = outcome.kind === 'failed' ? outcome : {}
        const code = error instanceof DeviceError ? error.code : null
        heard.push(`${address.toString(16)}@${at}: ${code ?? outcome.kind}`)
      },
    )
  const passBy = async (durationMs: number): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 10) {
      await clock.advance(10)
      watch.look()
    }
  }
  return { clock, log, thread, plans, watch, heard, plan, passBy }
}

t.test('a transfer that does not come back within 250 ms fails all that is planned', async t => {
  const { clock, log, thread, plans, watch, heard, plan, passBy } = bench()
  await clock.advance(5_000)
  const { ticket } = plan(CHIP, 5_000)
  plan(NEIGHBOUR, 5_100)
  thread.transfers.slots.take(ticket)
  thread.chips.setBusy(clock.monotonicMs())
  await passBy(250)
  t.same([watch.isStuck, heard], [false, []])
  await passBy(20)
  t.same(heard, ['40@5000: device.timeout', '41@5100: device.stuck'])
  t.equal(watch.isStuck, true)
  await passBy(1_000)
  t.same(log.events(), ['i2c.stuck'], 'said once')
  t.equal(thread.transfers.slots.earliest(), null, 'nobody joins it')
  t.equal(plans.isIdle(CHIP), false, 'its place is not used again')
  thread.chips.setBusy(null)
  const nowMs = clock.monotonicMs()
  thread.transfers.finish(ticket, {
    end: TransferEnd.failed,
    beganMs: nowMs,
    endedMs: nowMs,
    errno: 110,
  })
  plans.collect()
  await passBy(10)
  t.equal(watch.isStuck, false)
  t.equal(plans.isIdle(CHIP), true)
  t.same(log.events(), ['i2c.stuck', 'i2c.tried-again'])
  t.equal(heard.length, 2, 'nobody hears of it twice')
})

t.test('many transfers that each come back are no bus that hangs', async t => {
  const { clock, log, thread, passBy } = bench()
  for (let count = 0; count < 100; count++) {
    thread.chips.setBusy(clock.monotonicMs())
    await passBy(10)
    thread.chips.setBusy(null)
  }
  t.same(log.lines, [])
})

t.test('a transfer may be under way as the number of milliseconds wraps around', async t => {
  const chips = new SharedChips(chipsBuffer())
  chips.setBusy(2 ** 31 - 100)
  t.equal(chips.busyMs(2 ** 31 + 200), 300)
  chips.setBusy(2 ** 32)
  t.ok(chips.busyMs(2 ** 32 + 5) > 0, 'and 0 is not taken for none')
})

t.test('what ended is told in the order of its end', async t => {
  const { thread, plans, heard, plan } = bench()
  const [first, second] = [plan(CHIP, 10), plan(NEIGHBOUR, 20)]
  for (const [{ ticket }, endedMs] of [[first, 30] as const, [second, 25] as const]) {
    t.equal(thread.transfers.slots.take(ticket), true)
    thread.transfers.finish(ticket, { end: TransferEnd.written, beganMs: 1, endedMs, errno: 0 })
  }
  t.equal(plans.cancel(first), false, 'too late')
  plans.collect()
  t.same(heard, ['41@20: written', '40@10: written'])
})
