import t from 'tap'
import { chipsBuffer, SharedChips } from '../../../drivers/linux/bus-chips.js'
import { BusLoop } from '../../../drivers/linux/bus-loop.js'
import type { BusReport } from '../../../drivers/linux/bus-protocol.js'
import {
  PlannedTransfers,
  TransferEnd,
  transfersBuffer,
} from '../../../drivers/linux/bus-transfers.js'
import type { Ticket } from '../../../drivers/linux/planned-slots.js'
import { SpinMargin } from '../../../drivers/linux/spin-margin.js'
import { monotonicMs } from '../../../runtime/core/time.js'

const HEARTBEAT_MS = 400
const TRANSFER_MS = 3
const [NXIO, TIMED_OUT] = [6, 110]
const [CHIP, NEIGHBOUR] = [0x40, 0x41]

/** A thread whose time is moved by its sleeps, by 0.01 ms with each look, and by each transfer. */
function bench() {
  const memory = transfersBuffer()
  /** The main thread's view. */
  const planned = new PlannedTransfers(memory)
  const chips = new SharedChips(chipsBuffer())
  const state = { nowMs: 1000, version: 0, beats: 0, onSend: (_sent: string) => {} }
  /** Errors of each chip's next transfers. */
  const errors = new Map<number, number[]>()
  const sent: string[] = []
  const reports: BusReport[] = []
  const loop = new BusLoop(
    {
      transfers: new PlannedTransfers(memory),
      chips: new SharedChips(chips.buffer),
      signals: {
        version: () => state.version,
        beats: () => state.beats,
        sleep: (_version, durationMs) => {
          state.nowMs += durationMs
          return true
        },
      },
    },
    {
      nowMs: () => {
        state.nowMs += 0.01
        return state.nowMs
      },
      send: (address, { register, bytes }) => {
        const what = `${address.toString(16)}:${register}=${bytes[0]}`
        const errno = errors.get(address)?.shift() ?? 0
        sent.push(`${what}${errno ? '!' : ''}@${Math.round(state.nowMs)}`)
        state.nowMs += TRANSFER_MS
        state.onSend(what)
        return errno
      },
      report: report => void reports.push(report),
      holdAwake: () => {},
      warmUp: null,
      collect: null,
    },
    new SpinMargin(),
    { heartbeatMs: HEARTBEAT_MS },
  )
  let order = 0
  const plan = (
    address: number,
    at: number,
    writes: readonly (readonly [register: number, byte: number])[],
  ): Ticket =>
    planned.plan(
      order,
      {
        address,
        epoch: chips.epoch(address),
        at: monotonicMs(at),
        writes: writes.map(([register, byte]) => ({ register, bytes: Uint8Array.of(byte) })),
      },
      order++,
    )
  const run = (untilMs: number, { isBeating }: { isBeating: boolean } = { isBeating: true }) => {
    while (state.nowMs < untilMs) {
      if (isBeating) state.beats++
      loop.turn()
    }
  }
  const endOf = (ticket: Ticket): string => {
    const { end } = planned.collect(ticket)
    return Object.entries(TransferEnd).find(([, value]) => value === end)?.[0] ?? '?'
  }
  return { planned, chips, state, errors, sent, reports, plan, run, endOf }
}

t.test('transfers begin at their moments and say how long they took', async t => {
  const { planned, sent, plan, run } = bench()
  const ticket = plan(CHIP, 1050, [
    [6, 1],
    [38, 2],
  ])
  plan(NEIGHBOUR, 1020, [[6, 9]])
  run(1100)
  t.same(sent, ['41:6=9@1020', '40:6=1@1050', '40:38=2@1053'])
  const { beganMs, endedMs, errno } = planned.collect(ticket)
  t.ok(beganMs >= 1050 && beganMs < 1050.5, `${beganMs}`)
  t.ok(endedMs >= beganMs + 2 * TRANSFER_MS && endedMs < 1057, `${endedMs}`)
  t.equal(errno, 0)
})

t.test(
  'of what is due for a chip at once only the last is written, where it writes all',
  async t => {
    const { sent, plan, run, endOf } = bench()
    const [first, second, third] = [
      plan(CHIP, 900, [[6, 1]]),
      plan(CHIP, 901, [[7, 2]]),
      plan(CHIP, 902, [[6, 3]]),
    ]
    run(1020)
    t.same(sent, ['40:7=2@1000', '40:6=3@1003'])
    t.same([first, second, third].map(endOf), ['overtaken', 'written', 'written'])
  },
)

t.test('a drop stops what is under way between two writes', async t => {
  const { chips, state, sent, plan, run, endOf } = bench()
  const ticket = plan(CHIP, 1050, [
    [6, 1],
    [38, 2],
  ])
  state.onSend = what => {
    if (what !== '40:6=1') return
    chips.nextEpoch(CHIP)
    plan(CHIP, 1050, [[0xfd, 16]])
  }
  run(1100)
  t.same(sent, ['40:6=1@1050', '40:253=16@1053'])
  t.equal(endOf(ticket), 'dropped')
})

