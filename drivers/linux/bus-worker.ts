/**
 * The thread of one I2C bus. Like the firing thread it never returns to its event loop; unlike it, it waits for the
 * kernel: a transfer takes milliseconds, and a bus that hangs takes it out for as long as the kernel does not give up.
 * So it has a thread of its own, and lines are none of its affairs.
 */
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../runtime/core/errors.js'
import { monotonicMs } from '../../runtime/core/time.js'
import type { RegisterWrite } from '../../runtime/ports/host.js'
import { chipsBuffer, SharedChips } from './bus-chips.js'
import { BusLoop } from './bus-loop.js'
import type { BusSetup } from './bus-protocol.js'
import { PlannedTransfers, transfersBuffer } from './bus-transfers.js'
import { errnoOf } from './errno.js'
import { FiringSignals, signalsBuffer } from './firing-signals.js'
import { isNoAnswer } from './i2c-errno.js'
import { openLibc } from './libc.js'
import { becomeRealTime } from './real-time.js'
import { SpinMargin } from './spin-margin.js'

/** Just below the firing thread: where both want a processor, lines go first, which take microseconds. */
const PRIORITY = 48
const REHEARSED_TRANSFERS = 1000
/** Linux, include/uapi/asm-generic/errno.h, for what node:os does not know by name. */
const EREMOTEIO = 121

assert(parentPort !== null, 'the thread of a bus is a worker')
const port = parentPort
const data: BusSetup = workerData
const shared = {
  transfers: new PlannedTransfers(data.transfers),
  chips: new SharedChips(data.chips),
  signals: new FiringSignals(data.signals),
}
const libc = await openLibc()
const { nowMs, margin, wakefulness, collect, ready } = becomeRealTime(
  libc,
  PRIORITY,
  shared.signals,
)
rehearse()

/** Opened when it is first written to, and anew after a failure: an adapter may be unplugged and come back. */
let fd: number | null = null
const loop = new BusLoop(
  shared,
  {
    nowMs,
    send,
    report: report => port.postMessage(report),
    holdAwake: isHeld => wakefulness.hold(isHeld),
    warmUp: null,
    collect,
  },
  margin,
  { heartbeatMs: data.heartbeatMs },
)
port.postMessage(ready)
while (!shared.signals.isStopping()) loop.turn()
wakefulness.close()
if (fd !== null) closeSync(fd)

function send(address: number, { register, bytes }: RegisterWrite): number {
  const name = fd === null ? openBus() : null
  if (name !== null || fd === null) return errnoOfName(name ?? 'ENODEV')
  const failure = libc.sendI2cBlock(fd, address, register, bytes)
  if (failure === null) return 0
  if (!isNoAnswer(failure)) {
    closeSync(fd)
    fd = null
  }
  return errnoOfName(failure)
}

/** The errno name, or null. */
function openBus(): string | null {
  try {
    fd = openSync(`/dev/i2c-${data.bus}`, 'r+')
    return null
  } catch (error) {
    const name = errnoOf(error)
    if (name === null) throw error
    return name
  }
}

/** Shared memory holds numbers. */
function errnoOfName(name: string): number {
  if (name === 'EREMOTEIO') return EREMOTEIO
  const known = Object.entries(constants.errno).find(([each]) => each === name)
  return known?.[1] ?? constants.errno.EIO
}

/** Carries out transfers to a chip that is not there, so that no frame of the evening meets code that was never compiled. */
function rehearse(): void {
  const stage = {
    transfers: new PlannedTransfers(transfersBuffer()),
    chips: new SharedChips(chipsBuffer()),
    signals: new FiringSignals(signalsBuffer()),
  }
  const rehearsal = new BusLoop(
    stage,
    { nowMs, send: () => 0, report: () => {}, holdAwake: () => {}, warmUp: null, collect: null },
    new SpinMargin(),
    // Nobody beats for it, and on a slow machine it takes longer than a main thread may be silent.
    { heartbeatMs: Number.POSITIVE_INFINITY },
  )
  const writes = [{ register: 0, bytes: new Uint8Array(32) }]
  for (let order = 0; order < REHEARSED_TRANSFERS; order++) {
    const transfer = { address: 0, epoch: 0, at: monotonicMs(nowMs() + 0.002), writes }
    const ticket = stage.transfers.plan(0, transfer, order)
    while (!stage.transfers.slots.isOver(ticket)) rehearsal.turn()
    stage.transfers.collect(ticket)
  }
}
