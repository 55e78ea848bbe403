/**
 * How late frames of a PCA9685 begin on the lab's bus: by the bus's thread, and by the main thread's timers and queue as
 * where there is no such thread. Quiet, and with a main thread that is blocked for half a second in each.
 */
import { BusThreads } from '../../drivers/linux/bus-threads.js'
import { LinuxI2cBuses } from '../../drivers/linux/i2c.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { after } from '../../runtime/core/time.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { PlannedWrites, RegisterWrite } from '../../runtime/ports/host.js'

const BUS = 1
/** The lab's PCA9685, and its INA219, which keeps what is written to it as well. */
const CHIPS = [0x41, 0x40] as const
const FRAME_MS = 25
const SECONDS = 10
const BLOCKED_MS = 500
/** All sixteen channels: two blocks of eight. */
const FRAME: readonly RegisterWrite[] = [0x06, 0x26].map(register => ({
  register,
  bytes: new Uint8Array(32),
}))

export interface FrameRow {
  readonly name: string
  /** One for each frame; one that a later frame overtook is late by the time until that was known. */
  readonly lateMs: readonly number[]
  /** Of all threads of this process. */
  readonly cpuPercent: number
}

export async function measureFrames(clock: Clock): Promise<FrameRow[]> {
  const rows: FrameRow[] = []
  for (const isBlocked of [false, true])
    for (const hasLibc of [false, true]) {
      const log = new SimulatedLog()
      const buses = new LinuxI2cBuses(clock, log)
      const threads = new BusThreads(clock, log, { heartbeatMs: 60_000, hasLibc })
      const chips: PlannedWrites[] = []
      for (const address of CHIPS)
        chips.push(await threads.planWrites(buses.device(BUS, address), BUS, []))
      const way = hasLibc ? "the bus's thread" : 'timers and queue'
      const name = `${way}, ${isBlocked ? 'blocked' : 'quiet'}`
      rows.push({ name, ...(await measure(clock, chips, isBlocked)) })
      await Promise.all(chips.map(chip => chip.close()))
      await threads.stop()
      await buses.close()
    }
  return rows
}

/** Second by second: all frames of one are planned, then the main thread waits, or is blocked for half of it. */
async function measure(
  clock: Clock,
  chips: readonly PlannedWrites[],
  isBlocked: boolean,
): Promise<Omit<FrameRow, 'name'>> {
  const lateMs: number[] = []
  const before = process.cpuUsage()
  const beganMs = clock.monotonicMs()
  let busyMs = 0
  for (let second = 0; second < SECONDS; second++) {
    const startMs = after(clock.monotonicMs(), FRAME_MS)
    for (let frame = 0; frame < 1_000 / FRAME_MS; frame++)
      for (const chip of chips) {
        const at = after(startMs, frame * FRAME_MS)
        chip.add(FRAME, at, outcome => {
          const begunMs = outcome.kind === 'written' ? outcome.beganMs : clock.monotonicMs()
          lateMs.push(begunMs - at)
        })
      }
    if (isBlocked) {
      const until = after(startMs, BLOCKED_MS)
      while (clock.monotonicMs() < until);
      busyMs += BLOCKED_MS
    }
    await new Promise<void>(resolve => void clock.runAt(after(startMs, 1_050), resolve))
  }
  const { user, system } = process.cpuUsage(before)
  const tookMs = clock.monotonicMs() - beganMs
  return { lateMs, cpuPercent: (100 * ((user + system) / 1_000 - busyMs)) / tookMs }
}