t.test('a chip that does not answer rests, and its neighbour does not wait for it', async t => {
  const { errors, sent, plan, run, endOf } = bench()
  errors.set(CHIP, [NXIO, NXIO])
  const late = plan(CHIP, 1050, [[6, 1]])
  const next = plan(CHIP, 1051, [[7, 2]])
  plan(NEIGHBOUR, 1051, [[6, 9]])
  run(1100)
  t.same(
    sent.map(each => each.replace(/@.*/, '')),
    ['40:6=1!', '41:6=9', '40:6=1!', '40:6=1', '40:7=2'],
    'in its own order',
  )
  t.same([late, next].map(endOf), ['written', 'written'])
})

t.test('after three times it has failed, and hears no more until it is begun anew', async t => {
  const { planned, chips, state, errors, sent, plan, run, endOf } = bench()
  errors.set(CHIP, [NXIO, NXIO, NXIO])
  const lost = plan(CHIP, 1050, [[6, 1]])
  const together = plan(CHIP, 1050, [[8, 1]])
  const later = plan(CHIP, 1090, [[7, 2]])
  run(1100)
  t.equal(sent.length, 3)
  t.same([together, later].map(endOf), ['dropped', 'dropped'])
  t.match(planned.collect(lost), { end: TransferEnd.failed, errno: NXIO })
  chips.nextEpoch(CHIP)
  const again = plan(CHIP, state.nowMs + 10, [[6, 3]])
  run(state.nowMs + 20)
  t.equal(endOf(again), 'written')
})

t.test('a transfer that the kernel gave up is not tried again', async t => {
  const { planned, errors, sent, plan, run } = bench()
  errors.set(CHIP, [TIMED_OUT])
  const lost = plan(CHIP, 1050, [[6, 1]])
  run(1100)
  t.equal(sent.length, 1)
  t.match(planned.collect(lost), { end: TransferEnd.failed, errno: TIMED_OUT })
})

t.test('a silent main thread drops what is planned, and chips hear their last words', async t => {
  const { chips, state, errors, sent, reports, plan, run, endOf } = bench()
  const [off, never] = [{ register: 0xfd, bytes: Uint8Array.of(16) }, Uint8Array.of(1)]
  chips.keep(CHIP, [off])
  chips.keep(NEIGHBOUR, [off])
  chips.keep(0x42, [{ register: 0, bytes: never }])
  chips.forget(0x42)
  errors.set(CHIP, [NXIO, NXIO, NXIO])
  const far = plan(NEIGHBOUR, 3000, [[6, 1]])
  run(1000 + 2 * HEARTBEAT_MS, { isBeating: false })
  t.same(
    sent.map(each => each.replace(/@.*/, '')),
    ['40:253=16!', '40:253=16!', '40:253=16!', '41:253=16'],
    'one that does not answer keeps none from it',
  )
  t.equal(endOf(far), 'dropped')
  t.match(reports, [{ kind: 'not-safe', address: CHIP, error: 'ENXIO' }])
  const next = plan(NEIGHBOUR, state.nowMs + 10, [[6, 2]])
  run(state.nowMs + 20)
  t.equal(endOf(next), 'written')
  t.equal(reports.filter(({ kind }) => kind === 'heartbeat-lost').length, 1)
})

t.test(
  'a chip that rests when the main thread falls silent hears nothing of its frame',
  async t => {
    const { chips, state, errors, sent, plan, run, endOf } = bench()
    chips.keep(CHIP, [{ register: 0xfd, bytes: Uint8Array.of(16) }])
    errors.set(CHIP, [NXIO])
    const ticket = plan(CHIP, 1050, [[6, 1]])
    state.onSend = what => {
      state.onSend = () => {}
      if (what === '40:6=1') state.nowMs += 2 * HEARTBEAT_MS
    }
    run(1051)
    run(1000 + 4 * HEARTBEAT_MS, { isBeating: false })
    t.same(sent.at(-1)?.replace(/@.*/, ''), '40:253=16')
    t.equal(sent.length, 2)
    t.equal(endOf(ticket), 'dropped')
  },
)

t.test('the main thread sees how long a transfer has been under way', async t => {
  const { chips, state, plan, run } = bench()
  const busy: number[] = []
  state.onSend = () => void busy.push(chips.busyMs(state.nowMs + 300))
  plan(CHIP, 1050, [[6, 1]])
  run(1060)
  t.ok((busy[0] ?? 0) >= 300 && (busy[0] ?? 0) <= 305, `${busy[0]}`)
  t.equal(chips.busyMs(state.nowMs + 300), 0, 'and that it is back')
})
